// What stands behind an answer: proof, consistency, who read me (§1.3.1, §4.3.2), the explanation, and the description of the interface.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkCheckpoint, checkProof } from '../../kernel/record/proof_check.mjs';
import { isProblem, isText } from './checks.mjs';
import { codeOf, enrol, forEachStore, home } from './support.mjs';

const proofOf = (person, record) => person.get(`/api/audit/proof?leaf=${encodeURIComponent(record)}`);
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();

// RFC 9162 §2.1.4.2.
function isConsistent(from, to, fromRoot, toRoot, path) {
  if (from === to) return path.length === 0 && fromRoot.equals(toRoot);
  const nodes = path.map((hex) => Buffer.from(hex, 'hex'));
  if ((from & (from - 1)) === 0) nodes.unshift(fromRoot);
  let [fn, sn] = [from - 1, to - 1];
  while (fn & 1) [fn, sn] = [fn >> 1, sn >> 1];
  let [fr, sr] = [nodes[0], nodes[0]];
  for (const node of nodes.slice(1)) {
    if (sn === 0) return false;
    if ((fn & 1) || fn === sn) {
      [fr, sr] = [sha256(Buffer.of(1), node, fr), sha256(Buffer.of(1), node, sr)];
      while (!(fn & 1) && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else sr = sha256(Buffer.of(1), sr, node);
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  return sn === 0 && fr.equals(fromRoot) && sr.equals(toRoot);
}

forEachStore('evidence', (world) => {
  test('§6.1.1.a every answer and every refusal has a leaf that the browser’s own check accepts', async () => {
    const student = await world.as('student');
    const asked = [await student.query({ dataset: 'grade' }), await student.query({ dataset: 'staff' }), await student.query({ dataset: 'club' }), await student.query({ dataset: 'grade', fields: ['nope'] }),
      await student.get(`/api/datasets/student/${student.account}`), await student.get('/api/datasets/student/1'), await student.post('/api/query/explain', { dataset: 'grade' })];
    for (const answer of asked) {
      const proof = await proofOf(student, answer.json.record);
      assert.equal(proof.status, 200, answer.text);
      assert.equal((await checkProof(proof.json)).seen, 'whole');
      for (const [name, change] of [['leaf_hash', (v) => v.replace(/^./, (c) => (c === '0' ? '1' : '0'))], ['seq', (v) => v + 1], ['leaf', (v) => `B${v.slice(1)}`], ['body', (v) => `B${v.slice(1)}`]]) {
        if (proof.json[name] === change(proof.json[name])) continue;
        await assert.rejects(checkProof({ ...proof.json, [name]: change(proof.json[name]) }), name);
      }
    }
  });

  test('others may prove a leaf, and learn nothing of who asked what', async () => {
    const [student, other] = [await world.as('student', 0), await world.as('student', 1)];
    const { record } = (await student.query({ dataset: 'grade', where: { field: 'score', op: 'gt', value: 61.5 } })).json;
    const proof = await proofOf(other, record);
    assert.equal((await checkProof(proof.json)).seen, 'hash');
    for (const name of ['entry', 'leaf', 'body', 'salt']) assert.equal(proof.json[name], undefined);
    assert.ok(!proof.text.includes('61.5') && !proof.text.includes(student.account));
    isProblem(await world.server.request('GET', `/api/audit/proof?leaf=${encodeURIComponent(record)}`), 401);
    const origin = record.slice(0, record.lastIndexOf('/'));
    for (const leaf of ['', 'x', '1', `${origin}/`, `${origin}/-1`, `${origin}/999999999`, `${origin}/1e3`, `${origin}/18446744073709551616`, `other/1`, `${origin}/1/1`]) isProblem(await proofOf(student, leaf), 404);
  });

  test('the record of today continues that of before', async () => {
    const server = world.server;
    const student = await world.as('student');
    const first = (await server.request('GET', '/api/audit/checkpoint')).json;
    for (let turn = 0; turn < 9; turn += 1) await student.query({ dataset: 'term' });
    const second = (await server.request('GET', '/api/audit/checkpoint')).json;
    const [one, two] = [await checkCheckpoint(first), await checkCheckpoint(second)];
    assert.ok(two.size >= one.size + 9n);
    const [from, to] = [Number(one.size), Number(two.size)];
    const { path } = (await server.request('GET', `/api/audit/consistency?from=${from}&to=${to}`)).json;
    assert.ok(isConsistent(from, to, Buffer.from(one.root), Buffer.from(two.root), path));
    assert.ok(!isConsistent(from, to, Buffer.from(two.root), Buffer.from(two.root), path));
    await assert.rejects(checkCheckpoint({ ...second, checkpoint: second.checkpoint.replace(`\n${to}\n`, `\n${to + 1}\n`) }));
    for (const [a, b] of [[to, from], [0, 1e12], ['x', 1], ['', ''], [-1, 2]]) {
      const answer = await server.request('GET', `/api/audit/consistency?from=${a}&to=${b}`);
      assert.equal(answer.status, 422, `${a} ${b}`);
      isProblem(answer, 422);
    }
  });

  test('§1.3.1.b §3.3.1.a whoever is asked about sees when, which post, what and why; and nobody else’s log', async () => {
    const student = await world.as('student');
    const office = await world.as('academic_office');
    const ask = { dataset: 'grade', fields: ['student', 'score'], where: { field: 'student', op: 'eq', value: student.account } };
    const { record } = (await office.query(ask)).json;
    const leaf = Number(record.split('/').at(-1));
    const seen = await student.rows({ dataset: 'access_log', fields: ['leaf', 'post', 'unit', 'dataset', 'action', 'purpose', 'basis', 'count'], where: { field: 'leaf', op: 'eq', value: leaf } });
    assert.deepEqual(seen, [[leaf, 'academic_office', 'jwc', 'grade', 'query', 'teaching_administration', '§2.1.1', 1]]);
    for (const [kind, nth] of [['student', 1], ['academic_office', 0], ['academic_office', 1], ['audit_admin', 0], ['graduate', 0]]) {
      const other = await world.as(kind, nth);
      assert.deepEqual(await other.rows({ dataset: 'access_log', fields: ['leaf'], where: { field: 'leaf', op: 'eq', value: leaf } }), [], kind);
    }
    // The proof says in which capacity, and neither who, nor anything that could be tried out.
    const proof = await proofOf(student, record);
    assert.equal((await checkProof(proof.json)).seen, 'header');
    assert.deepEqual(Object.keys(proof.json.entry).sort(), ['kind', 'post', 'recorded', 'time', 'unit']);
    assert.ok(!proof.text.includes(office.account));
    // A refusal tells nothing about anybody, so it stands in nobody’s log.
    const refused = await (await world.as('finance_office')).query({ ...ask });
    const refusedLeaf = Number(refused.json.record.split('/').at(-1));
    assert.deepEqual(await student.rows({ dataset: 'access_log', fields: ['leaf'], where: { field: 'leaf', op: 'eq', value: refusedLeaf } }), []);
    // Detail and statistics stand there too.
    const detail = (await office.get(`/api/datasets/student/${student.account}`)).json.record;
    const log = await student.rows({ dataset: 'access_log', fields: ['leaf', 'action'], limit: 20 });
    assert.ok(log.some(([number, action]) => number === Number(detail.split('/').at(-1)) && action === 'detail'));
  });

  test('explain says what is decided and why, and shows no data', async () => {
    const [student, finance] = [await world.as('student'), await world.as('finance_office')];
    const allowed = (await student.post('/api/query/explain', { dataset: 'grade' })).json;
    assert.equal(allowed.decision, 'allowed');
    assert.equal(allowed.scope.basis[0].clause, '2.3.1');
    assert.equal(allowed.rows, undefined);
    const denied = await finance.post('/api/query/explain', { dataset: 'grade' });
    assert.equal(denied.status, 200);
    assert.equal(denied.json.decision, 'denied');
    assert.ok(isText(denied.json.nearest.text) && isText(denied.json.remedy.text));
    // The words depend on person and policy, never on the data: somebody who exists and somebody who does not.
    const about = async (value) => {
      const { record, ...rest } = (await finance.post('/api/query/explain', { dataset: 'grade', where: { field: 'student', op: 'eq', value } })).json;
      assert.ok(record);
      return rest;
    };
    assert.deepEqual(await about(student.account), await about('nobody'));
  });
});

// ---- every route

// May only become shorter: what answers without a session.
const publicRoutes = ['GET /api/audit/checkpoint', 'GET /api/audit/consistency', 'GET /api/demo/persons', 'GET /api/dictionary', 'GET /api/openapi.json', 'GET /api/verify/{code}', 'GET /healthz',
  'GET /metrics', 'GET /readyz', 'POST /api/demo/compare', 'POST /api/demo/session', 'POST /api/session'];

// A student's application that the office decides on, one that was declined with a letter, and a deputy of the head.
async function casesOf(world, student) {
  const heads = await Promise.all([0, 1, 2].map((n) => world.as('department_head', n)));
  const content = { dataset: 'evaluation', rows: 'all', clear: ['student'], masked: [], actions: ['query'], purpose: 'study', reason: '课程设计需要', from: today(0), until: today(30) };
  let head;
  const submitted = async (action, opinion) => {
    const { number } = (await student.post('/api/cases', { kind: 'access', action: 'draft', content })).json;
    await student.post(`/api/cases/${number}/submit`, { password: student.password });
    for (const each of heads) {
      if ((await each.post(`/api/cases/${number}/${action}`, { password: each.password, opinion })).status === 200) head = each;
    }
    return number;
  };
  const number = await submitted('sign');
  const declined = await submitted('decline', '不需要');
  const file = await student.request('POST', `/api/cases/${number}/attachments?name=a.pdf`, Buffer.from('%PDF-1.4 a'));
  const { unit } = (await student.get(`/api/cases/${number}`)).json.applicant;
  const deputy = { deputy: world.accountsOf('teacher')[0].account, post: 'department_head', unit: unit.code, begins: today(0), ends: today(3), reason: '出差', password: head.password };
  for (let n = 0; n < 3; n += 1) await head.post('/api/deputies', deputy);
  return { content, number, declined, attachment: file.json.attachments[0].id, deputy, head };
}

const today = (days) => new Date(Date.now() + 8 * 3600e3 + days * 864e5).toISOString().slice(0, 10);

// The rows of every module, from the file beside it.
async function rowsOfModules(world, people) {
  const all = {};
  for (const name of readdirSync(join(home, 'modules'))) {
    const file = join(home, 'modules', name, 'right_person.mjs');
    if (existsSync(file)) Object.assign(all, await (await import(file)).rows(world, people));
  }
  return all;
}

forEachStore('every route', (world) => {
  const operations = async () => {
    const { json } = await world.server.request('GET', '/api/openapi.json');
    return Object.entries(json.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, operation]) => ({ method: verb.toUpperCase(), path, operation })));
  };

  test('§1.2.b the public routes are these and no more; everything else is 401 for strangers', async () => {
    const all = await operations();
    assert.ok(all.length >= 20);
    const open = all.filter(({ operation }) => operation['x-needs'] === 'public').map(({ method, path }) => `${method} ${path}`).sort();
    assert.deepEqual(open, publicRoutes);
    for (const { method, path, operation } of all.filter(({ operation }) => operation['x-needs'] !== 'public')) {
      assert.ok(operation.security.length > 0 && isText({ zh: operation.summary, en: operation['x-summary-en'] }), path);
      const target = path.replace('{name}', 'grade').replace('{key}', '1').replace('{number}', 'D2026-000001').replace('{id}', '1').replace('{account}', '1');
      for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: 'Bearer ' + 'A'.repeat(43) }, { cookie: `jiaowu_session=${'A'.repeat(43)}`, 'x-csrf': '1' }]) {
        const body = method === 'GET' || method === 'DELETE' ? undefined : '{}';
        isProblem(await world.server.request(method, target, { headers: { ...headers, 'x-csrf': '1' }, body }), 401);
      }
    }
  });

  test('§4.3.2.a for every route the right person is served and the wrong one is not', async () => {
    const [student, other, expired] = [await world.enter('student', 0), await world.as('student', 1), await world.as('graduate_expired')];
    const query = { dataset: 'grade', fields: ['student', 'score'] };
    const revocable = (await student.post('/api/documents', { query, format: 'csv', purpose: 'study' })).json;
    const { record } = (await student.query(query)).json;
    const [row] = await student.rows({ dataset: 'grade', fields: ['student', 'section', 'attempt'], limit: 1 });
    const key = row.map((part) => encodeURIComponent(part)).join('~');
    const { password } = world.accountsOf('student')[0];
    const foreign = (text) => !text.includes(student.account);
    const office = await world.as('academic_office');
    const security = await world.as('security_admin');
    const cases = await casesOf(world, student);
    const teacher = await world.as('teacher');
    const signed = (person) => ({ password: person.password });
    const enrolled = await world.as('student', 2);
    await enrol(enrolled);
    const mine = 'Another-Tea-9z';
    const secret = (answers) => answers['POST /api/session/factor'].secret;
    // route → path and body of the right person, statuses of others, who may send a body of their own, the right person when it is not the
    // student. Nothing foreign shows either way.
    const table = {
      'GET /api/me': [['/api/me'], [200]],
      'GET /api/datasets': [['/api/datasets'], [200]],
      'GET /api/datasets/{name}': [['/api/datasets/grade'], [200, 403]],
      'GET /api/datasets/{name}/{key}': [[`/api/datasets/grade/${key}`], [403, 404]],
      'POST /api/query': [['/api/query', query], [200, 403]],
      'POST /api/query/explain': [['/api/query/explain', query], [200]],
      'POST /api/papers/{number}/revocation': [[`/api/papers/${revocable.number}/revocation`, { reason: 'x', password: office.password }], [403], undefined, office],
      'GET /api/audit/proof': [[`/api/audit/proof?leaf=${encodeURIComponent(record)}`], [200]],
      'POST /api/session/password': [['/api/session/password', { old_password: password, new_password: 'Another-Tea-9z' }], [403], { old_password: 'somebody else’s', new_password: 'Another-Tea-9z' }],
      'POST /api/session/agreement': [['/api/session/agreement', { password: 'Another-Tea-9z' }], [403], { password: 'somebody else’s' }],
      'POST /api/session/factor': [['/api/session/factor', { password: mine }], [403], { password: 'somebody else’s' }],
      'POST /api/session/factor/confirmation': [['/api/session/factor/confirmation', (answers) => ({ code: codeOf(secret(answers), -1) })], [409], { code: '123456' }],
      'POST /api/session/factor/recovery': [['/api/session/factor/recovery', (answers) => ({ code: codeOf(secret(answers)) })], [409], { code: '123456' }],
      'POST /api/session/factor/removal': [['/api/session/factor/removal', (answers) => ({ code: codeOf(secret(answers), 1) })], [409], { code: '123456' }],
      'POST /api/session/confirmation': [['/api/session/confirmation', { password: mine }], [403], { password: 'somebody else’s' }],
      'GET /api/notices/unread': [['/api/notices/unread'], [200]],
      'POST /api/notices/read': [['/api/notices/read', { all: true }], [200]],
      'POST /api/cases': [['/api/cases', { kind: 'access', action: 'draft', content: cases.content }], [200, 403]],
      'GET /api/cases/{number}': [[`/api/cases/${cases.number}`], [403, 404]],
      'GET /api/cases/{number}/form': [[`/api/cases/${cases.number}/form`], [403, 404]],
      'GET /api/cases/{number}/letter': [[`/api/cases/${cases.declined}/letter`], [403, 404]],
      'POST /api/cases/{number}/attachments': [[`/api/cases/${cases.number}/attachments?name=b.pdf`, Buffer.from('%PDF-1.4 b')], [403, 404]],
      'GET /api/cases/{number}/attachments/{id}': [[`/api/cases/${cases.number}/attachments/${cases.attachment}`], [403, 404]],
      'POST /api/cases/{number}/{action}': [[`/api/cases/${cases.number}/withdraw`, {}], [403, 404]],
      'GET /api/deputies/offer': [['/api/deputies/offer'], [200]],
      'POST /api/deputies': [['/api/deputies', cases.deputy], [403], undefined, cases.head],
      'POST /api/deputies/{number}/accept': [['/api/deputies/1/accept', signed(teacher)], [404], signed, teacher],
      'POST /api/deputies/{number}/decline': [['/api/deputies/2/decline', {}], [404], undefined, teacher],
      'POST /api/deputies/{number}/end': [['/api/deputies/3/end', signed(cases.head)], [404], signed, cases.head],
      'POST /api/accounts/{account}/factor-reset': [[`/api/accounts/${enrolled.account}/factor-reset`, { reason: 'x', password: security.password }], [403], undefined, security],
      ...(await rowsOfModules(world, { student, office, security, cases, key })),
      'DELETE /api/session': [['/api/session'], []],
    };
    const governed = (await operations()).filter(({ operation }) => operation['x-needs'] !== 'public').map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(governed.sort(), Object.keys(table).sort(), 'a new route has its row here');
    const answers = {};
    for (const [route, [[path, given], statuses, otherBody, holder = student]] of Object.entries(table)) {
      const body = typeof given === 'function' ? given(answers) : given;
      const method = route.split(' ')[0];
      for (const wrong of statuses.length > 0 ? [other, expired] : []) {
        const answer = await wrong.request(method, path, typeof otherBody === 'function' ? otherBody(wrong) : otherBody ?? body);
        assert.ok(statuses.includes(answer.status), `${route} by ${wrong.kind}: ${answer.status} ${answer.text.slice(0, 200)}`);
        assert.ok(foreign(answer.text), `${route} by ${wrong.kind} shows somebody else`);
        if (answer.status >= 400) isProblem(answer, answer.status);
      }
      const right = await holder.request(method, path, body);
      answers[route] = right.json;
      assert.ok(right.status >= 200 && right.status < 300, `${route}: ${right.status} ${right.text}`);
      assert.ok(right.headers['cache-control']?.includes('no-store') || right.status === 204, `${route} may be cached`);
    }
    isProblem(await student.get('/api/me'), 401);
  });

  test('the description names every dataset, and every answer carries the headers that protect it', async () => {
    const answer = await world.server.request('GET', '/api/openapi.json');
    assert.equal(answer.json.openapi.slice(0, 3), '3.1');
    const office = await world.as('academic_office');
    const names = (await office.get('/api/datasets')).json.datasets.map((each) => each.name);
    const described = answer.json.components.schemas.DatasetName.enum;
    assert.equal(names.length, 42);
    for (const name of names) assert.ok(described.includes(name), name);
    for (const path of ['/api/openapi.json', '/healthz', '/api/me', '/api/nothing']) {
      const { headers } = await world.server.request('GET', path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.equal(headers['x-frame-options'], 'DENY', path);
      assert.match(headers['content-security-policy'], /default-src 'self'/);
    }
    const metrics = await world.server.request('GET', '/metrics');
    assert.match(metrics.text, /^jiaowu_record_leaves \d+$/m);
    for (const { account, name } of world.accounts) assert.ok(!metrics.text.includes(account) && !metrics.text.includes(name));
    assert.ok(!world.accounts.some(({ account, name, password }) => [account, name, password].some((text) => world.server.log.includes(text))), 'the log names nobody');
  });

  test('the same question asked by six is six answers, each recorded', async () => {
    const accounts = ['student', 'teacher', 'class_adviser', 'finance_office', 'academic_office', 'graduate_expired'].map((kind) => world.accountsOf(kind)[0].account);
    const answer = await world.server.request('POST', '/api/demo/compare', { body: { query: { dataset: 'grade', fields: ['student', 'score'] }, accounts } });
    assert.equal(answer.status, 200);
    const { answers } = answer.json;
    assert.deepEqual(answers.map((each) => each.status), [200, 200, 200, 403, 200, 403]);
    assert.equal(new Set(answers.map((each) => (each.answer ?? each.problem).record)).size, 6);
    assert.ok(answers[0].answer.rows.every(([student]) => student === accounts[0]));
  });
});
