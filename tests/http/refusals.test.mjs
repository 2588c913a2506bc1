// What is refused, by the code of the refusal, its status and both languages: each that no other test has a reason to meet.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from './checks.mjs';
import { clockFile, forEachStore, setClock, sqlOutside } from './support.mjs';

const start = '2026-11-24T09:00:00+08:00';
let clock;
const at = (instant) => setClock(clock, instant);

async function is(answer, status, type) {
  const problem = isProblem(await answer, status);
  assert.equal(problem.type, type);
  return problem;
}

async function must(answer) {
  const got = await answer;
  assert.equal(got.status, 200, got.text);
  return got.json;
}

const content = {
  dataset: 'evaluation', rows: 'taught', clear: ['student', 'school_year'], masked: ['total'], actions: ['query'], purpose: 'teaching_administration',
  reason: '学业指导，了解任课学生的综合测评', from: '2026-11-24', until: '2027-01-31', minors: false, holder: 'self',
};

const open = (person, kind, body) => person.post('/api/cases', { kind, ...body });
const step = (person, number, action, body = {}) => person.post(`/api/cases/${number}/${action}`, body);
const sign = (person, further = {}) => ({ password: person.password, ...further });

forEachStore('refusals', (world) => {
  // A teacher of a college whose head is among the sign-ins, that head, and two of 教务处.
  const people = async () => {
    const unitOf = async (one) => (await one.rows({ dataset: 'staff', fields: ['unit'], limit: 1 }))[0][0];
    const heads = await Promise.all([0, 1, 2].map((nth) => world.as('department_head', nth)));
    const units = await Promise.all(heads.map(unitOf));
    for (let nth = 0; nth < 4; nth += 1) {
      const teacher = await world.as('teacher', nth);
      const found = units.indexOf(await unitOf(teacher));
      if (found >= 0) return { teacher, head: heads[found], unit: units[found], office: await world.as('academic_office', 0), second: await world.as('academic_office', 1) };
    }
    throw new Error('no teacher of a college whose head signs in');
  };
  const submitted = async ({ teacher }, further = {}) => {
    const { number } = await must(open(teacher, 'access', { action: 'draft', content: { ...content, ...further } }));
    await must(step(teacher, number, 'submit', sign(teacher, { undertaking: 1 })));
    return number;
  };

  test('a question that is not understood', async () => {
    const office = await world.as('academic_office');
    const measured = (measure) => ({ dataset: 'grade', measures: [measure] });
    const leaf = (field, value) => ({ dataset: 'grade', where: { field, op: 'eq', value } });
    for (const [type, body, status = 422] of [
      ['query.not_an_object', [], 400],
      ['query.required', {}],
      ['query.key_unknown', { dataset: 'grade', sql: 'SELECT 1' }],
      ['query.not_a_list', { dataset: 'grade', fields: 'score' }],
      ['query.not_a_name', { dataset: 'grade', fields: [1] }],
      ['query.repeated', { dataset: 'grade', fields: ['score', 'score'] }],
      ['query.too_many', { dataset: 'grade', fields: Array(201).fill('score') }],
      ['query.not_a_bool', { dataset: 'grade', order: [{ field: 'score', desc: 'yes' }] }],
      ['query.out_of_range', { dataset: 'grade', limit: 0 }],
      ['query.condition_invalid', leaf('nothing', 1)],
      ['query.function_unknown', measured({ fn: 'mode', field: 'score' })],
      ['query.field_not_taken', measured({ fn: 'count', field: 'score' })],
      ['query.not_a_number', measured({ fn: 'avg', field: 'student' })],
      ['query.not_taken', measured({ fn: 'count', where: { field: 'score', op: 'lt', value: 60 } })],
      ['query.bad_name', measured({ fn: 'count', as: 'How many' })],
      ['query.not_with_measures', { ...measured({ fn: 'count' }), fields: ['score'] }],
    ]) await is(office.query(body), status, type);
  });

  test('a request that is not understood', async () => {
    const [student, office, security, head] = [await world.as('student'), await world.as('academic_office'), await world.as('security_admin'), await world.as('department_head')];
    const deputy = { password: head.password, deputy: 'nobody', post: 'department_head', unit: 'jwc', begins: '2026-11-24', ends: '2026-11-25', reason: '出差' };
    const document = { query: { dataset: 'grade' }, format: 'csv', purpose: 'study' };
    for (const [type, status, answer] of [
      ['http.csrf', 403, world.server.request('POST', '/api/query', { headers: { cookie: `jiaowu_session=${student.token}` }, body: { dataset: 'grade' } })],
      ['http.wrong_verb', 405, student.request('PUT', '/api/query', { dataset: 'grade' })],
      ['http.field_missing', 422, student.post('/api/documents', { format: 'csv' })],
      ['http.date_invalid', 422, head.post('/api/deputies', { ...deputy, begins: '2026-02-30' })],
      ['document.format_unknown', 422, student.post('/api/documents', { ...document, format: 'exe' })],
      ['document.unknown', 404, student.get('/api/documents/D2026-999999')],
      ['paper.code_unknown', 404, world.server.request('GET', '/api/verify/0000000000000000')],
      ['record.leaf_unknown', 404, student.get('/api/audit/proof?leaf=none')],
      ['record.no_such_trees', 422, world.server.request('GET', '/api/audit/consistency?from=2&to=1')],
      ['lending.step_unknown', 422, security.post('/api/lending/findings/1/step', { password: security.password, step: 'banned', reason: 'x' })],
      ['identity.signature_missing', 403, security.post('/api/regulation/proposals/1/approve', {})],
      ['text.not_accepted', 422, security.post(`/api/accounts/${student.account}/factor-reset`, { password: security.password, reason: ' ' })],
      ['notice.which', 422, student.post('/api/notices/read', {})],
      ['case.deputy_not_yours', 403, student.post('/api/deputies', { ...deputy, password: student.password })],
      ['case.deputy_unknown', 404, head.sign('/api/deputies/999/end', {})],
    ]) await is(answer, status, type);
    const [[unit]] = await head.rows({ dataset: 'staff', fields: ['unit'], limit: 1 });
    await is(head.post('/api/deputies', { ...deputy, unit, ends: '2026-11-23' }), 422, 'case.deputy_invalid');
    await is(head.sign('/api/deputies/999/accept', {}), 404, 'case.deputy_unknown');
  });

  test('a step of an application that cannot be taken', async () => {
    await at(start);
    const who = await people();
    const { teacher, head, office, second } = who;
    await is(open(teacher, 'nothing', { action: 'draft' }), 404, 'case.kind_unknown');
    await is(open(teacher, 'access', { action: 'draft', content: 7 }), 422, 'access.content');
    const { number: draft } = await must(open(teacher, 'access', { action: 'draft', content: { dataset: 'evaluation' } }));
    await is(step(teacher, draft, 'frobnicate'), 404, 'case.action_unknown');
    await is(step(teacher, draft, 'submit', { password: 7 }), 422, 'http.field_invalid');
    await is(step(teacher, draft, 'submit', sign(teacher)), 422, 'access.incomplete');
    await is(teacher.get(`/api/cases/${draft}/letter`), 404, 'case.no_file');
    const attached = (bytes) => teacher.request('POST', `/api/cases/${draft}/attachments?name=a.txt`, bytes);
    for (const [bytes, status, type] of [[Buffer.from('text'), 422, 'case.attachment_invalid'], [Buffer.alloc(5 * 1024 * 1024 + 1, 'x'), 413, 'case.attachment_too_large']]) {
      const { record } = await is(attached(bytes), status, type);
      const { entry } = (await must(teacher.get(`/api/audit/proof?leaf=${encodeURIComponent(record)}`)));
      assert.deepEqual([entry.kind, entry.action, entry.decision, JSON.parse(entry.parameters).case], ['refusal', 'case.attach', type, draft]);
    }
    await must(step(teacher, draft, 'save', { content }));
    await is(step(teacher, draft, 'submit', sign(teacher)), 422, 'access.undertaking');
    await must(step(teacher, draft, 'submit', sign(teacher, { undertaking: 1 })));
    await is(teacher.get(`/api/access/${draft}/effect`), 403, 'case.no_effect');
    await is(step(head, draft, 'decline', sign(head)), 422, 'text.not_accepted');
    await must(step(head, draft, 'sign', sign(head)));
    await is(step(office, draft, 'approve', sign(office, { granted: { clear: ['student', 'total'] } })), 422, 'access.wider');
    await must(step(office, draft, 'approve', sign(office)));
    await is(step(office, draft, 'approve', sign(office)), 403, 'case.same_person');
    await at('2027-02-01T09:00:00+08:00');
    await is(step(second, draft, 'approve', sign(second)), 409, 'access.period_over');
    await at(start);
  });

  test('whose period of queries is over begins no draft either, and hears where to go', async () => {
    const problem = await is(open(await world.as('graduate_expired'), 'access', { action: 'draft', content: {} }), 403, 'policy.no_permit');
    assert.match(problem.detail.zh, /学校档案馆/);
    assert.match(problem.remedy.text.en, /school archives/);
    assert.ok(problem.record);
    await must(step(await world.as('graduate'), (await must(open(await world.as('graduate'), 'access', { action: 'draft', content: {} }))).number, 'discard'));
  });

  test('nobody is the head of an own application: it goes to the unit above', async () => {
    const head = await world.as('department_head', 0);
    const { number } = await must(open(head, 'access', { action: 'draft', content: { ...content, masked: [] } }));
    const file = await must(step(head, number, 'submit', sign(head)));
    assert.equal(file.state.name, 'signing');
    await is(step(head, number, 'sign', sign(head)), 403, 'case.not_yours');
    await must(step(head, number, 'withdraw'));
  });

  test('§2.4.3.b data of minors, approved by itself or not at all', async () => {
    const who = await people();
    const number = await submitted(who, { minors: true });
    await must(step(who.head, number, 'sign', sign(who.head)));
    const problem = await is(step(who.office, number, 'approve', sign(who.office)), 422, 'access.minors');
    assert.equal(problem.fields[0].field, 'minors_approved');
    await must(step(who.office, number, 'approve', sign(who.office, { minors_approved: true })));
    await must(step(who.teacher, number, 'withdraw'));
  });

  test('a grant asked for another purpose; a renewal of what cannot be renewed', async () => {
    const who = await people();
    const renew = (person, grant) => open(person, 'renewal', sign(person, { action: 'submit', undertaking: 1, content: { grant, until: '2027-01-20', reason: '继续使用' } }));
    await is(renew(who.teacher, '2026-9999'), 404, 'access.grant_unknown');
    const student = await world.as('student');
    const [{ grant }] = (await must(student.query({ dataset: 'library_holding', purpose: 'study', limit: 1 }))).scope.basis;
    await is(renew(student, grant), 409, 'access.not_renewable');
    const number = await submitted(who, { masked: [] });
    await must(step(who.head, number, 'sign', sign(who.head)));
    await must(step(who.office, number, 'approve', sign(who.office)));
    await is(who.teacher.query({ dataset: 'evaluation', purpose: 'study' }), 403, 'policy.purpose_closed');
    // A change of grants names each once, those that stand, and says in few words to whom the work goes.
    const change = (content) => open(who.teacher, 'change', sign(who.teacher, { action: 'submit', content: { grants: [number], reason: '不再任课', ...content } }));
    for (const [content, status, type, field, code] of [
      [{ grants: [] }, 422, 'access.incomplete', 'content.grants', 'required'],
      [{ grants: [number, number] }, 422, 'access.incomplete', 'content.grants', 'repeated'],
      [{ grants: Array.from({ length: 201 }, (_, n) => `2026-${n}`) }, 422, 'access.incomplete', 'content.grants', 'invalid'],
      [{ grants: [number, '2026-9999'] }, 404, 'access.grant_unknown', 'content.grants', 'unknown'],
      [{ handover: ['王老师'] }, 422, 'text.not_accepted', 'content.handover', 'not_text'],
      [{ handover: '交'.repeat(1001) }, 422, 'text.not_accepted', 'content.handover', 'too_long'],
    ]) {
      const problem = await is(change(content), status, type);
      assert.deepEqual(problem.fields.map((each) => [each.field, each.code]), [[field, code]], JSON.stringify(content).slice(0, 80));
    }
    await must(open(who.head, 'revocation', sign(who.head, { action: 'revoke', content: { grants: [number], reason: '不再任课' } })));
    await is(renew(who.teacher, number), 409, 'access.grant_ended');
    assert.equal((await is(change({}), 409, 'access.grant_ended')).fields[0].field, 'content.grants');
  });

  test('a draft too many', async () => {
    const student = await world.as('student', 1);
    for (let count = 0; count < 20; count += 1) await must(open(student, 'access', { action: 'draft', content: { dataset: 'evaluation' } }));
    await is(open(student, 'access', { action: 'draft', content: {} }), 429, 'access.too_many_drafts');
  });

  test('a proposal whose proposer holds the post no longer', async () => {
    const [office, second] = [await world.as('academic_office', 2), await world.as('academic_office', 1)];
    const { in_force: base } = (await office.get('/api/regulation')).json;
    const { proposal } = await must(office.sign('/api/regulation/proposals', { base, note: 'x', changes: [{ op: 'set_setting', name: 'decision_days', value: 7 }] }));
    await sqlOutside(world.db, `UPDATE post_holding SET ends = '2026-01-01' WHERE staff = (SELECT id FROM staff WHERE number = '${office.account}')`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    await is(second.post(`/api/regulation/proposals/${proposal}/approve`, sign(second)), 409, 'regulation.proposer_gone');
  });
}, { options: async (world) => {
  clock = await clockFile(`clock_refusals_${world.kind}`, start);
  return ['--clock', clock];
} });
