// Lending and impersonation (§2.5.3, §6.1.3): the second factor, what is seen, the ladder, the desk, on one node and on two.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from './checks.mjs';
import { codeOf, enrol, forEachStore, mustRun, pause, Person, Server, sqlOutside } from './support.mjs';

const options = ['--trusted-proxy', '127.0.0.1,::1', '--every', 'lending=1'];

// ---- addresses of the campus (modules/lending/network.toml), and browsers with their mark

const dormitory = '10.10.3.4';
const lab = '10.14.0.9';
const east = '10.21.7.8';
const outside = '203.0.113.9';

const setCookie = (answer, name) => [answer.headers['set-cookie'] ?? []].flat().find((one) => one.startsWith(`${name}=`))?.split(';')[0];

class Browser {
  constructor(server, address) {
    Object.assign(this, { server, address, mark: undefined });
  }

  async signIn({ account, password }, further = {}) {
    const headers = { 'x-forwarded-for': this.address, ...(this.mark && { cookie: this.mark }) };
    const answer = await this.server.request('POST', '/api/session', { body: { account, password, ...further }, headers });
    this.mark = setCookie(answer, 'jiaowu_device') ?? this.mark;
    return answer;
  }

  async person(who, further) {
    const answer = await this.signIn(who, further);
    assert.equal(answer.status, 200, answer.text);
    return new Asking(this.server, who, answer.json.token, this.address);
  }
}

// Somebody signed in who asks from an address.
class Asking extends Person {
  constructor(server, who, token, address) {
    super(server, who, token);
    this.address = address;
  }

  request(method, path, body, headers = {}) {
    return super.request(method, path, body, { 'x-forwarded-for': this.address, ...headers });
  }

  on(server, address = this.address) {
    return new Asking(server, this, this.token, address);
  }

  own() {
    return this.query({ dataset: 'student', fields: ['number'] });
  }
}

async function until(what, seen, seconds = 20) {
  for (let tries = 0; tries < seconds * 5; tries += 1) {
    const found = await what();
    if (seen(found)) return found;
    await pause(200);
  }
  throw new Error('it did not happen in time');
}

const ask = async (desk, dataset, where, limit = 200) => {
  const answer = await desk.query({ dataset, where, limit });
  assert.equal(answer.status, 200, answer.text);
  const { columns, rows, record } = answer.json;
  return { rows: rows.map((cells) => Object.fromEntries(columns.map(({ name }, i) => [name, cells[i]]))), origin: record.slice(0, record.lastIndexOf('/')) };
};
// Findings as the desk sees them, with the evidence and the steps beside them.
const findings = async (desk, states = ['open']) => {
  const { rows, origin } = await ask(desk, 'lending_finding', { field: 'state', op: 'in', value: states });
  return Promise.all(rows.map(async (row) => {
    const steps = (await ask(desk, 'lending_step', { field: 'holder', op: 'eq', value: row.holder })).rows;
    const evidence = (await ask(desk, 'lending_evidence', { field: 'finding', op: 'eq', value: row.number })).rows;
    return { ...row, steps, evidence, step: steps.find((step) => step.lifted === null)?.step ?? 'none', records: JSON.parse(row.leaves).map((leaf) => `${origin}/${leaf}`) };
  }));
};
const findingOf = (desk, who) => until(async () => (await findings(desk)).find((one) => one.holder === who.account), Boolean);

forEachStore('the second factor', (world) => {
  test('§3.1.1.d once enrolled, a sign-in needs its code, taken once; recovery codes stand in', async () => {
    const browser = new Browser(world.server, outside);
    const who = world.accountsOf('teacher')[0];
    const person = await browser.person(who);
    assert.deepEqual((await person.get('/api/me')).json.factor, { enrolled: false, recovery_left: 0 });
    isProblem(await person.post('/api/session/factor', { password: 'wrong' }), 403);
    const { secret, uri, qr, recovery } = await enrol(person);
    assert.ok(qr.length >= 21 && qr.every((row) => row.length === qr.length && /^[01]+$/.test(row)));
    assert.match(uri, /^otpauth:\/\/totp\//);
    assert.equal(recovery.length, 10);
    const { factor } = (await person.get('/api/me')).json;
    assert.equal(factor.enrolled, true);
    assert.equal(factor.recovery_left, 10);

    assert.equal(isProblem(await browser.signIn(who), 401).type, 'identity.code_required');
    assert.equal(isProblem(await browser.signIn(who, { code: '000000' }), 401).type, 'identity.code_wrong');
    const code = codeOf(secret);
    assert.equal((await browser.signIn(who, { code })).status, 200);
    assert.equal(isProblem(await browser.signIn(who, { code }), 401).type, 'identity.code_wrong');
    assert.equal((await browser.signIn(who, { code: recovery[0] })).status, 200);
    assert.equal(isProblem(await browser.signIn(who, { code: recovery[0] }), 401).type, 'identity.code_wrong');
    assert.equal((await person.get('/api/me')).json.factor.recovery_left, 9);
  });

  test('§3.1.1.d the security administrator resets a lost factor without seeing it; nobody else does, nobody the own', async () => {
    const browser = new Browser(world.server, outside);
    const who = world.accountsOf('teacher')[1];
    const person = await browser.person(who);
    await enrol(person);
    const student = await world.as('student');
    const path = `/api/accounts/${who.account}/factor-reset`;
    isProblem(await student.post(path, { reason: 'x' }), 403);
    const admin = await world.as('security_admin');
    assert.equal(isProblem(await admin.post(path, { reason: 'x' }), 403).type, 'identity.signature_missing', 'the desk signs');
    const { password } = admin;
    isProblem(await admin.post(path, { password }), 422);
    isProblem(await admin.post(`/api/accounts/${admin.account}/factor-reset`, { password, reason: 'x' }), 404);
    const personOf = (account) => sqlOutside(world.db, `SELECT person_id FROM account WHERE login = '${account}'`);
    const theirs = await personOf(who.account);
    await sqlOutside(world.db, `UPDATE account SET person_id = ${await personOf(admin.account)} WHERE login = '${who.account}'`);
    isProblem(await admin.post(path, { password, reason: '本人的另一账号' }), 404);
    await sqlOutside(world.db, `UPDATE account SET person_id = ${theirs} WHERE login = '${who.account}'`);
    const reset = await admin.post(path, { password, reason: '手机遗失，本人持证件到场' });
    assert.equal(reset.status, 200, reset.text);
    assert.match(reset.json.record, /\/\d+$/);
    isProblem(await person.get('/api/me'), 401);
    assert.equal((await browser.signIn(who)).status, 200);
  });
}, { options: () => options });

forEachStore('lending', (world) => {
  test('a browser keeps one mark, and sends it to the door alone', async () => {
    const browser = new Browser(world.server, dormitory);
    const first = await browser.signIn(world.accountsOf('student')[5]);
    const cookie = [first.headers['set-cookie']].flat().find((one) => one.startsWith('jiaowu_device='));
    assert.match(cookie, /Path=\/api\/session; HttpOnly; SameSite=Strict; Max-Age=\d+/);
    const { mark } = browser;
    await browser.signIn(world.accountsOf('student')[5]);
    assert.equal(browser.mark, mark);
    browser.mark = 'jiaowu_device=forged';
    await browser.signIn(world.accountsOf('student')[5]);
    assert.notEqual(browser.mark, 'jiaowu_device=forged');
  });

  test('§2.5.3.a used on two campuses within seconds: asked in the middle of the session, told why, and it goes on', async () => {
    const who = world.accountsOf('student')[0];
    const here = await new Browser(world.server, dormitory).person(who);
    assert.equal((await here.own()).status, 200);
    const there = await new Browser(world.server, east).person(who);
    assert.equal((await there.own()).status, 200);
    const held = await until(() => here.own(), (answer) => answer.status !== 200);
    const problem = isProblem(held, 401);
    assert.equal(problem.type, 'identity.confirmation_required');
    assert.match(problem.detail.zh, /东校区教学楼/);
    assert.match(problem.detail.en, /dormitories, main campus/);
    assert.equal(problem.remedy.kind, 'confirm_password');
    assert.ok(problem.record, 'the refused question is on record');
    // everything but showing who one is
    for (const path of ['/api/me', '/api/datasets', '/api/datasets/student']) {
      assert.equal(isProblem(await here.get(path), 401).type, 'identity.confirmation_required', path);
    }
    assert.equal(isProblem(await there.own(), 401).type, 'identity.confirmation_required');
    isProblem(await here.post('/api/session/confirmation', { password: 'wrong' }), 403);
    isProblem(await here.own(), 401);
    assert.equal((await here.post('/api/session/confirmation', { password: who.password })).status, 200);
    assert.equal((await here.own()).status, 200);
    isProblem(await there.own(), 401); // each session for itself

    const desk = await world.as('security_admin');
    const finding = await findingOf(desk, who);
    assert.equal(finding.rule, 'impossible_move');
    assert.ok(finding.answered);
    assert.ok(finding.evidence.length >= 2);
    assert.ok(finding.evidence.some((one) => one.zone_zh === '主校区宿舍' && one.remote === dormitory));
    assert.ok(finding.records.length >= 2);
    for (const record of finding.records) {
      const proof = await desk.get(`/api/audit/proof?leaf=${encodeURIComponent(record)}`);
      assert.equal(proof.status, 200);
    }
    assert.equal(finding.steps[0].step, 'ask_second_factor');
    assert.ok(finding.steps[0].lifted);
  });

  test('§2.5.3.a with a second factor the code is asked, not the password', async () => {
    const who = world.accountsOf('student')[1];
    const browser = new Browser(world.server, dormitory);
    const here = await browser.person(who);
    const { secret } = await enrol(here);
    const there = await new Browser(world.server, east).person(who, { code: codeOf(secret) });
    await there.own();
    const problem = isProblem(await until(() => here.own(), (answer) => answer.status !== 200), 401);
    assert.equal(problem.remedy.kind, 'confirm_code');
    assert.equal(isProblem(await here.post('/api/session/confirmation', { password: who.password }), 401).type, 'identity.code_required');
    assert.equal((await here.post('/api/session/confirmation', { code: codeOf(secret, 1) })).status, 200);
    assert.equal((await here.own()).status, 200);
  });

  test('§2.5.3.a a computer room sees many accounts one after another, a phone stands beside a laptop: nothing is found', async () => {
    const machine = new Browser(world.server, lab);
    const students = world.accountsOf('student').slice(2, 8);
    for (const who of students) await (await machine.person(who)).own();
    const laptop = await new Browser(world.server, dormitory).person(students[0]);
    const phone = await new Browser(world.server, outside).person(students[0]);
    for (let i = 0; i < 3; i += 1) {
      await laptop.own();
      await phone.own();
    }
    await pause(3000); // two rounds at least
    const seen = (await findings(await world.as('security_admin'))).map((one) => one.holder);
    for (const who of students) assert.ok(!seen.includes(who.account), who.account);
    assert.equal((await laptop.own()).status, 200);
  });

  test('§2.5.3.a many accounts on one browser that is nobody’s: told to the desk, nothing is done by itself', async () => {
    const browser = new Browser(world.server, outside);
    const students = world.accountsOf('graduate').concat(world.accountsOf('class_adviser')).slice(0, 6);
    let last;
    for (const who of students) last = await browser.person(who);
    const finding = await findingOf(await world.as('security_admin'), students.at(-1));
    assert.equal(finding.rule, 'device_many_accounts');
    assert.equal(finding.step, 'none');
    assert.equal((await last.get('/api/me')).status, 200);
  });

  test('§2.5.3.a the desk: read only, suspended, lifted; each act with its reason and leaf', async () => {
    const who = world.accountsOf('student')[0]; // with the finding from above
    const desk = await world.as('academic_office');
    const { number: id } = await findingOf(desk, who);
    const student = await new Browser(world.server, dormitory).person(who);
    const unsigned = isProblem(await desk.post(`/api/lending/findings/${id}/step`, { step: 'read_only', reason: 'x' }), 403);
    assert.equal(unsigned.type, 'identity.signature_missing');
    const step = (name, body) => desk.post(`/api/lending/findings/${id}/${name}`, { password: desk.password, ...body });
    isProblem(await step('step', { step: 'read_only' }), 422);
    isProblem(await step('step', { step: 'banned', reason: 'x' }), 422);
    isProblem(await desk.post('/api/lending/findings/999999/dismiss', { password: desk.password, reason: 'x' }), 404);

    const limited = await step('step', { step: 'read_only', reason: '两校区同时使用' });
    assert.equal(limited.status, 200, limited.text);
    assert.match(limited.json.record, /\/\d+$/);
    isProblem(await step('step', { step: 'ask_second_factor', reason: 'x' }), 409);
    isProblem(await student.own(), 401);
    assert.equal((await student.post('/api/session/confirmation', { password: who.password })).status, 200);
    assert.equal((await student.own()).status, 200); // may look
    const exported = isProblem(await student.post('/api/documents', { query: { dataset: 'grade' }, format: 'csv', purpose: 'study' }), 403);
    assert.equal(exported.type, 'identity.read_only');
    assert.match(exported.detail.zh, /两校区同时使用/);
    assert.ok(exported.record);
    const { restriction } = (await student.get('/api/me')).json;
    assert.equal(restriction.step, 'read_only');
    assert.ok(restriction.seen.length > 0 && restriction.todo.zh);
    const changed = await student.post('/api/session/password', { old_password: 'wrong', new_password: 'x' });
    assert.equal(isProblem(changed, 403).type, 'identity.password_wrong', 'the password may still be changed');

    assert.equal((await step('step', { step: 'suspended', reason: '本人承认转借' })).status, 200);
    const shut = isProblem(await student.own(), 401);
    assert.equal(shut.type, 'identity.suspended');
    assert.match(shut.detail.zh, /本人承认转借/);
    assert.match(shut.remedy.text.zh, /教务处/);
    assert.equal(isProblem(await student.get('/api/me'), 401).type, 'identity.suspended');
    const refused = await new Browser(world.server, dormitory).signIn(who);
    assert.equal(isProblem(refused, 403).type, 'identity.suspended');
    assert.match(refused.json.detail.zh, /本人承认转借/);

    // The case of it: the guard, who has its steps, sees on what it rests; the office sees that there is such a case.
    const [[number]] = await desk.rows({ dataset: 'case', fields: ['number'], where: { all: [{ field: 'kind', op: 'eq', value: 'suspension' }, { field: 'applicant', op: 'eq', value: who.account }] } });
    const sightOf = async (person) => {
      const file = (await person.get(`/api/cases/${number}`)).json;
      assert.equal(file.content, undefined);
      const found = file.fields.find((field) => field.name === 'findings');
      return [found.level, found.sight, Array.isArray(found.value), Array.isArray(file.words.findings), file.words.reason !== undefined];
    };
    assert.deepEqual(await sightOf(await world.as('security_admin')), [3, 'clear', true, true, true]);
    assert.deepEqual(await sightOf(desk), [3, 'hidden', false, false, true]);
    for (const paper of ['attachments/1', 'letter']) {
      assert.equal(isProblem(await desk.get(`/api/cases/${number}/${paper}`), 403).type, 'case.not_yours');
    }

    isProblem(await step('lift', {}), 422);
    assert.equal((await step('lift', { reason: '已核实并教育' })).status, 200);
    isProblem(await step('lift', { reason: 'x' }), 409);
    isProblem(await student.own(), 401); // sessions stay ended
    const again = await new Browser(world.server, dormitory).person(who);
    assert.equal((await again.own()).status, 200);
    assert.equal((await again.get('/api/me')).json.restriction, undefined);
    const closed = (await findings(desk, ['dismissed', 'settled'])).find((one) => one.number === id);
    assert.equal(closed.state, 'settled');
    assert.equal(closed.closed_reason, '已核实并教育');
  });

  test('§6.1.1.a the desk is nobody else’s, and every refused attempt is on record', async () => {
    for (const kind of ['student', 'teacher', 'student_office', 'system_admin', 'audit_admin']) {
      const person = await world.as(kind, kind === 'student' ? 9 : 0);
      for (const [method, path, body] of [['POST', '/api/lending/findings/1/dismiss', { reason: 'x' }], ['POST', '/api/lending/findings/1/step', { step: 'suspended', reason: 'x' }], ['POST', '/api/lending/findings/1/lift', { reason: 'x' }]]) {
        const problem = isProblem(await person.request(method, path, body), 403);
        assert.equal(problem.type, 'policy.power_missing', `${kind} ${path}`);
        assert.ok(problem.record);
      }
      for (const dataset of ['lending_finding', 'lending_evidence', 'lending_step']) {
        assert.equal(isProblem(await person.query({ dataset }), 403).type, 'policy.no_permit', `${kind} ${dataset}`);
      }
    }
  });

  test('nobody deals with findings about the own account', async () => {
    const who = world.accountsOf('security_admin')[1];
    const here = await new Browser(world.server, dormitory).person(who);
    await here.get('/api/me');
    const there = await new Browser(world.server, east).person(who);
    await there.get('/api/me');
    const desk = await world.as('academic_office');
    const { number: id } = await findingOf(desk, who);
    await until(() => here.get('/api/me'), (answer) => answer.status === 401);
    assert.equal((await here.post('/api/session/confirmation', { password: who.password })).status, 200);
    assert.equal(isProblem(await here.post(`/api/lending/findings/${id}/dismiss`, { password: who.password, reason: 'x' }), 403).type, 'lending.own_account');
    assert.equal((await desk.post(`/api/lending/findings/${id}/dismiss`, { password: desk.password, reason: '核实为远程桌面' })).status, 200);
    isProblem(await desk.post(`/api/lending/findings/${id}/dismiss`, { password: desk.password, reason: 'x' }), 409);
  });

  test('§2.5.3.a a suspended account’s open page gets nothing on its next request, on either of two nodes', async (t) => {
    if (world.kind === 'sqlite') return t.skip('one node on SQLite');
    const other = await Server.start(world.db, '--node', 'second', ...options);
    try {
      const who = world.accountsOf('student')[3];
      const one = await new Browser(world.server, dormitory).person(who);
      const two = await new Browser(other, dormitory).person(who);
      const pages = [one, one.on(other), two, two.on(world.server)]; // every session known to both
      for (const page of pages) assert.equal((await page.own()).status, 200);
      await (await new Browser(other, east).person(who)).own();
      // asked by itself, by one of the nodes; on both at once
      for (const page of pages) {
        await until(() => page.own(), (answer) => answer.status === 401);
        assert.equal(isProblem(await page.own(), 401).type, 'identity.confirmation_required');
      }
      assert.equal((await two.on(world.server).post('/api/session/confirmation', { password: who.password })).status, 200);
      assert.equal((await two.own()).status, 200);
      const desk = await world.as('security_admin');
      const { number: id } = await findingOf(desk, who);
      assert.equal((await desk.post(`/api/lending/findings/${id}/step`, { password: desk.password, step: 'suspended', reason: '转借' })).status, 200);
      for (const page of pages) {
        assert.equal(isProblem(await page.own(), 401).type, 'identity.suspended');
        assert.equal(isProblem(await page.get('/api/me'), 401).type, 'identity.suspended');
      }
      isProblem(await new Browser(other, dormitory).signIn(who), 403);
    } finally {
      await other.stop();
    }
  });

  test('the record holds, with every step in it', async () => {
    await world.server.stop();
    await mustRun('audit', 'verify', '--db', world.db);
  });
}, { options: () => options });
