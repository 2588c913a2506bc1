// Permission administration over HTTP (§2.1.1, §4.3.2): versions, proposals and their effect, a second person's decision, and who sees what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem, isText } from './checks.mjs';
import { forEachStore, run, Server, sqlOutside } from './support.mjs';

const ruleOf = (regulation, post, dataset) => regulation.rules.find(({ rule }) => rule.post === post && rule.dataset === dataset && rule.effect === 'permit').rule;
const effectOf = (preview, post, dataset) => preview.effect.effects.find((one) => one.post?.name === post && one.dataset.name === dataset);

forEachStore('regulation', (world) => {
  const office = () => world.as('academic_office');
  const second = () => world.as('academic_office', 1);
  const security = () => world.as('security_admin');
  const passwordOf = (person) => world.accounts.find(({ account }) => account === person.account).password;
  const read = async (person) => {
    const answer = await person.get('/api/regulation');
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const versions = (person) => person.rows({ dataset: 'regulation_version', fields: ['version', 'kind', 'note', 'proposed_name', 'approved_name', 'rolled_back_to'] });
  const hide = async (person, note = '试行') => {
    const regulation = await read(person);
    const rule = ruleOf(regulation, 'class_adviser', 'student');
    return { base: regulation.in_force, note, changes: [{ op: 'put_rule', id: rule.id, rule: { ...rule, hidden: [...rule.hidden, 'phone'] } }] };
  };
  const decide = (person, id, what, further = {}) => person.post(`/api/regulation/proposals/${id}/${what}`, { password: passwordOf(person), ...further });
  const settle = async (proposal, by = security) => {
    const made = await (await office()).sign('/api/regulation/proposals', proposal);
    assert.equal(made.status, 200, made.text);
    const answer = await decide(await by(), made.json.proposal, 'approve');
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };

  test('the first version is that of the files, and is shown to whoever has a power only', async () => {
    const regulation = await read(await office());
    assert.equal(regulation.version, 1);
    assert.deepEqual(regulation.may, { propose: true, approve: true, ask: true });
    assert.deepEqual((await versions(await office()))[0].slice(0, 2), [1, 'start']);
    assert.ok(regulation.rules.length > 100 && regulation.rules.every(({ rows, sights, actions }) => isText(rows) && /^[cmh]+$/.test(sights) && actions.length >= 0));
    assert.deepEqual((await read(await security())).may, { propose: false, approve: true, ask: true });
    assert.deepEqual((await read(await world.as('audit_admin'))).may, { propose: false, approve: false, ask: true });
    for (const kind of ['student', 'teacher', 'student_office', 'department_head', 'system_admin', 'graduate']) {
      const person = await world.as(kind);
      const calls = [['GET', '/api/regulation'], ['GET', '/api/regulation/difference?from=1&to=1'], ['GET', '/api/sight/person?account=x'],
        ['GET', '/api/sight/cell?dataset=grade&key=1~2&field=score'], ['POST', '/api/regulation/preview', { changes: [] }], ['POST', '/api/regulation/proposals', {}], ['POST', '/api/regulation/rollback', {}]];
      for (const [method, path, body] of calls) {
        const problem = isProblem(await person.request(method, path, body), 403);
        assert.equal(problem.type, 'policy.power_missing', `${kind} ${path}`);
        assert.ok(problem.record && isText(problem.remedy.text));
      }
    }
    isProblem(await (await world.as('audit_admin')).post('/api/regulation/proposals', {}), 403);
    isProblem(await (await security()).sign('/api/regulation/proposals', {}), 403);
  });

  test('what is wrong in a change is said with the rule and what would be right', async () => {
    const person = await office();
    const { in_force: base } = await read(person);
    const wrong = [
      [{ op: 'add_rule', rule: { post: 'techer', dataset: 'grade', rows: 'section', clause: '2.2.1' } }, /教师|teacher/],
      [{ op: 'add_rule', rule: { post: 'teacher', dataset: 'grade', rows: 'section', hidden: ['scor'], clause: '2.2.1' } }, /score/],
      [{ op: 'add_rule', rule: { post: 'teacher', dataset: 'grade', rows: 'section' } }, /clause/],
      [{ op: 'add_rule', rule: { post: 'system_admin', dataset: 'grade', rows: 'all', clause: '2.1.1' } }, /4\.3\.2/],
      [{ op: 'set_setting', name: 'graduate_years', value: 11 }, /min|max/],
      [{ op: 'set_setting', name: 'nothing', value: 1 }, /setting/],
      [{ op: 'set_power', name: 'regulation_approve', post: [] }, /post/],
      [{ op: 'remove_rule', id: 99999 }, /rule/],
      [{ op: 'put_post', post: { name: 'dean', label: { zh: '院长', en: 'dean' }, clause: '2.1.4', from: 'post_holding', where: { field: 'post', op: 'eq', value: 'department_head' } } }, /me/],
      [{ op: 'burn' }, /op/],
    ];
    for (const [change, says] of wrong) {
      const problem = isProblem(await person.post('/api/regulation/preview', { changes: [change] }), 422);
      assert.equal(problem.type, 'regulation.change_invalid', JSON.stringify(change));
      assert.ok(problem.fields.some((field) => says.test(`${field.field} ${field.text.zh} ${field.text.en}`)), JSON.stringify(problem.fields));
      isProblem(await person.sign('/api/regulation/proposals', { base, note: 'x', changes: [change] }), 422);
    }
    for (const body of [{}, { base }, { base, note: '', changes: [{ op: 'remove_rule', id: 1 }] }, { base, changes: 7, note: 'x' }]) {
      isProblem(await person.sign('/api/regulation/proposals', body), 422);
    }
    const same = (await read(person)).settings.find(({ name }) => name === 'graduate_years').value;
    assert.equal(isProblem(await person.post('/api/regulation/preview', { changes: [{ op: 'set_setting', name: 'graduate_years', value: same }] }), 409).type, 'regulation.same');
    assert.equal((await read(person)).in_force, base);
  });

  test('§2.1.1.b the effect is told before it is proposed, in numbers to whoever may see the rows', async () => {
    const person = await office();
    const regulation = await read(person);
    const teacher = ruleOf(regulation, 'teacher', 'grade');
    const widen = { changes: [{ op: 'put_rule', id: teacher.id, rule: { ...teacher, rows: 'all' } }] };
    const preview = (await person.post('/api/regulation/preview', widen)).json;
    assert.deepEqual(preview.changes.map(({ kind, key }) => [kind, key]), [['rule', String(teacher.id)]]);
    const effect = effectOf(preview, 'teacher', 'grade');
    assert.equal(preview.effect.widens, true);
    assert.equal(preview.effect.narrows, false);
    assert.deepEqual(effect.fields, []);
    assert.ok(isText(effect.rows.before[0].text) && /全部/.test(effect.rows.after[0].text.zh));
    // Counted apart: all grades less those that the teacher sees already.
    const all = (await person.rows({ dataset: 'grade', measures: [{ fn: 'count' }] }))[0][0];
    assert.ok(effect.holders >= 3 && effect.numbers.length === 3);
    for (const one of effect.numbers) assert.ok(one.lost === 0 && one.gained > 0 && one.gained <= all, JSON.stringify(one));
    assert.ok(effect.samples.gained.length > 0 && effect.samples.gained.length <= 5);
    const known = world.accountsOf('teacher').find(({ account }) => effect.numbers.some((one) => one.account === account));
    if (known) {
      const own = (await (await world.as('teacher', world.accountsOf('teacher').indexOf(known))).rows({ dataset: 'grade', measures: [{ fn: 'count' }] }))[0][0];
      assert.equal(effect.numbers.find((one) => one.account === known.account).gained, all - own);
    }
    // Whoever may not query grades gets words.
    const watcher = await security();
    const words = effectOf((await watcher.post('/api/regulation/preview', widen)).json, 'teacher', 'grade');
    assert.equal(words.numbers, null);
    assert.equal(words.samples, null);
    assert.ok(isText(words.why) && isText(words.rows.after[0].text));
  });

  test('§2.1.1.b fields and settings have their effect, too', async () => {
    const person = await office();
    const regulation = await read(person);
    const adviser = ruleOf(regulation, 'class_adviser', 'student');
    const preview = (await person.post('/api/regulation/preview', { changes: [
      { op: 'put_rule', id: adviser.id, rule: { ...adviser, hidden: ['postcode', 'guardian_name', 'guardian_phone', 'phone'], masked: ['exam_number', 'home_address'] } },
    ] })).json;
    const effect = effectOf(preview, 'class_adviser', 'student');
    assert.deepEqual(effect.fields.map(({ name, before, after }) => [name, before, after]).sort(), [['id_number', 'masked', 'clear'], ['phone', 'clear', 'hidden']]);
    assert.ok(preview.effect.widens && preview.effect.narrows);
    const one = effect.numbers.find(({ cells }) => cells.length > 0);
    assert.ok(one, JSON.stringify(effect.numbers));
    assert.equal(one.gained, 0);
    const cells = Object.fromEntries(one.cells.map(({ field, gained, lost }) => [field, [gained, lost]]));
    assert.ok(cells.phone[1] > 0 && cells.phone[0] === 0 && cells.id_number[0] === cells.phone[1], JSON.stringify(cells));
    const years = (await person.post('/api/regulation/preview', { changes: [{ op: 'set_setting', name: 'teacher_years', value: 0 }] })).json;
    const grades = effectOf(years, 'teacher', 'grade');
    assert.ok(grades && grades.numbers.every(({ gained }) => gained === 0) && grades.numbers.some(({ lost }) => lost > 0), JSON.stringify(grades));
    assert.ok(effectOf(years, 'teacher', 'term'), 'who teaches no more holds the post no more');
    assert.equal(effectOf(years, 'student', 'grade'), undefined);
  });

  test('a preview tells nobody what they may not query, and takes proposals older than what is in force', async () => {
    const curious = (from, where) => ({ changes: [
      { op: 'put_post', post: { name: 'curious', label: { zh: '好奇', en: 'curious' }, clause: '2.1.1', from, where: { all: where } } },
      { op: 'add_rule', rule: { post: 'curious', dataset: 'term', rows: 'all', clause: '2.1.1' } }] });
    const asks = [
      [await security(), curious('student', [{ field: 'id', is: 'me' }, { field: 'guardian_phone', op: 'starts', value: '1' }])],
      [await security(), curious('grade', [{ field: 'student', is: 'me' }, { field: 'score', op: 'lt', value: 60 }])],
      [await office(), curious('payment', [{ field: 'student', is: 'me' }, { field: 'bank_card', op: 'starts', value: '6' }])],
    ];
    for (const [person, asked] of asks) {
      const answer = await person.post('/api/regulation/preview', asked);
      assert.equal(answer.status, 200, answer.text);
      const effect = effectOf(answer.json, 'curious', 'term');
      assert.deepEqual([effect.holders, effect.numbers, effect.samples], [null, null, null], answer.text);
      assert.ok(isText(effect.why));
    }
    const person = await office();
    const open = curious('student', [{ field: 'id', is: 'me' }, { field: 'sex', op: 'eq', value: '1' }]);
    assert.ok(effectOf((await person.post('/api/regulation/preview', open)).json, 'curious', 'term').holders > 0);
    // Proposals against a version without the post, and with one that is no more in force.
    const { in_force: base } = await read(person);
    const older = (await person.sign('/api/regulation/proposals', { base, note: '旧', ...open })).json.proposal;
    const other = curious('student', [{ field: 'id', is: 'me' }]);
    for (const change of other.changes) JSON.stringify(change).includes('put_post') ? (change.post.name = 'dean') : (change.rule.post = 'dean');
    const done = await settle({ base, note: '新岗位', ...other });
    for (const viewer of [person, await security()]) {
      const answer = await viewer.post('/api/regulation/preview', { proposal: older });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(effectOf(answer.json, 'dean', 'term') && effectOf(answer.json, 'curious', 'term'));
    }
    assert.equal((await person.sign(`/api/regulation/proposals/${older}/withdraw`, {})).status, 200);
    const back = (await person.sign('/api/regulation/rollback', { base: done.version, to: base, note: '恢复' })).json.proposal;
    assert.equal((await decide(await second(), back, 'approve')).status, 200);
  });

  test('whose rows stood in a sample can see that', async () => {
    const person = await office();
    const regulation = await read(person);
    const own = ruleOf(regulation, 'class_adviser', 'award');
    const preview = (await person.post('/api/regulation/preview', { changes: [{ op: 'put_rule', id: own.id, rule: { ...own, rows: 'all' } }] })).json;
    const { samples } = effectOf(preview, 'class_adviser', 'award');
    const at = samples.columns.findIndex(({ name }) => name === 'student');
    const number = samples.gained[0][at];
    assert.equal(preview.record.split('/').length > 1, true);
    const rows = await sqlOutside(world.db, `SELECT COUNT(*) FROM ${world.kind === 'sqlite' ? '' : 'record.'}access_log WHERE dataset = 'award'`, { record: true });
    assert.ok(Number(rows) > 0, `${number}: ${rows}`);
  });

  test('§2.1.1.b four eyes: nobody decides about what they proposed; the second person shows who they are', async () => {
    const person = await office();
    const before = (await read(person)).in_force;
    const elsewhere = await world.enter('academic_office');
    for (const [path, body] of [['/api/regulation/proposals', await hide(person)], ['/api/regulation/rollback', { base: before, to: 1, note: 'x' }], ['/api/regulation/proposals/1/withdraw', {}]])
      assert.equal(isProblem(await elsewhere.post(path, body), 403).type, 'identity.signature_missing', path);
    const made = await person.sign('/api/regulation/proposals', await hide(person));
    assert.equal(made.status, 200, made.text);
    const id = made.json.proposal;
    assert.ok(made.json.record);
    for (const what of ['approve', 'reject']) {
      assert.equal(isProblem(await decide(person, id, what, { reason: 'x' }), 403).type, 'regulation.own_proposal');
    }
    const other = await second();
    isProblem(await other.post(`/api/regulation/proposals/${id}/approve`, { password: 'wrong-password-1' }), 403);
    isProblem(await other.post(`/api/regulation/proposals/${id}/approve`, {}), 403);
    assert.equal(isProblem(await other.sign(`/api/regulation/proposals/${id}/withdraw`, {}), 403).type, 'regulation.not_own_proposal');
    isProblem(await decide(await world.as('audit_admin'), id, 'approve'), 403);
    isProblem(await decide(await world.as('teacher'), id, 'approve'), 403);
    assert.equal(isProblem(await decide(other, id, 'reject', { reason: ' ' }), 422).type, 'text.not_accepted');
    const rejected = await decide(other, id, 'reject', { reason: '理由不足' });
    assert.equal(rejected.status, 200, rejected.text);
    assert.equal(isProblem(await decide(other, id, 'approve'), 409).type, 'regulation.decided');
    const [told] = await person.rows({ dataset: 'regulation_proposal', fields: ['state', 'answer', 'proposer'], where: { field: 'number', op: 'eq', value: id } });
    assert.deepEqual(told, ['rejected', '理由不足', person.account]);
    const again = await person.sign('/api/regulation/proposals', await hide(person));
    assert.equal((await person.sign(`/api/regulation/proposals/${again.json.proposal}/withdraw`, {})).status, 200);
    assert.equal((await read(person)).in_force, before);
    // Nor about what they would gain, by whatever post: the one who gains nothing decides.
    const card = { op: 'add_rule', rule: { post: 'academic_office', dataset: 'payment', rows: 'all', clause: '2.1.1' } };
    const gain = (await person.sign('/api/regulation/proposals', { base: before, note: '全部明文', changes: [card] })).json.proposal;
    assert.equal(isProblem(await decide(other, gain, 'approve'), 403).type, 'regulation.own_favour');
    assert.equal((await decide(await security(), gain, 'reject', { reason: '不必' })).status, 200);
    isProblem(await decide(other, 4711, 'approve'), 404);
    isProblem(await decide(other, 'x', 'approve'), 404);
  });

  test('§2.1.1.b approved by another it is in force on the next statement, with history, difference and roll-back', async () => {
    const adviser = await world.as('class_adviser');
    const asked = { dataset: 'student', fields: ['number', 'phone'], limit: 5 };
    assert.equal((await adviser.query(asked)).status, 200);
    const person = await office();
    const before = (await read(person)).in_force;
    const done = await settle(await hide(person, '电话改为不可见'));
    assert.equal(done.version, before + 1);
    assert.equal(isProblem(await adviser.query(asked), 403).type, 'policy.field_closed');
    const regulation = await read(person);
    assert.equal(regulation.in_force, done.version);
    const [[, kind, note, proposed_by, approved_by]] = await versions(person);
    assert.deepEqual([note, kind], ['电话改为不可见', 'change']);
    assert.ok(proposed_by && approved_by && proposed_by !== approved_by);
    const differs = (await person.get(`/api/regulation/difference?from=${before}&to=${done.version}`)).json.changes;
    assert.equal(differs.length, 1);
    assert.ok(differs[0].after.hidden.includes('phone') && !differs[0].before.hidden.includes('phone'));
    const old = (await person.get(`/api/regulation?version=${before}`)).json;
    assert.ok(!ruleOf(old, 'class_adviser', 'student').hidden.includes('phone'));
    isProblem(await person.get('/api/regulation?version=999'), 404);
    isProblem(await person.get('/api/regulation?version=x'), 404);

    const back = await person.sign('/api/regulation/rollback', { base: done.version, to: before, note: '恢复' });
    assert.equal(back.status, 200, back.text);
    assert.equal(isProblem(await decide(person, back.json.proposal, 'approve'), 403).type, 'regulation.own_proposal');
    assert.equal((await decide(await second(), back.json.proposal, 'approve')).status, 200);
    assert.equal((await adviser.query(asked)).status, 200);
    const after = await read(person);
    const [[newest, made, , , , rolled_back_to]] = await versions(person);
    assert.deepEqual([after.in_force, newest, made, rolled_back_to], [done.version + 1, done.version + 1, 'rollback', before]);
    assert.deepEqual((await person.get(`/api/regulation/difference?from=${before}&to=${after.in_force}`)).json.changes, []);
    isProblem(await person.sign('/api/regulation/rollback', { base: after.in_force, to: 999, note: 'x' }), 404);
    assert.equal(isProblem(await person.sign('/api/regulation/rollback', { base: after.in_force, to: before, note: 'x' }), 409).type, 'regulation.same');
  });

  test('§2.1.1.b a proposal against an older version is refused with what changed', async () => {
    const person = await office();
    const stale = await hide(person);
    const waiting = await person.sign('/api/regulation/proposals', stale);
    const before = await read(person);
    const years = before.settings.find(({ name }) => name === 'decision_days').value;
    await settle({ base: before.in_force, note: '期限', changes: [{ op: 'set_setting', name: 'decision_days', value: years + 1 }] });
    for (const answer of [await person.sign('/api/regulation/proposals', stale), await decide(await second(), waiting.json.proposal, 'approve')]) {
      const problem = isProblem(answer, 409);
      assert.equal(problem.type, 'regulation.base_changed');
      assert.deepEqual(problem.fields.map(({ field }) => field), ['setting.decision_days']);
    }
    assert.equal((await decide(await second(), waiting.json.proposal, 'reject', { reason: '已过时' })).status, 200);
    assert.equal((await read(person)).settings.find(({ name }) => name === 'decision_days').value, years + 1);
  });

  test('§2.1.1.b two who decide at once: one does, the other hears that it is decided', async () => {
    const person = await office();
    const made = await person.sign('/api/regulation/proposals', await hide(person, '同时'));
    const before = (await read(person)).in_force;
    const answers = await Promise.all([decide(await second(), made.json.proposal, 'approve'), decide(await security(), made.json.proposal, 'approve')]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409], answers.map(({ text }) => text).join('\n'));
    assert.equal(answers.find(({ status }) => status === 409).json.type, 'regulation.decided');
    assert.equal((await read(person)).in_force, before + 1);
    // Two proposals of one base, approved at once.
    const base = before + 1;
    const [a, b] = await Promise.all([8, 9].map((value) => person.sign('/api/regulation/proposals', { base, note: 'x', changes: [{ op: 'set_setting', name: 'sign_days', value }] })));
    assert.deepEqual([a.status, b.status], [200, 200]);
    const both = await Promise.all([decide(await second(), a.json.proposal, 'approve'), decide(await security(), b.json.proposal, 'approve')]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    assert.equal(both.find(({ status }) => status === 409).json.type, 'regulation.base_changed');
    await settle({ base: base + 1, note: '还原', changes: [{ op: 'put_rule', id: ruleOf(await read(person), 'class_adviser', 'student').id, rule: ruleOf((await person.get('/api/regulation?version=1')).json, 'class_adviser', 'student') }] });
  });

  test('§2.1.1.d a setting changes what follows from it on the next statement', async () => {
    const graduate = await world.as('graduate');
    const person = await office();
    assert.ok((await graduate.rows({ dataset: 'grade', limit: 3 })).length > 0);
    const value = (await read(person)).settings.find(({ name }) => name === 'graduate_years').value;
    const change = async (years) => settle({ base: (await read(person)).in_force, note: `${years}`, clause: '2.3.2', changes: [{ op: 'set_setting', name: 'graduate_years', value: years }] });
    await change(0);
    isProblem(await graduate.query({ dataset: 'grade', limit: 3 }), 403);
    await change(value);
    assert.ok((await graduate.rows({ dataset: 'grade', limit: 3 })).length > 0);
  });

  test('what a new version takes away is gone on the next statement of another node', async (t) => {
    if (world.kind === 'sqlite') return t.skip('one node by nature');
    const other = await Server.start(world.db, '--node', 'second');
    try {
      const teacher = await world.enter('teacher', 0, other);
      assert.equal((await teacher.query({ dataset: 'grade', limit: 1 })).status, 200);
      const person = await office();
      const rule = ruleOf(await read(person), 'teacher', 'grade');
      await settle({ base: (await read(person)).in_force, note: '收回', changes: [{ op: 'remove_rule', id: rule.id }] });
      assert.equal(isProblem(await teacher.query({ dataset: 'grade', limit: 1 }), 403).type, 'policy.action_closed', 'grades are still entered');
      await settle({ base: (await read(person)).in_force, note: '恢复', changes: [{ op: 'add_rule', rule }] });
      assert.equal((await teacher.query({ dataset: 'grade', limit: 1 })).status, 200);
      const again = ruleOf(await read(person), 'teacher', 'grade');
      assert.ok(again.id > rule.id, 'the number of a rule is never used again');
    } finally {
      await other.stop();
    }
  });

  test('§4.3.2.a who sees this cell: exactly those who do', async () => {
    const audit = await world.as('audit_admin');
    const student = await world.as('student');
    const [[number, section]] = await student.rows({ dataset: 'grade', fields: ['student', 'section'], limit: 1 });
    const keys = (await (await office()).get('/api/datasets/grade')).json.key;
    const [key] = await student.rows({ dataset: 'grade', fields: keys, limit: 1 });
    const ask = (field, dataset = 'grade', of = key.join('~'), by = audit) => by.get(`/api/sight/cell?dataset=${dataset}&key=${encodeURIComponent(of)}&field=${field}`);
    const told = ({ json: { record, ...rest } }) => JSON.stringify(rest);
    // Who may not query data hears of the rules alone: the same for every row, and for one that is not there.
    const answer = await ask('score');
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.json.by === 'rule' && [...answer.json.clear, ...answer.json.masked].every(({ holders, people }) => holders === null && people.length === 0));
    for (const of of ['no~such', 'x', '202400001~nothing~1']) assert.equal(told(await ask('score', 'grade', of)), told(answer), of);
    const posts = answer.json.clear.filter(({ grant }) => !grant).map(({ post }) => post.name);
    assert.ok(['academic_office', 'teacher', 'class_adviser', 'student'].every((name) => posts.includes(name)));
    assert.ok(!['finance_office', 'system_admin', 'security_admin', 'audit_admin'].some((name) => posts.includes(name)));
    // Who may query the row and who holds the posts hears who that is, and those named can see so.
    const seen = await ask('score', 'grade', key.join('~'), await office());
    const by = Object.fromEntries(seen.json.clear.filter(({ grant }) => !grant).map((one) => [one.post.name, one]));
    assert.ok(seen.json.by === 'row' && by.academic_office.holders >= 3 && by.student.holders === 1);
    assert.equal(by.student.people[0].account, number);
    assert.ok(by.student.clause === '2.3.1' && isText(by.student.rows) && by.student.rule > 0);
    const teachers = await (await office()).rows({ dataset: 'section_teacher', fields: ['teacher'], where: { field: 'section', op: 'eq', value: section }, limit: 50 });
    if (by.teacher) for (const { account } of by.teacher.people) assert.ok(teachers.some(([one]) => one === account), account);
    const mine = await student.rows({ dataset: 'access_log', fields: ['dataset', 'post'], order: [{ field: 'leaf', desc: true }], limit: 3 });
    assert.ok(mine.some(([dataset, post]) => ['grade', 'student'].includes(dataset) && post === 'academic_office'), JSON.stringify(mine));
    const masked = (await ask('id_number', 'student', number, await office())).json;
    assert.ok(masked.masked.every(({ post }) => post.name === 'class_adviser'), JSON.stringify(masked.masked));
    assert.ok(masked.clear.some(({ post }) => post.name === 'student_office'));
    assert.ok(!seen.text.includes('"score":'), 'no data is told');
    assert.equal(isProblem(await ask('nothing'), 404).type, 'query.field_unknown');
    assert.equal(isProblem(await ask('score', 'nothing'), 404).type, 'query.dataset_unknown');
  });

  test('what this person sees, and why', async () => {
    const audit = await office();
    const teacher = await world.as('teacher');
    const answer = (await audit.get(`/api/sight/person?account=${teacher.account}`)).json;
    assert.ok(answer.live && answer.posts.some(({ name }) => name === 'teacher') && answer.record);
    const grade = answer.datasets.find(({ name }) => name === 'grade');
    assert.ok(grade.permits.every(({ clause, rows, actions }) => clause && isText(rows) && actions.length > 0));
    const offered = (await teacher.get('/api/datasets')).json.datasets.map(({ name }) => name);
    for (const name of offered) assert.ok(answer.datasets.some((each) => each.name === name), name);
    const fields = (await teacher.get('/api/datasets/attendance')).json.fields.filter(({ sight }) => sight === 'clear').map(({ name }) => name).sort();
    assert.deepEqual(answer.datasets.find(({ name }) => name === 'attendance').fields.filter(({ sight }) => sight === 'clear').map(({ name }) => name).sort(), fields);
    const student = await world.as('student');
    const grants = (await audit.get(`/api/sight/person?account=${student.account}`)).json.datasets.find(({ name }) => name === 'library_holding');
    assert.ok(grants.permits[0].grant && grants.permits[0].until);
    assert.equal(isProblem(await audit.get('/api/sight/person?account=nobody'), 404).type, 'identity.account_unknown');
    // Who holds what is not open to the administrators: of nobody, whether there is such an account or not (§4.3.2).
    for (const kind of ['audit_admin', 'security_admin']) {
      const closed = async (account) => { const { record, request, ...rest } = isProblem(await (await world.as(kind)).get(`/api/sight/person?account=${account}`), 403); return rest; };
      assert.deepEqual(await closed(teacher.account), await closed('nobody'));
      assert.equal((await closed('nobody')).type, 'query.sight_closed');
    }
  });

  test('§4.3.2.a the three administrators see no academic data, and nobody holds two of their posts', async () => {
    const regulation = await read(await office());
    const academic = new Set(regulation.datasets.filter(({ academic: is }) => is).map(({ name }) => name));
    const own = ['staff', 'post_holding'];
    for (const kind of ['system_admin', 'security_admin', 'audit_admin']) {
      assert.ok(regulation.rules.every(({ rule }) => rule.post !== kind || !academic.has(rule.dataset)));
      const person = await world.as(kind);
      for (const { name } of (await person.get('/api/datasets')).json.datasets) assert.ok(!academic.has(name) || own.includes(name), `${kind} ${name}`);
      isProblem(await person.query({ dataset: 'grade' }), 403);
    }
    // Found with two, one holds neither: the row is put past the program.
    const person = await world.enter('security_admin', 1);
    assert.equal((await person.get('/api/regulation')).status, 200);
    await sqlOutside(world.db, `INSERT INTO post_holding (id, staff, post, unit, begins, batch_id, since_us) SELECT 900001, staff, 'audit_admin', unit, begins, batch_id, since_us FROM post_holding WHERE post = 'security_admin' AND staff = (SELECT id FROM staff WHERE number = '${person.account}')`);
    await sqlOutside(world.db, 'UPDATE gate SET epoch = epoch + 1');
    isProblem(await person.get('/api/regulation'), 403);
    const told = (await (await office()).get(`/api/sight/person?account=${person.account}`)).json;
    assert.ok(!told.posts.some(({ name }) => name.endsWith('_admin')), JSON.stringify(told.posts));
  });
});

forEachStore('a regulation that cannot be understood', (world) => {
  const told = async () => (await world.server.request('GET', '/readyz')).json.problems.map(({ en }) => en).join('\n');
  const restart = async () => {
    await world.server.stop();
    world.server = await Server.start(world.db);
    world.people.clear();
  };
  const stored = (sql) => sqlOutside(world.db, sql);
  const grant = (id, effect, holder, dataset, content) => stored(
    `INSERT INTO access_grant (id, number, effect, ${holder[0]}, unit, dataset, content, valid_from, valid_until, source, made, title, holder, holder_name, state) `
    + `VALUES (${id}, 'X-${id}', '${effect}', '${holder[1]}', '', '${dataset}', '${content}', 0, 9000000000000000, '2.4.2', 0, '', '', '', 'valid')`);
  const grades = { dataset: 'grade', measures: [{ fn: 'count' }] };

  test('what is stored and not understood closes only itself: a permit opens nothing, a forbid closes its dataset', async () => {
    await grant(9001, 'permit', ['post', 'class_adviser'], 'no_such_dataset', '{"rows":"all"}');
    await grant(9002, 'permit', ['post', 'security_admin'], 'grade', '{"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]}');
    await grant(9003, 'forbid', ['post', 'teacher'], 'grade', '{"rows":"nobody_knows"}');
    await stored('UPDATE gate SET epoch = epoch + 1');
    for (const when of ['while it runs', 'after a start']) {
      assert.equal((await (await world.as('academic_office')).query(grades)).status, 200, when);
      assert.deepEqual((await (await world.as('teacher')).query(grades)).json.rows, [[0]], when);
      const text = await told();
      for (const number of ['X-9001', 'X-9002', 'X-9003']) assert.match(text, new RegExp(number), when);
      await restart();
    }
  });

  test('the operator brings a version back from the command line, on record', async () => {
    const was = JSON.parse(await stored('SELECT content FROM regulation_version WHERE version = 1'));
    const broken = structuredClone(was);
    broken.posts.find(({ name }) => name === 'academic_office').where = { field: 'no_such_field', is: 'me' };
    broken.rules.find(({ post, dataset }) => post === 'teacher' && dataset === 'grade').rows = 'no_such_relation';
    await stored("INSERT INTO regulation_version (id, version, kind, content, base, clause, note, proposed_by, proposed_name, approved_by, approved_name, proposed, approved) "
      + `VALUES (2, 2, 'change', '${JSON.stringify(broken).replaceAll("'", "''")}', 1, '2.1.1', '', 1, '', 2, '', 0, 0)`);
    await stored("UPDATE access_grant SET revoked = 1 WHERE number LIKE 'X-900%'");
    await stored('UPDATE gate SET epoch = epoch + 1');
    await restart();
    assert.match(await told(), /posts 1 .*\n|rules/);
    isProblem(await (await world.as('academic_office')).query(grades), 403);
    isProblem(await (await world.as('teacher')).query(grades), 403);
    assert.equal((await (await world.as('class_adviser')).query(grades)).status, 200, 'others go on');

    for (const words of [['rollback'], ['rollback', 'x', '--reason', 'y'], ['forward', '1', '--reason', 'y'], ['rollback', '1']]) {
      assert.equal((await run('regulation', ...words, '--db', world.db)).code, 2, words.join(' '));
    }
    assert.equal((await run('regulation', 'rollback', '77', '--db', world.db, '--reason', '试')).code, 1);
    const back = await run('regulation', 'rollback', '1', '--db', world.db, '--reason', '第 2 版有误');
    assert.equal(back.code, 0, back.err);
    assert.equal((await (await world.as('academic_office')).query(grades)).status, 200, 'in force at once');
    assert.equal((await (await world.as('teacher')).query(grades)).status, 200);
    assert.equal(await told(), '');
    const [newest] = await (await world.as('academic_office')).rows({ dataset: 'regulation_version', fields: ['version', 'kind', 'rolled_back_to', 'note'] });
    assert.deepEqual(newest, [3, 'rollback', 1, '第 2 版有误']);
    // What these tests put past the program is found, and nothing else.
    const verified = await run('audit', 'verify', '--db', world.db);
    assert.deepEqual((verified.out + verified.err).match(/表 \S+ 中的行 \d+ 没有任何记录写入过/g), [
      ...[9001, 9002, 9003].map((row) => `表 access_grant 中的行 ${row} 没有任何记录写入过`), '表 regulation_version 中的行 2 没有任何记录写入过',
    ]);
  });
});
