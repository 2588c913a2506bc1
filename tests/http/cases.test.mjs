// The access lifecycle (§2.4, §2.5) through the real server: refused, applied for, signed, decided, granted, used, over.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isProblem } from './checks.mjs';
import { clockFile, forEachStore, pause, setClock, sqlOutside, temporary } from './support.mjs';

const start = '2026-11-24T09:00:00+08:00'; // a Tuesday

const evaluation = {
  dataset: 'evaluation', rows: 'taught', clear: ['student', 'student_name', 'school_year'], masked: ['total'], actions: ['query', 'detail'],
  purpose: 'teaching_administration', reason: '学业指导，了解任课学生的综合测评', from: '2026-11-24', until: '2027-01-31', minors: false, holder: 'self',
};
const ask = { dataset: 'evaluation', purpose: 'teaching_administration', limit: 5 };

async function must(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, `${got.status} ${got.text}`);
  return got.json;
}

// Everybody of the chain for a teacher whose college has a head among the sign-ins.
async function people(world) {
  const heads = await Promise.all([0, 1, 2].map((n) => world.as('department_head', n)));
  const unitOf = async (one) => (await one.rows({ dataset: 'staff', fields: ['unit'], limit: 1 }))[0][0];
  const units = await Promise.all(heads.map(unitOf));
  for (let n = 0; n < 4; n += 1) {
    const teacher = await world.as('teacher', n);
    const at = units.indexOf(await unitOf(teacher));
    if (at >= 0) {
      return {
        teacher, head: heads[at], other_head: heads[(at + 1) % 3], office: await world.as('academic_office', 0), second: await world.as('academic_office', 1),
        student: await world.as('student', 0), colleague: await world.as('teacher', (n + 1) % 4), unit: units[at],
      };
    }
  }
  throw new Error('no teacher of a college whose head signs in');
}

// The first morning again, and nothing granted to the teacher.
async function fresh(world) {
  await at(start);
  const who = await people(world);
  const standing = await who.office.rows({ dataset: 'access_grant', fields: ['number'], where: { all: [{ field: 'holder', op: 'eq', value: who.teacher.account }, { field: 'revoked', op: 'is_null', value: true }] } });
  const grants = standing.map((row) => row[0]);
  const offers = await who.office.rows({ dataset: 'deputy', fields: ['number'], where: { field: 'ended', op: 'is_null', value: true }, limit: 100 });
  for (const [number] of offers) await who.head.sign(`/api/deputies/${number}/end`, {});
  if (grants.length) await must(who.office.post('/api/cases', sign(who.office, { kind: 'revocation', action: 'revoke', content: { grants, reason: '重新开始' } })));
  return who;
}

const fieldOf = (file, name) => file.fields.find((field) => field.name === name);
const sign = (person, further = {}) => ({ password: person.password, ...further });
const step = (person, number, action, body = {}) => person.post(`/api/cases/${number}/${action}`, body);

async function submitted(who, content = {}, further = {}) {
  const draft = await must(who.teacher.post('/api/cases', { kind: 'access', action: 'draft', content: { ...evaluation, ...content } }));
  return must(step(who.teacher, draft.number, 'submit', sign(who.teacher, { undertaking: 1, ...further })));
}

async function granted(who, content = {}) {
  const { number } = await submitted(who, content);
  await must(step(who.head, number, 'sign', sign(who.head)));
  await must(step(who.office, number, 'approve', sign(who.office)));
  return must(step(who.second, number, 'approve', sign(who.second)));
}

// The number of an offer to stand in for the head.
async function offered(who, deputy, further = {}) {
  const body = { deputy, post: 'department_head', unit: who.unit, begins: '2026-11-24', ends: '2026-11-25', reason: '出差', password: who.head.password };
  await must(who.head.post('/api/deputies', { ...body, ...further }));
  return (await who.head.rows({ dataset: 'deputy', fields: ['number'], order: [{ field: 'number', desc: true }], limit: 1 }))[0][0];
}

// What the public page says of a paper: its code is read from the paper itself.
async function verify(world, pdf) {
  const file = await temporary('letter.pdf');
  await writeFile(file, pdf);
  const text = await promisify(execFile)('pdftotext', ['-layout', file, '-']);
  const code = /验证码\s*([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})/.exec(text.stdout)[1];
  return must(world.server.request('GET', `/api/verify/${code}`));
}

let clock;
const at = (instant) => setClock(clock, instant);
async function until(what, seconds = 20) {
  for (let tries = 0; tries < seconds * 4; tries += 1) {
    const found = await what();
    if (found) return found;
    await pause(250);
  }
  throw new Error('waited in vain');
}

forEachStore('the access lifecycle', (world) => {
  test('§2.2.1.c §2.4.1.a §2.4.1.b §2.4.2.a §2.4.2.c §2.4.2.d §2.4.3.a §2.4.3.b refused, applied for, signed, decided twice, granted: the same query answers and names the grant', async () => {
    const who = await fresh(world);
    const refused = await who.teacher.query(ask);
    assert.equal(refused.status, 403);
    assert.equal(refused.json.remedy.clause, '2.4.1');
    assert.equal(refused.json.remedy.kind ?? refused.json.remedy.case, 'access');

    const preview = await must(who.teacher.post('/api/access/preview', { content: evaluation }));
    assert.match(preview.words.sentence.zh, /本人任课的学生的综合测评/);
    assert.match(preview.words.sentence.zh, /未满十八周岁/);
    assert.equal(preview.words.strict, true);
    assert.deepEqual(preview.words.problems, []);

    const draft = await must(who.teacher.post('/api/cases', { kind: 'access', action: 'draft', content: { dataset: 'evaluation' } }));
    assert.equal(draft.state.name, 'draft');
    assert.ok(draft.words.problems.length > 3);
    const incomplete = await step(who.teacher, draft.number, 'submit', sign(who.teacher));
    assert.equal(incomplete.status, 422);
    assert.ok(incomplete.json.fields.some((each) => each.field === 'content.reason'));
    await must(step(who.teacher, draft.number, 'save', { content: evaluation }));
    const unsigned = await step(await world.enter('teacher', world.accountsOf('teacher').findIndex((each) => each.account === who.teacher.account)), draft.number, 'submit', { undertaking: 1 });
    assert.equal(unsigned.status, 403, unsigned.text);
    assert.match(unsigned.json.type, /case\.signature_missing$/);
    const wrong = await step(who.teacher, draft.number, 'submit', { undertaking: 1, password: 'Wrong-pass-1' });
    assert.equal(wrong.status, 403);
    const no_undertaking = await step(who.teacher, draft.number, 'submit', sign(who.teacher));
    assert.equal(no_undertaking.status, 422);
    let file = await must(step(who.teacher, draft.number, 'submit', sign(who.teacher, { undertaking: 1 })));
    assert.equal(file.state.name, 'signing');
    assert.equal(file.due.days, 3);
    const number = file.number;

    for (const stranger of [who.student, who.colleague, who.other_head]) {
      assert.equal((await stranger.get(`/api/cases/${number}`)).status, 404);
      assert.equal((await step(stranger, number, 'sign', sign(stranger))).status, 404);
    }
    assert.equal((await step(who.teacher, number, 'sign', sign(who.teacher))).status, 403, 'the applicant signs nothing for the head');
    assert.equal((await step(who.office, number, 'approve', sign(who.office))).status, 409, 'not there yet');
    const seen = await must(who.teacher.get(`/api/cases/${number}`));
    const why = seen.actions.find((each) => each.action === 'sign');
    assert.equal(why.allowed, false);
    assert.match(why.why.zh, /负责人办理/);

    file = await must(step(who.head, number, 'sign', sign(who.head, { opinion: '情况属实' })));
    assert.equal(file.state.name, 'deciding');
    assert.equal(file.due.last, '2026-12-01');
    const effect = await must(who.office.get(`/api/access/${number}/effect`));
    assert.ok(JSON.stringify(effect).includes('evaluation'));
    assert.equal((await who.teacher.get(`/api/access/${number}/effect`)).status, 403);

    const wider = await step(who.office, number, 'approve', sign(who.office, { granted: { clear: ['student', 'total'], masked: [] } }));
    assert.equal(wider.status, 422);
    assert.equal(wider.json.fields[0].field, 'granted.clear');
    file = await must(step(who.office, number, 'approve', sign(who.office, { granted: { clear: ['student', 'student_name'], until: '2026-12-31' } })));
    assert.equal(file.state.name, 'seconding');
    assert.equal((await step(who.office, number, 'approve', sign(who.office))).status, 403, 'never the same person twice');
    assert.equal((await who.teacher.query(ask)).status, 403, 'not before the second decision');
    file = await must(step(who.second, number, 'approve', sign(who.second, { opinion: '同意' })));
    assert.equal(file.state.name, 'granted');
    assert.equal(file.words.grant.number, number);

    const answer = await must(who.teacher.query(ask));
    assert.ok(answer.rows.length > 0);
    assert.ok(answer.scope.basis.some((each) => each.grant === number), JSON.stringify(answer.scope));
    const names = answer.columns.map((each) => each.name);
    assert.ok(names.includes('total') && names.includes('student_name'));
    assert.equal((await who.teacher.query({ ...ask, fields: ['moral'] })).status, 403);
    assert.equal((await who.teacher.query({ ...ask, fields: ['school_year'] })).status, 403, 'narrowed away');
    assert.equal((await who.colleague.query(ask)).status, 403, 'nobody else');

    const letter = await who.teacher.get(`/api/cases/${number}/letter`);
    assert.equal(letter.status, 200);
    assert.equal(letter.bytes.subarray(0, 5).toString(), '%PDF-');
    assert.equal((await who.student.get(`/api/cases/${number}/letter`)).status, 404);
    assert.ok((await must(who.head.get(`/api/cases/${number}`))).letters[0].read, 'when the reply was read');
    const verified = await verify(world, letter.bytes);
    assert.equal(verified.kind, 'letter');
    assert.equal(verified.state, 'valid');
    assert.equal(verified.sha256, createHash('sha256').update(letter.bytes).digest('hex'));
    assert.match(verified.number, /^教查〔2026〕\d+号$/);
    const altered = Buffer.from(letter.bytes);
    altered[altered.length >> 1] ^= 1;
    assert.notEqual(verified.sha256, createHash('sha256').update(altered).digest('hex'), 'an altered letter has another digest');
    await until(async () => (await who.teacher.rows({ dataset: 'access_grant', fields: ['number', 'uses'] })).some((row) => row[0] === number && row[1] > 0));
    const form = await who.head.get(`/api/cases/${number}/form`);
    assert.equal(form.bytes.subarray(0, 5).toString(), '%PDF-');

    // At the end of the last day it stops by itself, and becomes a line in the lists.
    await at('2026-12-31T23:59:59+08:00');
    assert.equal((await who.teacher.query(ask)).status, 200);
    await at('2027-01-01T00:00:00+08:00');
    const over = await who.teacher.query(ask);
    assert.equal(over.status, 403);
    assert.match(over.json.detail.zh ?? JSON.stringify(over.json), new RegExp(number));
    const listed = await until(async () => {
      const rows = await who.teacher.rows({ dataset: 'access_grant', fields: ['number', 'state'] });
      return rows.find((row) => row[0] === number && JSON.stringify(row).includes('expired'));
    });
    assert.ok(listed);
    await at(start);
  });

  test('two deciders at once: one decision, one grant, one letter', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who, { clear: ['student', 'school_year'], masked: [], dataset: 'evaluation' });
    await must(step(who.head, number, 'sign', sign(who.head)));
    const file = await must(who.office.get(`/api/cases/${number}`));
    assert.equal(file.words.strict, false, 'only level 2');
    const both = await Promise.all([who.office, who.second].flatMap((one) => [1, 2].map(() => step(one, number, 'approve', sign(one, { revision: file.revision })))));
    assert.deepEqual(both.map((each) => each.status).sort(), [200, 409, 409, 409]);
    const after = await must(who.office.get(`/api/cases/${number}`));
    assert.equal(after.letters.length, 1);
    assert.equal(after.steps.filter((each) => each.action === 'approve').length, 1);
  });

  test('§2.4.2.c a refusal says why, in a letter that can be checked; a forged code cannot', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who);
    await must(step(who.head, number, 'sign', sign(who.head)));
    assert.equal((await step(who.office, number, 'refuse', sign(who.office))).status, 422, 'a reason is required');
    const file = await must(step(who.office, number, 'refuse', sign(who.office, { opinion: '用途与教学无关' })));
    assert.equal(file.state.name, 'refused');
    assert.equal(file.letters.length, 1);
    const letter = await who.teacher.get(`/api/cases/${number}/letter`);
    const said = await verify(world, letter.bytes);
    assert.equal(said.title, '关于查询权限申请的答复');
    assert.match(said.number, /^教查〔\d{4}〕\d+号$/);
    await must(who.office.sign(`/api/papers/${encodeURIComponent(said.number)}/revocation`, { reason: '误发' }));
    assert.equal((await verify(world, letter.bytes)).state, 'revoked');
    isProblem(await who.teacher.get(`/api/cases/${number}/letter`), 409);
    assert.equal((await must(who.teacher.get(`/api/cases/${number}`))).letters[0].revoked, true);
    assert.equal((await world.server.request('GET', '/api/verify/0000000000000000')).status, 404);
    assert.equal((await who.teacher.query(ask)).status, 403);
  });

  test('§2.4.2.b deadlines in working days: reminded, escalated, never approved by silence', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who);
    await must(step(who.head, number, 'sign', sign(who.head)));
    await at('2026-11-28T00:01:00+08:00');
    await until(async () => (await must(who.office.get(`/api/cases/${number}`))).due.lateness === 'due_soon');
    await at('2026-12-01T23:59:00+08:00');
    assert.equal((await must(who.office.get(`/api/cases/${number}`))).due.lateness, 'due_soon');
    await at('2026-12-02T00:00:01+08:00');
    const late = await until(async () => {
      const file = await must(who.office.get(`/api/cases/${number}`));
      return file.due.lateness === 'late' && file;
    });
    assert.equal(late.state.name, 'deciding');
    assert.deepEqual(late.steps.map((each) => each.action), ['draft', 'submit', 'sign', 'remind', 'late']);
    assert.ok((await who.office.rows({ dataset: 'notice', fields: ['about', 'text_zh'] })).some(([about, text]) => about === `case:${number}` && /超过办理期限/.test(text)));
    await at('2027-03-01T09:00:00+08:00');
    await pause(2500);
    assert.equal((await must(who.office.get(`/api/cases/${number}`))).state.name, 'deciding');
    await at(start);
    await must(step(who.teacher, number, 'withdraw'));
  });

  test('§2.4.2.b a window of the school moves the deadlines under way, and back when it is withdrawn', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who);
    await must(step(who.head, number, 'sign', sign(who.head)));
    const last = async () => (await must(who.office.get(`/api/cases/${number}`))).due.last;
    assert.equal(await last(), '2026-12-01');
    const { changed } = await must(who.office.sign('/api/calendar/windows', { begins: '2026-11-26', ends: '2026-11-27', reason: { zh: '运动会', en: 'sports days' } }));
    await until(async () => (await last()) === '2026-12-03');
    await must(who.office.sign(`/api/calendar/windows/${changed.to}/withdrawal`, { reason: '改期' }));
    await until(async () => (await last()) === '2026-12-01');
    await must(step(who.teacher, number, 'withdraw'));
  });

  test('§2.5.2.a a department ends a grant: the next statement is refused', async () => {
    const who = await fresh(world);
    const { number } = await granted(who);
    assert.equal((await who.teacher.query(ask)).status, 200);
    const strangers = await who.other_head.post('/api/cases', sign(who.other_head, { kind: 'revocation', action: 'revoke', content: { grants: [number], reason: '不再任课' } }));
    assert.equal(strangers.status, 404);
    assert.equal((await who.teacher.post('/api/cases', sign(who.teacher, { kind: 'revocation', action: 'revoke', content: { grants: [number], reason: '不再任课' } }))).status, 403);
    const done = await must(who.head.post('/api/cases', sign(who.head, { kind: 'revocation', action: 'revoke', content: { grants: [number], reason: '不再任课' } })));
    assert.equal(done.state.name, 'done');
    assert.equal((await who.teacher.query(ask)).status, 403);
    const again = await who.head.post('/api/cases', sign(who.head, { kind: 'revocation', action: 'revoke', content: { grants: [number], reason: '不再任课' } }));
    assert.equal(again.status, 409);
  });

  test('§2.5.1.a renewal leaves no gap; the holder may give up what is no longer needed', async () => {
    const who = await fresh(world);
    const { number } = await granted(who, { until: '2026-12-10' });
    const renewal = await must(who.teacher.post('/api/cases', sign(who.teacher, { kind: 'renewal', action: 'submit', undertaking: 1, content: { grant: number, until: '2027-01-15', reason: '学期未结束，继续使用' } })));
    assert.equal(renewal.content, undefined, 'it is written');
    assert.equal(fieldOf(renewal, 'from').value, '2026-12-11');
    await must(step(who.head, renewal.number, 'sign', sign(who.head)));
    await must(step(who.office, renewal.number, 'approve', sign(who.office)));
    await must(step(who.second, renewal.number, 'approve', sign(who.second)));
    for (const [instant, grant] of [['2026-12-10T23:59:59+08:00', number], ['2026-12-11T00:00:00+08:00', renewal.number], ['2027-01-15T23:59:59+08:00', renewal.number]]) {
      await at(instant);
      const answer = await must(who.teacher.query(ask));
      assert.ok(answer.scope.basis.some((each) => each.grant === grant), instant);
    }
    await at('2027-01-16T00:00:00+08:00');
    assert.equal((await who.teacher.query(ask)).status, 403);
    await at('2026-12-20T09:00:00+08:00');
    const change = await must(who.teacher.post('/api/cases', sign(who.teacher, { kind: 'change', action: 'submit', content: { grants: [renewal.number], reason: '不再承担该课程' } })));
    await must(step(who.teacher, change.number, 'give_up'));
    assert.equal((await who.teacher.query(ask)).status, 403);
    await at(start);
  });

  test('§2.5.1.a who leaves the unit has the grant no more, at once; a change case opens by itself', async () => {
    const who = await fresh(world);
    const { number } = await granted(who);
    assert.equal((await who.teacher.query(ask)).status, 200);
    const me = who.teacher.account;
    // As the personnel office's import would write it: another unit, and the gate raised.
    await sqlOutside(world.db, `UPDATE staff SET unit = (SELECT id FROM unit WHERE code = 'tsg') WHERE number = '${me}'`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    assert.equal((await who.teacher.query(ask)).status, 403, 'the next statement');
    const opened = await until(async () => {
      const rows = await who.office.rows({ dataset: 'case', fields: ['number', 'kind', 'state'], where: { field: 'kind', op: 'eq', value: 'change' }, order: [{ field: 'opened', desc: true }] });
      return rows.find((row) => JSON.stringify(row).includes('signing'));
    });
    const file = await must(who.office.get(`/api/cases/${opened[0]}`));
    assert.ok(fieldOf(file, 'grants').value.includes(number));
    const told = (await who.head.rows({ dataset: 'notice', fields: ['about'], limit: 50 })).flat();
    assert.ok(told.includes(`case:${file.number}`), 'whose turn it is has been told');
    // The head says that it is still needed, the office keeps it: it goes on, bound to the new unit.
    await must(step(who.head, file.number, 'sign', sign(who.head, { opinion: '借调期间仍需使用' })));
    const kept = await must(step(who.office, file.number, 'keep', sign(who.office)));
    assert.equal(kept.steps.at(-1).changed.unit, 'tsg');
    const reply = await verify(world, (await who.office.get(`/api/cases/${file.number}/letter`)).bytes);
    assert.deepEqual([reply.title, reply.state], ['关于查询权限变更的答复', 'valid']);
    assert.equal((await who.teacher.query(ask)).status, 200);
    await sqlOutside(world.db, `UPDATE staff SET unit = (SELECT id FROM unit WHERE code = '${who.unit}') WHERE number = '${me}'`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    assert.equal((await who.teacher.query(ask)).status, 403, 'and again when the unit changes again');
    const second = await until(async () => (await who.office.rows({ dataset: 'case', fields: ['number'], where: { all: [{ field: 'kind', op: 'eq', value: 'change' }, { field: 'state', op: 'eq', value: 'signing' }] } }))[0]);
    const again = await must(who.office.get(`/api/cases/${second[0]}`));
    assert.deepEqual(fieldOf(again, 'grants').value, [number]);
    await must(step(who.teacher, again.number, 'give_up'));
    assert.equal((await who.teacher.query(ask)).status, 403, 'ended for good');
  });

  test('§2.5.2.b each term the head is asked about every standing grant: silence ends it; unused ones lapse', async () => {
    const who = await fresh(world);
    const { number } = await granted(who, { until: '2027-05-20' });
    const idle = await granted(who, { dataset: 'warning', until: '2027-05-20', clear: ['student'], masked: ['kind'] });
    await sqlOutside(world.db, "INSERT INTO term (id, code, school_year, season, begins, ends, batch_id, since_us) SELECT 9999, '2026-2027-2', '2026-2027', '2', '2027-02-22', '2027-07-11', batch_id, since_us FROM term LIMIT 1");
    await at('2027-02-20T09:00:00+08:00');
    assert.equal((await who.teacher.query({ ...ask, fields: ['student_name'] })).status, 200);
    await until(async () => (await who.teacher.rows({ dataset: 'access_grant', fields: ['number', 'uses'] })).some((row) => row[0] === number && row[1] > 0));
    const [own] = [`X-${who.head.account}`];
    await sqlOutside(world.db, `INSERT INTO access_grant (id, number, effect, account, unit, dataset, content, valid_from, valid_until, source, made, title, holder, holder_name, person_id, holder_unit, state, last_used) SELECT 8001, '${own}', 'permit', a.id, '${who.unit}', 'evaluation', '{"rows":"all","clear":["student"],"actions":["query"],"purposes":["study"]}', 0, 9000000000000000, '2.4.2', 0, '测评', a.login, a.display_name, a.person_id, u.id, 'valid', ${Date.parse('2027-02-20T09:00:00+08:00') * 1000} FROM account a, unit u WHERE a.login = '${who.head.account}' AND u.code = '${who.unit}'`);
    await at('2027-02-22T09:00:00+08:00');
    const campaign = await until(async () => (await who.head.rows({ dataset: 'case', fields: ['number'], where: { all: [{ field: 'kind', op: 'eq', value: 'confirmation' }, { field: 'state', op: 'eq', value: 'confirming' }] } }))[0]);
    const file = await must(who.head.get(`/api/cases/${campaign[0]}`));
    assert.ok(file.words.grants.some((each) => each.number === number));
    assert.equal(file.due.days, 10);
    // The head's own grant is for the head above; put before this one all the same, it is not theirs to keep.
    assert.ok(!file.words.grants.some((each) => each.number === own));
    const asked = async () => (await Promise.all((await who.office.rows({ dataset: 'case', fields: ['number'], where: { field: 'kind', op: 'eq', value: 'confirmation' }, limit: 50 })).map(([one]) => must(who.office.get(`/api/cases/${one}`))))).flatMap((one) => one.words.grants.map((each) => each.number));
    assert.ok(await until(async () => (await asked()).includes(own)));
    const grants = file.words.grants.map((each) => each.number);
    const put = (some) => sqlOutside(world.db, `UPDATE "case" SET content = '${JSON.stringify({ grants: some, term: '2026-2027-2' })}' WHERE number = '${file.number}'`);
    await put([...grants, own]);
    assert.equal(isProblem(await step(who.head, file.number, 'confirm', sign(who.head, { keep: [...grants, own], end: [] })), 403).type, 'access.own_grant');
    await put(grants);
    assert.equal((await step(who.head, file.number, 'confirm', sign(who.head, { keep: [], end: [] }))).status, 422, 'each grant is answered');
    await at(`${new Date(Date.parse(file.due.at) + 60_000).toISOString()}`);
    await until(async () => (await must(who.head.get(`/api/cases/${file.number}`))).state.name === 'done');
    assert.equal((await who.teacher.query(ask)).status, 403);
    const rows = await who.teacher.rows({ dataset: 'access_grant', fields: ['number', 'end_reason'] });
    assert.match(rows.find((row) => row[0] === number)[1], /未确认/);
    assert.match(rows.find((row) => row[0] === idle.number)[1], /未使用/);
  });

  test('what waits for me is known to the server: by the tables of kinds, the posts held and stood in for, and the clock', async () => {
    const who = await fresh(world);
    const waiting = async (one) => (await one.rows({ dataset: 'case', fields: ['number'], where: { is: 'waits_for_me' }, limit: 200 })).map((row) => row[0]);
    const holders = async (number) => {
      const names = ['teacher', 'head', 'other_head', 'office', 'second', 'colleague'];
      const found = await Promise.all(names.map((name) => waiting(who[name])));
      return names.filter((_, at) => found[at].includes(number));
    };
    const draft = await must(who.teacher.post('/api/cases', { kind: 'access', action: 'draft', content: evaluation }));
    assert.deepEqual(await holders(draft.number), ['teacher']);
    const sent = await must(step(who.teacher, draft.number, 'submit', sign(who.teacher, { undertaking: 1 })));
    assert.deepEqual(await holders(draft.number), ['head']);
    assert.deepEqual((await waiting(who.head)).length, (await who.head.rows({ dataset: 'case', fields: ['number'], where: { not: { not: { is: 'waits_for_me' } } }, limit: 200 })).length);
    const offer = await offered(who, who.colleague.account, { ends: '2026-11-24' });
    assert.deepEqual(await holders(draft.number), ['head'], 'not before it is accepted');
    await must(who.colleague.sign(`/api/deputies/${offer}/accept`, {}));
    assert.deepEqual(await holders(draft.number), ['head', 'colleague']);
    await at('2026-11-25T09:00:00+08:00');
    assert.deepEqual(await holders(draft.number), ['head']);
    await at(start);
    const signed = await must(step(who.head, draft.number, 'sign', sign(who.head)));
    assert.deepEqual(await holders(draft.number), ['office', 'second']);
    isProblem(await who.head.query({ dataset: 'case', where: { is: 'none_such' } }), 422);
    isProblem(await who.head.query({ dataset: 'deputy', where: { is: 'waits_for_me' } }), 422);

    // What a step and a state look like, and what a step takes, comes with them.
    assert.deepEqual([sent.state.tone, sent.may_attach, sent.printable], ['plain', true, true]);
    assert.deepEqual(signed.steps.map((each) => each.tone), ['plain', 'good', 'good']);
    const actions = Object.fromEntries((await must(who.office.get(`/api/cases/${draft.number}`))).actions.map((each) => [each.action, each]));
    assert.deepEqual([actions.approve.tone, actions.approve.takes, actions.refuse.tone, actions.send_back.tone], ['good', ['granted', 'minors_approved'], 'bad', 'back']);
    assert.deepEqual([actions.withdraw.once, actions.approve.once, actions.approve.in_form], [true, false, false]);
    await must(step(who.teacher, draft.number, 'withdraw'));
  });

  test('§2.4.2.a a deputy signs while the head is away, having accepted, and not a day longer; never for oneself', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who);
    const offer = await offered(who, who.colleague.account);
    assert.equal((await who.colleague.get(`/api/cases/${number}`)).status, 404, 'an offer opens nothing');
    assert.equal((await who.teacher.sign(`/api/deputies/${offer}/accept`, {})).status, 404, 'nobody else accepts it');
    await must(who.colleague.sign(`/api/deputies/${offer}/accept`, {}));
    assert.equal(isProblem(await who.colleague.post(`/api/deputies/${offer}/decline`, {}), 404).type, 'case.deputy_unknown', 'answered once');
    const on = { post: 'department_head', unit: who.unit, begins: '2026-11-24', ends: '2026-11-25', reason: '转托', password: who.colleague.password };
    assert.equal(isProblem(await who.colleague.post('/api/deputies', { deputy: who.head.account, ...on }), 403).type, 'case.deputy_not_yours');
    const seen = await must(who.colleague.get(`/api/cases/${number}`));
    assert.equal(seen.actions.find((each) => each.action === 'sign').allowed, true);
    const file = await must(step(who.colleague, number, 'sign', sign(who.colleague)));
    assert.equal(file.steps.at(-1).by.for, who.head.name);
    await must(step(who.teacher, number, 'withdraw'));
    await at('2026-11-26T00:00:00+08:00');
    const later = await submitted(who, { from: '2026-11-26' });
    assert.equal((await who.colleague.get(`/api/cases/${later.number}`)).status, 404);
    await at(start);
  });

  test('§2.4.2.a an appointment is signed, for posts that sign or decide, and tells nothing of accounts', async () => {
    const who = await fresh(world);
    const body = { deputy: who.colleague.account, post: 'department_head', unit: who.unit, begins: '2026-11-24', ends: '2026-11-25', reason: '出差' };
    const unsigned = await world.enter('department_head', 2);
    for (const [path, given] of [['/api/deputies', body], ['/api/deputies/1/accept', {}], ['/api/deputies/1/end', {}]])
      assert.equal(isProblem(await unsigned.post(path, given), 403).type, 'identity.signature_missing', path);
    for (const [person, post] of [[who.teacher, 'teacher'], [who.teacher, 'staff'], [who.student, 'student'], [await world.as('security_admin'), 'security_admin']])
      assert.equal(isProblem(await person.post('/api/deputies', { ...body, post, password: person.password }), 403).type, 'case.deputy_not_yours', post);
    // Unknown, a student's, an administrator's: answered and listed as one that could accept.
    const accounts = [who.colleague.account, 'no-such-account', who.student.account, world.accountsOf('audit_admin')[0].account];
    const answers = [];
    for (const deputy of accounts) {
      const { json } = await who.head.post('/api/deputies', { ...body, deputy, password: who.head.password });
      answers.push(Object.keys(json).join());
    }
    assert.deepEqual(answers, answers.map(() => 'record'));
    const rows = await who.head.rows({ dataset: 'deputy', fields: ['number', 'deputy', 'deputy_name', 'accepted', 'ended'], order: [{ field: 'number', desc: true }], limit: 4 });
    assert.deepEqual(rows.map(([, ...row]) => row), accounts.reverse().map((deputy) => [deputy, '', null, null]));
    const notices = async (person) => (await person.rows({ dataset: 'notice', fields: ['text_zh'], limit: 50 })).filter(([text]) => text.includes('请您代理')).length;
    assert.deepEqual([await notices(who.student), await notices(await world.as('audit_admin'))], [0, 0]);
    for (const person of [who.student, await world.as('audit_admin')])
      for (const [number] of rows) assert.equal((await person.sign(`/api/deputies/${number}/accept`, {})).status, 404);
    // So many open offers and no more; declined or ended ones make room.
    await must(who.head.post('/api/deputies', { ...body, password: who.head.password }));
    assert.equal(isProblem(await who.head.post('/api/deputies', { ...body, password: who.head.password }), 429).type, 'case.deputy_too_many');
    const asked = async (number) => (await who.colleague.rows({ dataset: 'notice', fields: ['seen'], where: { field: 'about', op: 'eq', value: `deputy:${number}` } })).map(([seen]) => seen === null);
    assert.deepEqual(await asked(rows[3][0]), [true]);
    await must(who.colleague.post(`/api/deputies/${rows[3][0]}/decline`, {}));
    assert.deepEqual(await asked(rows[3][0]), [false], 'what was asked has been answered');
    for (const [number] of rows.slice(0, 3)) await must(who.head.sign(`/api/deputies/${number}/end`, {}));
    await must(who.head.post('/api/deputies', { ...body, password: who.head.password }));
    const [[last]] = await who.head.rows({ dataset: 'deputy', fields: ['number'], order: [{ field: 'number', desc: true }], limit: 1 });
    assert.deepEqual(await asked(last), [true]);
    await must(who.head.sign(`/api/deputies/${last}/end`));
    assert.deepEqual(await asked(last), [false], 'an offer that is ended waits for nobody');
    await must(who.head.post('/api/deputies', { ...body, password: who.head.password }));
  });

  test('§2.5.1.a a deputy sees nothing any more once the principal holds the post no longer', async () => {
    const who = await fresh(world);
    const { number } = await submitted(who);
    const [open, other] = [await offered(who, who.colleague.account), await offered(who, who.colleague.account)];
    await must(who.colleague.sign(`/api/deputies/${open}/accept`, {}));
    await must(who.colleague.get(`/api/cases/${number}`));
    const holding = `UPDATE post_holding SET ends = $ WHERE post = 'department_head' AND staff = (SELECT id FROM staff WHERE number = '${who.head.account}')`;
    const leave = async (day) => {
      await sqlOutside(world.db, holding.replace('$', day));
      await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    };
    const [[was]] = await who.office.rows({ dataset: 'post_holding', fields: ['ends'], where: { all: [{ field: 'staff', op: 'eq', value: who.head.account }, { field: 'post', op: 'eq', value: 'department_head' }] } });
    await leave("'2026-11-23'");
    assert.equal((await who.colleague.get(`/api/cases/${number}`)).status, 404, 'at once');
    const answer = await who.colleague.sign(`/api/deputies/${other}/accept`, {});
    assert.ok(['case.deputy_lost', 'case.deputy_unknown'].includes(isProblem(answer, answer.status).type));
    await until(async () => (await who.office.rows({ dataset: 'deputy', fields: ['ended'], where: { field: 'number', op: 'eq', value: open } }))[0][0] !== null);
    await leave(was === null ? 'NULL' : `'${was}'`);
    assert.equal((await who.colleague.get(`/api/cases/${number}`)).status, 404, 'and it does not come back');
    await must(step(who.teacher, number, 'withdraw'));
  });

  test('§2.4.2.a a student’s application is for the head of the college, who shows again who that is', async () => {
    await at(start);
    const heads = await Promise.all([0, 1, 2].map((n) => world.enter('department_head', n)));
    const unitOf = async (one, dataset) => (await one.rows({ dataset, fields: ['unit'], limit: 1 }))[0][0];
    const units = await Promise.all(heads.map((head) => unitOf(head, 'staff')));
    let own = -1;
    let student;
    for (let n = 0; own < 0 && n < world.accountsOf('student').length; n += 1) {
      student = await world.as('student', n);
      own = units.indexOf(await unitOf(student, 'student'));
    }
    assert.ok(own >= 0, 'a student of a college whose head signs in');
    const content = { ...evaluation, rows: 'all', clear: ['student'], masked: [], actions: ['query'], purpose: 'study', reason: '课程设计需要' };
    const { number } = await must(student.post('/api/cases', { kind: 'access', action: 'draft', content }));
    await must(step(student, number, 'submit', sign(student)));
    for (const [n, head] of heads.entries()) {
      const other = units[n] !== units[own];
      assert.equal((await step(head, number, 'sign', {})).status, other ? 404 : 403, `${units[n]}: without a password`);
      if (other) assert.equal((await step(head, number, 'sign', sign(head))).status, 404, units[n]);
    }
    assert.equal((await step(heads[own], number, 'sign', { password: 'Wrong-pass-1' })).status, 403);
    assert.equal((await must(step(heads[own], number, 'sign', sign(heads[own])))).state.name, 'deciding');
    await must(step(student, number, 'withdraw'));
  });

  test('§2.4.1.a what is still being written is the writer’s alone', async () => {
    const who = await fresh(world);
    const { number } = await must(who.teacher.post('/api/cases', { kind: 'access', action: 'draft', content: evaluation }));
    for (const person of [who.office, who.head, who.student]) {
      assert.equal((await person.get(`/api/cases/${number}`)).status, 404);
      assert.deepEqual(await person.rows({ dataset: 'case', fields: ['number'], where: { field: 'number', op: 'eq', value: number } }), []);
    }
    await must(step(who.teacher, number, 'discard'));
    const [[title]] = await who.office.rows({ dataset: 'case', fields: ['title'], where: { field: 'number', op: 'eq', value: number } });
    assert.doesNotMatch(title, /综合测评/, 'and what was thrown away is nobody’s');
    const own = await must(who.office.post('/api/cases', { kind: 'access', action: 'draft', content: evaluation }));
    await must(who.office.get(`/api/cases/${own.number}`));
    await must(step(who.office, own.number, 'discard'));
  });

  test('§2.4.3.a a list of who was warned is examined strictly, whatever fields it shows', async () => {
    const { teacher } = await fresh(world);
    const strict = async (content) => (await must(teacher.post('/api/access/preview', { content: { ...evaluation, masked: [], ...content } }))).words;
    const bare = { rows: 'all', clear: ['number', 'name'], dataset: 'student' };
    assert.deepEqual([(await strict(bare)).level, (await strict(bare)).strict], [2, false]);
    for (const content of [{ dataset: 'warning', rows: 'all', clear: ['student', 'student_name'] }, { dataset: 'payment', rows: 'all', clear: ['student'] },
      { ...bare, rows: { field: 'id_number', op: 'starts', value: '64' } }, { ...bare, where: { not: { field: 'id_number', op: 'is_null', value: true } } }]) {
      const words = await strict(content);
      assert.ok(words.strict && words.level >= 3 && words.undertaking, JSON.stringify(content));
    }
    const draft = await must(teacher.post('/api/cases', { kind: 'access', action: 'draft', content: { ...evaluation, dataset: 'warning', masked: [], clear: ['student'] } }));
    assert.equal(isProblem(await step(teacher, draft.number, 'submit', sign(teacher)), 422).type, 'access.undertaking');
    await must(step(teacher, draft.number, 'discard'));
  });

  test('§4.3.2.a an administrator applies in vain, and nobody decides what they would hold', async () => {
    const who = await fresh(world);
    const admin = await world.as('security_admin');
    const mine = await must(admin.post('/api/cases', { kind: 'access', action: 'draft', content: { ...evaluation, rows: 'all' } }));
    assert.equal(isProblem(await step(admin, mine.number, 'submit', sign(admin, { undertaking: 1 })), 403).type, 'access.administrator');
    // For a post that those who decide hold themselves.
    const unit = (await who.office.rows({ dataset: 'staff', fields: ['unit'], where: { field: 'number', op: 'eq', value: who.office.account } }))[0][0];
    const content = { ...evaluation, rows: 'all', clear: ['student'], masked: [], holder: { post: 'academic_office', unit } };
    const { number } = await must(who.office.post('/api/cases', { kind: 'access', action: 'draft', content }));
    await must(step(who.office, number, 'submit', sign(who.office)));
    const file = await must(who.office.get(`/api/cases/${number}`));
    const heads = await Promise.all([0, 1, 2].map((n) => world.as('department_head', n)));
    let signed = false;
    for (const head of heads) signed ||= (await step(head, number, 'sign', sign(head))).status === 200;
    if (signed || file.state.name === 'deciding') assert.equal(isProblem(await step(who.second, number, 'approve', sign(who.second)), 403).type, 'case.own_favour');
    await must(step(who.office, number, 'withdraw'));
  });

  test('drafts of one person are bounded, and what is not yet complete is kept as it is', async () => {
    const who = await fresh(world);
    const statuses = [];
    for (let n = 0; n < 22; n += 1) statuses.push((await who.student.post('/api/cases', { kind: 'access', action: 'draft', content: { dataset: 'evaluation', reason: `第 ${n} 份` } })).status);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
    const drafts = await who.student.rows({ dataset: 'case', fields: ['number'], where: { field: 'state', op: 'eq', value: 'draft' }, limit: 50 });
    assert.equal(drafts.length, 20);
    await must(step(who.student, drafts[0][0], 'discard'));
    assert.equal((await who.student.post('/api/cases', { kind: 'access', action: 'draft', content: {} })).status, 200);
  });

  test('every step has its leaf, signed steps their signature', async () => {
    const who = await fresh(world);
    const { number, steps } = await submitted(who);
    assert.equal(steps.at(-1).signed, true);
    const shown = await must(who.teacher.get(`/api/cases/${number}`));
    assert.ok(shown.record.includes('/'));
    assert.ok(shown.signature_key.length > 40);
    await must(step(who.teacher, number, 'withdraw'));
  });
}, { options: async () => { clock = await clockFile('clock', start); return ['--clock', clock, '--every', 'record=1,cases=1,access=1']; } });
