// The operator's commands on stores of one's own: a real start, an import, the record verified and tampered with, and every refusal.
import assert from 'node:assert/strict';
import { access, copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isProblem } from './checks.mjs';
import { clockFile, emptyStore, home, kinds, mustRun, Person, run, Server, signIn, sqlOutside, stores, temporary, university } from './support.mjs';

// The real export of a whole term stands beside the project where there is one; it is not ours to publish.
const realExport = process.env.JIAOWU_REAL_DATA ?? join(home, '..', 'shared', 'data', 'sections-2025-2026-1.json');
const hasRealExport = await access(realExport).then(() => true, () => false);
const servers = [];

async function serve(...words) {
  const server = await Server.start(...words);
  servers.push(server);
  return server;
}

after(async () => {
  for (const server of servers) await server.stop();
});

function row(change = {}) {
  return { jxb_id: 'A1', jxbmc: '(2025-2026-1)-CS1-01', kch: 'CS1', kch_id: 'CS1', kcmc: '数据结构', xnm: '2025', xqm: '3', kkbm_id: '03300', kkxy: '计算机学院', xf: '3.0', rwzxs: 48,
    jsxx: '张三, 李四', zjs: '张三', jszc: '张三', xqj: 1, jc: 3, skjc: '1-2节', zcd: 255, qsjsz: '1-8周', sksj: '星期一第1-2节{1-8周}', ...change };
}

const lastLine = (out) => JSON.parse(out.trimEnd().split('\n').at(-1));

for (const kind of stores) {
  describe(`commands [${kind}]`, { timeout: 110_000 }, () => {
    test('§3.1.1.a §4.3.3.a a real start: import, account add, serve, first sign-in, agreement, query', async () => {
      const db = await emptyStore(kind);
      const file = await temporary(`export_${kind}.json`);
      await writeFile(file, JSON.stringify([row(), row({ xqj: 3, skjc: '3-4节', jc: 12 }), row({ jxb_id: 'B1', jxbmc: '(2025-2026-1)-CS2-01', kch: 'CS2', kch_id: 'CS2', kcmc: '操作系统', jsxx: '王五', zjs: '王五' }), row({ xf: '3.25' }), 7]));
      const first = await mustRun('import', 'zfsoft-sections', file, '--db', db);
      const summary = lastLine(first.out);
      assert.deepEqual(Object.keys(summary), ['rows', 'sections', 'courses', 'teachers', 'meetings', 'problems']);
      assert.equal(summary.rows, 5);
      assert.equal(summary.sections, 2);
      assert.equal(summary.courses, 2);
      assert.equal(summary.teachers, 3);
      assert.ok(summary.problems >= 2);
      assert.match(first.out, /第 5 行/);
      const again = await mustRun('import', 'zfsoft-sections', file, '--db', db);
      assert.deepEqual(lastLine(again.out), summary);
      assert.match(again.out, /新增 0，更改 0/);

      const added = await mustRun('account', 'add', '--db', db, '--kind', 'academic_office', '--account', 'jwc1');
      const oneTime = added.out.trim();
      assert.match(oneTime, /^[0-9A-Z]{4}(-[0-9A-Z]{4})+$/);
      const second = await run('account', 'add', '--db', db, '--kind', 'academic_office', '--account', 'jwc2');
      assert.notEqual(second.code, 0);
      assert.match(second.err, /已有账号/);
      assert.equal(second.out, '');
      for (const words of [['--kind', 'no_such_kind', '--account', 'x'], ['--kind', 'student', '--account', 'x'], ['--kind', 'student', '--account', 'x', '--person', '404'], ['--kind', 'finance_office'], []]) {
        const refused = await run('account', 'add', '--db', db, ...words);
        assert.notEqual(refused.code, 0, words.join(' '));
        assert.doesNotMatch(refused.err, /SELECT|INSERT|\.cpp/);
      }

      const server = await serve(db);
      isProblem(await server.request('GET', '/api/demo/persons'), 404);
      isProblem(await server.request('POST', '/api/demo/session', { body: { account: 'jwc1' } }), 404);
      assert.equal(isProblem(await signIn(server, 'jwc1', oneTime), 403).type, 'identity.password_change_required');
      assert.equal(isProblem(await signIn(server, 'jwc1', oneTime, { new_password: 'short' }), 422).type, 'identity.password_rules');
      assert.equal(isProblem(await signIn(server, 'jwc1', oneTime, { new_password: oneTime }), 422).type, 'identity.password_rules');
      const password = 'Tea-House-77x';
      const signedIn = await signIn(server, 'jwc1', oneTime, { new_password: password });
      assert.equal(signedIn.status, 200);
      isProblem(await signIn(server, 'jwc1', oneTime), 401);
      const office = new Person(server, { account: 'jwc1', kind: 'academic_office' }, signedIn.json.token);
      // §4.3.3: nothing about persons until the agreement is signed.
      const due = isProblem(await office.query({ dataset: 'staff' }), 403);
      assert.ok(due.remedy);
      assert.equal((await office.get('/api/me')).json.due[0].kind, 'agreement');
      // Nor is anything done, signed or not; own notices and the account may be looked after.
      const window = { begins: '2029-01-10', ends: '2029-01-11', reason: { zh: '停', en: 'closed' } };
      for (const [path, body] of [['/api/calendar/windows', window], ['/api/cases', { kind: 'access', action: 'draft', content: {} }], ['/api/cases/2026-0001/approve', {}],
        ['/api/cases/2026-0001/attachments?name=a.pdf', {}], ['/api/deputies/1/accept', {}], ['/api/papers/D2026-000001/revocation', { reason: 'x' }], ['/api/documents', {}]]) {
        const problem = isProblem(await office.post(path, { ...body, password }), 403);
        assert.equal(problem.type, 'identity.agreement_due', path);
        assert.ok(problem.record && problem.remedy.clause === '4.3.3', path);
      }
      assert.deepEqual((await office.rows({ dataset: 'notice' })), []);
      assert.equal((await office.post('/api/notices/read', { all: true })).status, 200);
      assert.equal((await office.post('/api/session/factor', { password })).status, 200);
      isProblem(await office.post('/api/session/agreement', { password: 'wrong' }), 403);
      assert.equal((await office.post('/api/session/agreement', { password })).status, 200);
      assert.equal((await office.post('/api/calendar/windows', { ...window, password })).status, 200, 'at once');
      assert.equal((await office.rows({ dataset: 'staff', where: { field: 'name', op: 'in', value: ['张三', '李四', '王五'] } })).length, 3);
      assert.equal((await office.rows({ dataset: 'section', where: { field: 'course_name', op: 'contains', value: '数据' } })).length, 1);
      const [[weeks]] = await office.rows({ dataset: 'meeting', fields: ['weeks'], limit: 1 });
      assert.equal(weeks, '1-8');

      // Commands beside a running server, and the first account of another kind.
      const finance = (await mustRun('account', 'add', '--db', db, '--kind', 'finance_office', '--account', 'cwc1')).out.trim();
      assert.notEqual(finance, oneTime);
      assert.equal(isProblem(await signIn(server, 'cwc1', finance), 403).type, 'identity.password_change_required');
      const acts = await mustRun('audit', 'verify', '--db', db);
      assert.match(acts.out, /the record holds/);

      const refused = await run('serve', '--db', db, '--listen', '127.0.0.1:0', '--clock', await clockFile(`clock_real_${kind}`, '2030-01-01T00:00:00Z'));
      assert.notEqual(refused.code, 0);
      assert.match(refused.err, /made-up|虚构/);
      const made = await run('demo', '--db', db, '--students', '300', '--seed', '1', '--accounts', await temporary('never.json'));
      assert.notEqual(made.code, 0, 'demo over real data');
      assert.match(made.err, /has data already|已有数据/);
      await assert.rejects(access(await temporary('never.json')), 'no accounts are written');
      assert.equal((await office.rows({ dataset: 'staff', where: { field: 'name', op: 'in', value: ['张三', '李四', '王五'] } })).length, 3);
      assert.equal((await office.get('/api/me')).json.store.made_up, false);
    });

    test('§3.1.1.a five wrong passwords lock a real account, and the right one says so once', async () => {
      const db = await emptyStore(kind);
      const file = await temporary(`export_lock_${kind}.json`);
      await writeFile(file, JSON.stringify([row()]));
      await mustRun('import', 'zfsoft-sections', file, '--db', db);
      const oneTime = (await mustRun('account', 'add', '--db', db, '--kind', 'academic_office', '--account', 'jwc1')).out.trim();
      const server = await serve(db);
      for (let turn = 0; turn < 5; turn += 1) isProblem(await signIn(server, 'jwc1', `wrong-${turn}`), 401);
      const locked = await signIn(server, 'jwc1', oneTime);
      assert.equal(isProblem(locked, 429).type, 'identity.locked');
      isProblem(await signIn(server, 'jwc1', 'wrong again'), 401);
    });

    test('migrate says that the tables agree', async () => {
      const { db } = await university(kind);
      const agreed = await mustRun('migrate', '--db', db);
      assert.match(agreed.out, /the tables agree with the catalogue/);
      // One more field in a catalogue of one's own: shown, applied, agreed.
      const other = await temporary(`home_${kind}`);
      for (const part of ['catalog', 'regulation', 'db', 'modules']) await cp(join(home, part), join(other, part), { recursive: true });
      const field = '\n[[field]]\nname = "dormitory_wish"\nlabel = { zh = "住宿意愿", en = "Dormitory wish" }\ntype = "text(20)"\nlevel = 2\n';
      const file = join(other, 'catalog', 'housing.toml');
      await writeFile(file, (await readFile(file, 'utf8')) + field);
      const differs = await run('migrate', '--db', db, '--home', other);
      assert.equal(differs.code, 3, differs.out + differs.err);
      assert.match(differs.out, /dormitory_wish/);
      assert.match((await mustRun('migrate', '--db', db)).out, /agree/);
      await mustRun('migrate', '--db', db, '--home', other, '--apply');
      assert.match((await mustRun('migrate', '--db', db, '--home', other)).out, /agree/);
      // The field is gone from the delivered catalogue: taking columns away is never done quietly.
      const gone = await run('serve', '--db', db, '--listen', '127.0.0.1:0');
      assert.equal(gone.code, 1, gone.out + gone.err);
      assert.match(gone.err, /jiaowu migrate/);
      assert.match(gone.err, /housing.*dormitory_wish/, 'the field is named');
      // Whoever deletes stored values names them, and it is on record.
      for (const words of [['--apply'], ['--apply', '--drop', 'housing'], ['--drop', 'housing.dormitory_wish']]) {
        const asked = await run('migrate', '--db', db, ...words);
        assert.equal(asked.code, 3, `${words.join(' ')}: ${asked.out}${asked.err}`);
        assert.match((await mustRun('migrate', '--db', db, '--home', other)).out, /agree/, `nothing was changed by ${words.join(' ')}`);
      }
      await mustRun('migrate', '--db', db, '--apply', '--drop', 'housing.dormitory_wish');
      assert.match((await mustRun('migrate', '--db', db)).out, /agree/);
      assert.match((await mustRun('audit', 'verify', '--db', db)).out, /the record holds/);
    });

    test('migrate deletes a dataset only when it is named, after looking at the rows, and leaves a leaf', async () => {
      const { db } = await university(kind);
      const other = await temporary(`home_more_${kind}`);
      for (const part of ['catalog', 'regulation', 'db', 'modules']) await cp(join(home, part), join(other, part), { recursive: true });
      await writeFile(join(other, 'catalog', 'club.toml'), 'name = "club"\nlabel = { zh = "社团", en = "Club" }\nmodule = "reference"\nowner = { unit = "jwc", post = "academic_office" }\n'
        + 'key = ["code"]\norder = ["code"]\nshow = ["code"]\n\n[[field]]\nname = "code"\nlabel = { zh = "编号", en = "Code" }\ntype = "text(20)"\nlevel = 1\nrequired = true\nexample = "A1"\n');
      await mustRun('migrate', '--db', db, '--home', other, '--apply');
      const leaves = async () => Number(await sqlOutside(db, kind === 'sqlite' ? 'SELECT COUNT(*) FROM leaf' : 'SELECT COUNT(*) FROM record.leaf', { record: true }));
      const before = await leaves();
      assert.equal((await run('migrate', '--db', db, '--apply')).code, 3);
      assert.equal(await leaves(), before);
      // Rows altered behind the system's back are found before a change of structure could state them anew.
      const one = 'WHERE id = (SELECT MAX(id) FROM account)';
      await sqlOutside(db, `UPDATE account SET created_us = created_us + 1 ${one}`);
      const refused = await run('migrate', '--db', db, '--apply', '--drop', 'club');
      assert.equal(refused.code, 1);
      assert.match(refused.out, /table account/);
      await sqlOutside(db, `UPDATE account SET created_us = created_us - 1 ${one}`);
      await mustRun('migrate', '--db', db, '--apply', '--drop', 'club');
      assert.ok(await leaves() > before);
      assert.match((await mustRun('audit', 'verify', '--db', db)).out, /the record holds/);
    });

    test('demo refuses a filled store, and is the same from the same seed', async () => {
      const { db, file, accounts } = await university(kind);
      for (const each of kinds) assert.ok(accounts.filter((one) => one.kind === each).length >= 2, each);
      for (const each of accounts) assert.deepEqual(Object.keys(each), ['kind', 'account', 'password', 'name', 'note']);
      const again = await run('demo', '--db', db, '--students', '300', '--seed', '1', '--accounts', await temporary('again.json'));
      assert.notEqual(again.code, 0);
      const other = await university(kind);
      assert.equal(await readFile(other.file, 'utf8'), await readFile(file, 'utf8'));
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
      for (const words of [[], ['--db', db], ['--db', await emptyStore(kind), '--students', '-5', '--accounts', file], ['--db', await emptyStore(kind), '--students', 'many', '--accounts', file]]) {
        assert.notEqual((await run('demo', ...words)).code, 0, words.join(' '));
      }
    });

    test('§1.3.3.b §4.3.2.b audit verify finds every kind of tampering', async () => {
      const { db } = await university(kind);
      const server = await serve(db);
      const old = (await server.request('GET', '/api/audit/checkpoint')).json.checkpoint;
      await server.request('POST', '/api/demo/session', { body: { account: '2024010001' } });
      const newer = (await server.request('GET', '/api/audit/checkpoint')).json.checkpoint;
      await server.stop();
      const [before, now] = [await temporary(`old_${kind}.txt`), await temporary(`new_${kind}.txt`)];
      await writeFile(before, old);
      await writeFile(now, newer);
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
      assert.equal((await run('audit', 'verify', '--db', db, '--against', before)).code, 0);
      assert.equal((await run('audit', 'verify', '--db', db, '--against', now)).code, 0);
      await writeFile(before, old.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`));
      assert.notEqual((await run('audit', 'verify', '--db', db, '--against', before)).code, 0, 'a checkpoint that was never signed');
      await writeFile(before, 'not a checkpoint');
      assert.notEqual((await run('audit', 'verify', '--db', db, '--against', before)).code, 0);

      const leaf = kind === 'sqlite' ? 'leaf' : 'record.leaf';
      const outside = (sql) => sqlOutside(db, sql, { record: true });
      const flip = (column) => (kind === 'sqlite' ? `UPDATE leaf SET ${column} = CAST(${column} || x'00' AS BLOB)` : `UPDATE record.leaf SET ${column} = set_byte(${column}, 3, get_byte(${column}, 3) # 1)`);
      const tamperings = [`${flip('header')} WHERE seq = 2`, `${flip('body')} WHERE seq = 3`, `${flip('hash')} WHERE seq = 1`, `DELETE FROM ${leaf} WHERE seq = 2`,
        `DELETE FROM ${leaf} WHERE seq = (SELECT MAX(seq) FROM ${leaf})`, `UPDATE ${leaf} SET time_us = time_us + 1 WHERE seq = 2`, `UPDATE ${leaf} SET account = 4242 WHERE seq = 2`];
      for (const sql of tamperings) {
        await whileChanged(kind, db, sql, outside, async () => {
          const found = await run('audit', 'verify', '--db', db);
          assert.equal(found.code, 1, `${sql}: ${found.out}${found.err}`);
          assert.notEqual(found.out.trim(), '');
        });
      }
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0, 'whole again');
    });

    test('§1.3.3.b what was done is compared with the rows that are there', async () => {
      const { db } = await university(kind);
      const outside = (sql) => sqlOutside(db, sql);
      const alterations = {
        account: ['UPDATE account SET created_us = created_us + 1 WHERE id = (SELECT MIN(id) FROM account)'],
        store_fact: ["UPDATE store_fact SET value = '大学' WHERE name = 'school_zh'"],
        grade: ['UPDATE grade SET score = 1000 WHERE id = (SELECT MIN(id) FROM grade)'],
        calendar_day: ['DELETE FROM calendar_day'],
        regulation_version: ["UPDATE regulation_version SET note = 'x'"],
        secret: ["DELETE FROM secret WHERE name = 'page_token'"],
      };
      for (const [table, [sql]] of Object.entries(alterations)) {
        await outside(sql);
        const found = await run('audit', 'verify', '--db', db);
        assert.equal(found.code, 1, table);
        assert.match(found.out, new RegExp(`table ${table}`), table);
      }
    });

    test('every command that writes the record takes the key file that is named, wherever it lies', async () => {
      const db = await emptyStore(kind);
      const key = await temporary(`elsewhere_${kind}/key`);
      const years = await temporary(`years_${kind}.toml`);
      const off = ['01-01', '02-01/02-08', '05-01/05-02', '10-01/10-03'].map((days) => `{ days = "${days}", name = { zh = "假", en = "holiday" } }`);
      await writeFile(years, `[[year]]\nyear = 2060\nprovisional = true\noff = [${off.join(', ')}]\n`);
      const sections = await temporary(`sections_${kind}.json`);
      await writeFile(sections, JSON.stringify([row()]));
      await mustRun('init', '--db', db, '--key-file', key);
      const commands = [['calendar', 'import', years, '--db', db], ['regulation', 'rollback', '1', '--db', db, '--reason', 'x'], ['import', 'zfsoft-sections', sections, '--db', db]];
      for (const words of commands) {
        const without = await run(...words);
        assert.match(without.err, /--key-file.*读不到.*cannot be read/s, words[0]);
        const found = await run(...words, '--key-file', key);
        assert.doesNotMatch(found.err, /--key-file/, words[0]);
      }
      assert.match((await mustRun('audit', 'verify', '--db', db, '--key-file', key)).out, /the record holds/);
    });

    test('the key of signed steps lies in the key file; what an older store held goes there once', async () => {
      const db = await emptyStore(kind);
      const key = await temporary(`steps_${kind}/key`);
      const named = ['--db', db, '--key-file', key];
      await mustRun('init', ...named);
      const secrets = () => sqlOutside(db, "SELECT COUNT(*) FROM secret WHERE name = 'case_signature'");
      assert.equal(await secrets(), '0', 'a new store holds none');
      const made = await readFile(key, 'utf8');
      assert.match(made, /^[0-9a-f]{64}\n$/);
      // As a version before left it.
      const held = '5a'.repeat(32);
      await sqlOutside(db, "DELETE FROM store_fact WHERE name = 'step_keys'");
      await sqlOutside(db, `INSERT INTO secret (name, value) VALUES ('case_signature', ${kind === 'sqlite' ? `x'${held}'` : `'\\x${held}'`})`);
      await mustRun('record', 'adopt', ...named, '--reason', 'as an older version left it');
      assert.equal(await secrets(), '0');
      assert.equal(await readFile(key, 'utf8'), `${made}${held}\n`);
      assert.match((await mustRun('audit', 'verify', ...named)).out, /the record holds/);
      await mustRun('init', ...named);
      // Another node with the file as it was before would sign with another key: it does not start.
      const older = await temporary(`steps_${kind}/older`);
      await writeFile(older, made, { mode: 0o600 });
      const apart = await run('init', '--db', db, '--key-file', older);
      assert.equal(apart.code, 1);
      assert.match(apart.err, /不是这份记录的密钥.*another key/s);
    });

    test('serve makes no store: init does, and what does not fit is closed until it is adopted', async () => {
      const db = kind === 'sqlite' ? `sqlite:${await temporary('mistyped.db')}` : await emptyStore(kind);
      const none = await run('serve', '--db', db, '--listen', '127.0.0.1:0');
      assert.equal(none.code, 1);
      assert.match(none.err, /jiaowu init/);
      if (kind === 'sqlite') await assert.rejects(access(await temporary('mistyped.db')));
      await mustRun('init', '--db', db);
      assert.match((await mustRun('audit', 'verify', '--db', db)).out, /the record holds/);
      await sqlOutside(db, 'UPDATE record_bond SET turn = turn + 1');
      const server = await Server.startClosed(db);
      const ready = await server.request('GET', '/readyz');
      assert.equal(ready.status, 503);
      assert.equal(ready.json.type, 'record.apart');
      assert.match(ready.json.detail.en, /jiaowu record adopt/);
      for (const [method, path] of [['GET', '/'], ['GET', '/api/me'], ['POST', '/api/session'], ['GET', '/healthz'], ['GET', '/metrics']]) {
        const closed = await server.request(method, path, {});
        assert.equal(closed.status, 503, path);
        assert.doesNotMatch(closed.text, /adopt/);
      }
      await server.stop();
      assert.equal((await run('account', 'add', '--db', db, '--kind', 'academic_office', '--account', 'jwc1')).code, 1);
      assert.equal((await run('record', 'adopt', '--db', db)).code, 2, 'a reason is asked for');
      await mustRun('record', 'adopt', '--db', db, '--reason', 'restored from a backup');
      assert.match((await mustRun('audit', 'verify', '--db', db)).out, /the record holds/);
      const again = await serve(db);
      assert.equal((await again.request('GET', '/readyz')).status, 200);
    });

    test('what is typed wrongly is told in one line, not in a stack', async () => {
      const db = await emptyStore(kind);
      const cases = [['frobnicate'], ['serve'], ['serve', '--db', db, '--listen', 'nowhere'], ['serve', '--db', db, '--listen', '127.0.0.1:99999'], ['audit', '--db', db], ['audit', 'verify'],
        ['import', 'zfsoft-sections', '--db', db], ['import', 'excel', 'x', '--db', db], ['import', 'zfsoft-sections', await temporary('absent.json'), '--db', db], ['account', 'remove', '--db', db],
        ['serve', '--db', 'mysql://x'], ['serve', '--db', db, '--frob', '1'], ['audit', 'verify', '--db', `sqlite:${await temporary('absent.db')}`]];
      for (const words of cases) {
        const refused = await run(...words);
        assert.ok(refused.code === 1 || refused.code === 2, `${words.join(' ')}: ${refused.code}`);
        assert.notEqual(refused.err.trim(), '', words.join(' '));
        assert.doesNotMatch(refused.err, /terminate|what\(\)|SELECT |std::/);
      }
      await assert.rejects(access(await temporary('absent.db')), 'verify makes no store');
    });
  });
}

if (stores.length > 0) {
  describe('the record file itself [sqlite]', () => {
    test('§1.3.3.b §4.3.2.b audit verify exits 1 after any byte of a leaf in the file is flipped', async () => {
      const { db } = await university('sqlite');
      const path = `${db.slice('sqlite:'.length)}-record`;
      const [header, body] = (await sqlOutside(db, 'SELECT hex(header), hex(body) FROM leaf WHERE seq = 4', { record: true })).split('|');
      await sqlOutside(db, 'PRAGMA wal_checkpoint(TRUNCATE)', { record: true });
      const whole = await readFile(path);
      for (const hex of [header, body]) {
        const bytes = Buffer.from(hex, 'hex');
        const at = whole.indexOf(bytes.subarray(0, 200));
        assert.ok(at > 0, 'the leaf is in the file');
        for (const offset of [0, 5, Math.min(bytes.length, 200) - 1]) {
          const changed = Buffer.from(whole);
          changed[at + offset] ^= 0x10;
          await writeFile(path, changed);
          const found = await run('audit', 'verify', '--db', db);
          assert.equal(found.code, 1, `offset ${offset}: ${found.out}${found.err}`);
        }
      }
      await writeFile(path, whole);
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
    });

    test('§1.3.3.b §4.3.2.b a store set back to yesterday is found by today’s checkpoint', async () => {
      const { db } = await university('sqlite');
      const path = `${db.slice('sqlite:'.length)}-record`;
      await sqlOutside(db, 'PRAGMA wal_checkpoint(TRUNCATE)', { record: true });
      await copyFile(path, `${path}.yesterday`);
      const server = await serve(db);
      await server.request('POST', '/api/demo/session', { body: { account: '2024010001' } });
      const file = await temporary('today.txt');
      await writeFile(file, (await server.request('GET', '/api/audit/checkpoint')).json.checkpoint);
      await server.stop();
      assert.equal((await run('audit', 'verify', '--db', db, '--against', file)).code, 0);
      await Promise.all(['-wal', '-shm'].map((part) => rm(path + part, { force: true })));
      await copyFile(`${path}.yesterday`, path);
      const found = await run('audit', 'verify', '--db', db, '--against', file);
      assert.equal(found.code, 1, found.out + found.err);
      assert.match((await run('audit', 'verify', '--db', db)).out, /older than the store/, 'the store knows it, too');
      const closed = await Server.startClosed(db);
      assert.equal((await closed.request('GET', '/readyz')).status, 503);
      await closed.stop();
    });
  });
}

// Runs the check while one statement has changed the record, then puts the record back.
async function whileChanged(kind, db, sql, outside, check) {
  if (kind === 'sqlite') {
    const path = `${db.slice('sqlite:'.length)}-record`;
    await outside('PRAGMA wal_checkpoint(TRUNCATE)');
    await copyFile(path, `${path}.whole`);
    await outside(sql);
    await check();
    await outside('PRAGMA wal_checkpoint(TRUNCATE)');
    await Promise.all(['-wal', '-shm'].map((part) => rm(path + part, { force: true })));
    await copyFile(`${path}.whole`, path);
    return;
  }
  await outside('CREATE TABLE kept AS SELECT * FROM record.leaf');
  await outside(sql);
  await check();
  const columns = 'seq, time_us, account, person, kind, dataset, header, body, body_salt, hash, outbox';
  await outside(`DELETE FROM record.leaf; INSERT INTO record.leaf (${columns}) SELECT ${columns} FROM kept; DROP TABLE kept`);
}

for (const kind of hasRealExport ? stores : []) {
  describe(`the real export of a term [${kind}]`, { timeout: 110_000 }, () => {
    test('counts of distinct things, the same on every run, and teachers see their sections', async () => {
      const db = await emptyStore(kind);
      const first = await mustRun('import', 'zfsoft-sections', realExport, '--db', db);
      const summary = lastLine(first.out);
      const source = JSON.parse(await readFile(realExport, 'utf8'));
      assert.equal(summary.rows, source.length);
      assert.equal(summary.rows, 3336);
      assert.equal(summary.sections, 2431);
      assert.equal(summary.courses, 1551);
      assert.ok(summary.meetings > 3000 && summary.teachers > 500, JSON.stringify(summary));
      const again = await mustRun('import', 'zfsoft-sections', realExport, '--db', db);
      assert.deepEqual(lastLine(again.out), summary);
      assert.match(again.out, /新增 0，更改 0/);
      const oneTime = (await mustRun('account', 'add', '--db', db, '--kind', 'academic_office', '--account', 'jwc1')).out.trim();
      const server = await serve(db);
      const token = (await signIn(server, 'jwc1', oneTime, { new_password: 'Tea-House-77x' })).json.token;
      const office = new Person(server, { kind: 'academic_office' }, token);
      await office.post('/api/session/agreement', { password: 'Tea-House-77x' });
      const count = async (dataset) => (await office.rows({ dataset, measures: [{ fn: 'count' }] }))[0][0];
      assert.equal(await count('section'), summary.sections);
      assert.equal(await count('course'), summary.courses);
      assert.ok(await count('meeting') >= summary.meetings, 'periods that do not join are two rows');
      const kept = await sqlOutside(db, 'SELECT COUNT(*) FROM batch_row WHERE batch = (SELECT MIN(batch) FROM batch_row)');
      assert.equal(Number(kept), summary.rows, 'each source row is kept');

      // A teacher of that term, under the number the import gave.
      const [[number, name]] = await office.rows({ dataset: 'section_teacher', fields: ['teacher', 'teacher_name'], limit: 1 });
      const pass = (await mustRun('account', 'add', '--db', db, '--kind', 'teacher', '--account', 'lecturer', '--person', number)).out.trim();
      const signed = await signIn(server, 'lecturer', pass, { new_password: 'Tea-House-88y' });
      assert.equal(signed.status, 200, signed.text);
      const teacher = new Person(server, { kind: 'teacher' }, signed.json.token);
      await teacher.post('/api/session/agreement', { password: 'Tea-House-88y' });
      const sections = await teacher.all({ dataset: 'section_teacher', fields: ['section', 'teacher_name'] });
      assert.ok(sections.length > 0 && sections.some(([, who]) => who === name));
      const all = await office.all({ dataset: 'section_teacher', fields: ['section'], where: { field: 'teacher', op: 'eq', value: number }, limit: 1000 });
      const own = new Set(sections.map(([section]) => section));
      assert.deepEqual([...own].sort(), [...new Set(all.map(([section]) => section))].sort());
      isProblem(await teacher.query({ dataset: 'payment' }), 403);
    });
  });
}
