// Exports go through the same plan as queries, are recorded, and can be checked by anybody who holds one (§3.1.4, §3.3.1).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { checkProof } from '../../kernel/record/proof_check.mjs';
import { isProblem, isText } from './checks.mjs';
import { clockFile, forEachStore, setClock, sqlOutside } from './support.mjs';

// RFC 4180 with a byte order mark → rows of cells.
function parseCsv(text) {
  assert.equal(text.codePointAt(0), 0xfeff, 'byte order mark, or spreadsheets misread Chinese');
  const rows = [];
  let row = [], cell = '', quoted = false;
  for (let at = 1; at < text.length; at += 1) {
    const c = text[at];
    if (quoted) {
      if (c === '"' && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      row.push(cell);
      cell = '';
    } else if (c === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      [row, cell] = [[], ''];
      at += 1;
    } else {
      assert.notEqual(c, '\n', 'CRLF');
      cell += c;
    }
  }
  assert.deepEqual([row, cell], [[], ''], 'the last line is ended');
  return rows;
}

const query = { dataset: 'grade', fields: ['student', 'course', 'term', 'score'], order: [{ field: 'score', desc: true }] };

async function make(person, further = {}) {
  return person.post('/api/documents', { query, format: 'csv', purpose: 'study', ...further });
}

const at = (world, milliseconds) => setClock(world.clock, new Date(milliseconds).toISOString());

forEachStore('exports', (world) => {
  test('§3.3.1.a a file is asked for again at every download: the grant behind it has to stand', async () => {
    const teacher = await world.as('teacher');
    const [account, person, unit] = (await sqlOutside(world.db, `SELECT id, person_id, (SELECT u.code FROM staff s JOIN unit u ON u.id = s.unit WHERE s.person_id = account.person_id) FROM account WHERE login = '${teacher.account}'`)).trim().split('|');
    const content = JSON.stringify({ rows: 'all', clear: ['student'], masked: [], actions: ['query', 'export'], purposes: ['study'] });
    const year = 365 * 86_400_000_000;
    const now = Date.now() * 1000;
    await sqlOutside(world.db, `INSERT INTO access_grant (id, number, effect, account, unit, dataset, content, valid_from, valid_until, source, made, title, holder, holder_name, person_id, state, last_used) VALUES (7001, '2026-7001', 'permit', ${account}, '${unit}', 'evaluation', '${content}', ${now - 2 * year}, ${now + 2 * year}, '2.4.2', ${now}, '测评', '${teacher.account}', '甲', ${person}, 'valid', ${now})`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    const made = await make(teacher, { query: { dataset: 'evaluation', fields: ['student'] } });
    assert.equal(made.status, 200, made.text);
    assert.equal((await teacher.get(made.json.link)).status, 200);
    const ordinary = await make(teacher, { query: { dataset: 'term' }, purpose: 'teaching_administration' });
    await sqlOutside(world.db, `UPDATE access_grant SET revoked = ${now} WHERE id = 7001`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    const refused = isProblem(await teacher.get(made.json.link), 403);
    assert.ok(isText(refused.detail) && refused.record && refused.remedy.kind === 'access', JSON.stringify(refused));
    assert.equal((await teacher.get(ordinary.json.link)).status, 200, 'what rests on a clause stands');
    // Another permit on the same data does not stand in for the grant that has ended.
    await sqlOutside(world.db, `UPDATE access_grant SET revoked = NULL, number = '2026-7002' WHERE id = 7001`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    const ended = isProblem(await teacher.get(made.json.link), 403);
    assert.equal(ended.type, 'query.basis_ended');
    assert.match(ended.detail.zh, /2026-7001/);
    // Nor may a column be open less than it was.
    await sqlOutside(world.db, `UPDATE access_grant SET number = '2026-7001', content = '${content.replace('"clear":["student"]', '"clear":["term_note"]').replace('term_note', 'school_year')}' WHERE id = 7001`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    isProblem(await teacher.get(made.json.link), 403);
    await sqlOutside(world.db, 'DELETE FROM access_grant WHERE id = 7001');
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
  });

  test('§3.1.4.c a CSV has the rows of the query, all of them, in its order', async () => {
    for (const [kind, purpose] of [['student', 'study'], ['teacher', 'teaching_administration'], ['class_adviser', 'teaching_administration'], ['graduate', 'study']]) {
      const person = await world.as(kind);
      const made = await make(person, { purpose });
      assert.equal(made.status, 200, made.text);
      assert.match(made.json.number, /^D\d{4}-\d{6}$/);
      const file = await person.get(made.json.link);
      assert.equal(file.status, 200);
      assert.match(file.headers['content-type'], /^text\/csv; charset=utf-8/);
      assert.match(file.headers['content-disposition'], /^attachment; filename="D/);
      assert.equal(createHash('sha256').update(file.bytes).digest('hex'), made.json.sha256);
      const [header, ...cells] = parseCsv(file.text);
      const rows = await person.all({ ...query, limit: 1000 });
      const columns = (await person.query({ ...query, limit: 1 })).json.columns;
      assert.deepEqual(header, columns.map((column) => column.label.zh));
      assert.equal(made.json.rows, rows.length);
      assert.deepEqual(cells.map(([a, b, c, score]) => [a, b, c, score === '' ? null : Number(score)]), rows);
    }
  });

  test('§3.1.4.c hidden fields do not come out by export, masked ones come out masked', async () => {
    const adviser = await world.as('class_adviser');
    isProblem(await make(adviser, { query: { dataset: 'student', fields: ['number', 'guardian_phone'] }, purpose: 'teaching_administration' }), 403);
    const fields = ['number', 'id_number'];
    const made = await make(adviser, { query: { dataset: 'student', fields }, purpose: 'teaching_administration' });
    const [, ...cells] = parseCsv((await adviser.get(made.json.link)).text);
    const rows = await adviser.all({ dataset: 'student', fields, limit: 1000 });
    assert.deepEqual(cells, rows.map(([number, masked]) => [number, masked ?? '']));
    assert.ok(cells.some(([, masked]) => masked.includes('*')));
    const all = await make(adviser, { query: { dataset: 'student' }, purpose: 'teaching_administration' });
    const office = await world.as('academic_office');
    const secrets = await office.all({ dataset: 'student', fields: ['id_number', 'guardian_phone'], limit: 1000 });
    const text = (await adviser.get(all.json.link)).text;
    for (const secret of secrets.flat()) if (secret) assert.ok(!text.includes(secret));
  });

  test('a cell that a spreadsheet would run is disarmed', async () => {
    const student = await world.as('student', 1);
    for (const evil of ['=1+1', '+1+1', '-1-1', '@SUM(A1)', '\t=1', '\r=1', '=cmd|\'/c calc\'!A1', 'say "hi", twice']) {
      await sqlOutside(world.db, `UPDATE student SET english_name = '${evil.replaceAll("'", "''")}' WHERE number = '${student.account}'`);
      const made = await make(student, { query: { dataset: 'student', fields: ['number', 'english_name'] } });
      const [, [, cell]] = parseCsv((await student.get(made.json.link)).text);
      assert.doesNotMatch(cell, /^[=+\-@\t\r]/, evil);
      assert.ok(cell.endsWith(evil.trim()) || cell.includes(evil), `${cell} still says ${evil}`);
    }
  });

  test('§3.3.1.a the purpose is stated, the format known, the query whole', async () => {
    const student = await world.as('student');
    for (const body of [{ query, format: 'csv' }, { query, format: 'csv', purpose: '' }, { query, format: 'csv', purpose: 'gossip' }, { query, format: 'csv', purpose: 7 },
      { query, format: 'exe', purpose: 'study' }, { query, purpose: 'study' }, { format: 'csv', purpose: 'study' }, { query: 'grade', format: 'csv', purpose: 'study' },
      { query: { dataset: 'grade', fields: ['nope'] }, format: 'csv', purpose: 'study' }, []]) {
      const answer = await student.post('/api/documents', body);
      assert.ok([400, 403, 404, 422].includes(answer.status), `${JSON.stringify(body)}: ${answer.status}`);
      isProblem(answer, answer.status);
    }
    isProblem(await make(student, { query: { dataset: 'staff' } }), 403);
    isProblem(await make(student, { query: { dataset: 'grade', measures: [{ fn: 'count' }] } }), 422);
  });

  test('a document is its maker’s alone: by number, by guess, by order', async () => {
    const [one, two, office] = [await world.as('student', 0), await world.as('student', 1), await world.as('academic_office')];
    const mine = (await make(one)).json;
    const theirs = (await make(two)).json;
    assert.equal((await one.get(mine.link)).status, 200);
    for (const person of [two, office]) isProblem(await person.get(mine.link), 404);
    const serial = Number(theirs.number.slice(-6));
    for (let number = 1; number <= serial + 2; number += 1) {
      const guess = `${theirs.number.slice(0, -6)}${String(number).padStart(6, '0')}`;
      const answer = await one.get(`/api/documents/${guess}`);
      if (answer.status === 200) assert.ok(!answer.text.includes(two.account), guess);
      else isProblem(answer, 404);
    }
    for (const odd of ['D2026-0', '%27', 'D2026-000001%20OR%201=1', mine.code]) isProblem(await one.get(`/api/documents/${odd}`), 404);
    isProblem(await world.server.request('GET', mine.link), 401);
  });

  test('§3.1.4.c anybody checks a document by its code, and learns nothing of persons', async () => {
    const student = await world.as('student');
    const made = (await make(student)).json;
    for (const code of [made.code, made.code.toLowerCase(), made.code.replaceAll('-', '')]) {
      const checked = await world.server.request('GET', `/api/verify/${code}`);
      assert.equal(checked.status, 200);
      assert.equal(checked.json.number, made.number);
      assert.equal(checked.json.sha256, made.sha256);
      assert.equal(checked.json.state, 'valid');
      assert.ok(!checked.text.includes(student.account) && !checked.text.includes(student.name));
    }
    const wrong = made.code.replace(/^./, (c) => (c === '2' ? '3' : '2'));
    for (const code of [wrong, made.number, 'x', '%25', 'A'.repeat(2000)]) {
      const answer = await world.server.request('GET', `/api/verify/${code}`);
      assert.ok([404, 414, 431].includes(answer.status), `${code}: ${answer.status}`);
    }
  });

  test('a paper that was revoked says so, and is not handed out again', async () => {
    const student = await world.as('student');
    const made = (await make(student)).json;
    const path = `/api/papers/${made.number}/revocation`;
    isProblem(await student.post(path, { reason: '误发' }), 403);
    const office = await world.as('academic_office');
    isProblem(await office.sign(path, { reason: ' ' }), 422);
    assert.equal(isProblem(await office.post(path, { reason: '误发' }), 403).type, 'identity.signature_missing', 'it is signed each time');
    isProblem(await office.sign('/api/papers/D2026-999999/revocation', { reason: '误发' }), 404);
    const revoked = await office.sign(path, { reason: '误发' });
    assert.equal(revoked.status, 200, revoked.text);
    const proof = await office.get(`/api/audit/proof?leaf=${encodeURIComponent(revoked.json.record)}`);
    assert.deepEqual(JSON.parse(proof.json.entry.parameters ?? '{}'), { paper: made.number, reason: '误发' });
    assert.equal((await world.server.request('GET', `/api/verify/${made.code}`)).json.state, 'revoked');
    const [notice] = await student.rows({ dataset: 'notice', fields: ['about', 'text_zh', 'text_en', 'seen'], limit: 1 });
    assert.equal(notice[0], `paper:${made.number}`);
    assert.ok(notice[1].includes(made.number) && notice[1].includes('误发') && notice[2].includes('was revoked') && notice[3] === null, 'its holder is told');
    assert.equal(isProblem(await student.get(made.link), 409).type, 'paper.revoked');
    assert.equal(isProblem(await office.sign(path, { reason: '误发' }), 409).type, 'paper.revoked');
    assert.equal((await make(student)).status, 200, 'another one is another paper');
  });

  test('§1.3.1.b §3.1.4.d an export leaves evidence, and the person asked about sees it', async () => {
    const adviser = await world.as('class_adviser');
    const [[number]] = await adviser.rows({ dataset: 'student', fields: ['number'], where: { field: 'number', op: 'in', value: world.accountsOf('student').map((each) => each.account) }, limit: 1 });
    const made = (await make(adviser, { query: { dataset: 'grade', where: { field: 'student', op: 'eq', value: number } }, purpose: 'teaching_administration' })).json;
    const proof = await adviser.get(`/api/audit/proof?leaf=${encodeURIComponent(made.record)}`);
    assert.equal((await checkProof(proof.json)).seen, 'whole');
    assert.equal(proof.json.entry.kind, 'export');
    const nth = world.accountsOf('student').findIndex((each) => each.account === number);
    const student = await world.as('student', nth);
    const log = await student.rows({ dataset: 'access_log', fields: ['leaf', 'dataset', 'action', 'basis'], limit: 5 });
    const line = log.find(([leaf]) => leaf === Number(made.record.split('/').at(-1)));
    assert.deepEqual(line?.slice(1, 3), ['grade', 'export']);
    // Every download, not the first alone.
    const exports = async () => (await student.rows({ dataset: 'access_log', fields: ['leaf'], where: { field: 'action', op: 'eq', value: 'export' }, limit: 100 })).length;
    for (let before = await exports(), times = 1; times <= 2; times += 1) {
      assert.equal((await adviser.get(made.link)).status, 200);
      assert.equal(await exports(), before + times);
    }
  });

  test('who is told of by a statistic can see that', async () => {
    const adviser = await world.as('class_adviser');
    const [[number]] = await adviser.rows({ dataset: 'student', fields: ['number'], where: { field: 'number', op: 'in', value: world.accountsOf('student').map((each) => each.account) }, limit: 1 });
    const student = await world.as('student', world.accountsOf('student').findIndex((each) => each.account === number));
    const told = async () => (await student.rows({ dataset: 'access_log', fields: ['leaf'], where: { field: 'action', op: 'eq', value: 'statistics' }, limit: 1000 })).length;
    const about = { field: 'student', op: 'eq', value: number };
    const asked = [
      { dataset: 'grade', group: ['student'], measures: [{ fn: 'avg', field: 'score' }] },
      { dataset: 'grade', group: ['student_name'], measures: [{ fn: 'count' }] },
      { dataset: 'student', group: ['number', 'name'], measures: [{ fn: 'count' }] },
      { dataset: 'grade', where: about, measures: [{ fn: 'min', field: 'score' }] },
      { dataset: 'grade', where: about, measures: [{ fn: 'max', field: 'score' }, { fn: 'median', field: 'score' }] },
    ];
    for (const query of asked) {
      const before = await told();
      await adviser.rows(query);
      assert.equal(await told(), before + 1, JSON.stringify(query));
    }
    const before = await told();
    await (await world.as('academic_office')).rows({ dataset: 'grade', measures: [{ fn: 'avg', field: 'score' }] });
    assert.equal(await told(), before, 'a number about all tells of nobody');
  });

  test('§2.3.2.a a file made in time is not fetched after the period', async () => {
    const graduate = await world.enter('graduate');
    const made = (await make(graduate)).json;
    assert.equal((await graduate.get(made.link)).status, 200);
    await at(world, Date.now() + 2 * 365 * 86_400_000);
    const refused = isProblem(await graduate.query({ dataset: 'grade' }), 403);
    assert.ok(isText(refused.detail));
    isProblem(await graduate.get(made.link), 403);
  });

  test('whether a file has expired is asked at each download', async () => {
    const made = (await make(await world.enter('student'))).json;
    const expires = Date.parse((await world.server.request('GET', `/api/verify/${made.code}`)).json.expires);
    assert.ok(expires > Date.now());
    await at(world, expires - 60_000);
    const student = await world.enter('student');
    assert.equal((await student.get(made.link)).status, 200);
    await at(world, expires);
    assert.equal((await world.server.request('GET', `/api/verify/${made.code}`)).json.state, 'expired');
    assert.equal(isProblem(await student.get(made.link), 409).type, 'paper.expired');
  });
}, { options: async (world) => {
  world.clock = await clockFile(`clock_documents_${world.kind}`, new Date().toISOString());
  return ['--clock', world.clock];
} });
