// Notices over HTTP and their mail (design §8): one's own alone, marked as seen, on record; mail says nothing of them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isProblem, isText } from './checks.mjs';
import { forEachStore, home, pause, run, Server, signIn, Person, sqlOutside, stores, temporary, university } from './support.mjs';

const base = '2026-11-20T09:00:00+08:00';
const micros = (instant, minutes) => (Date.parse(instant) + minutes * 60_000) * 1000;

const numbersOf = async (person) => (await person.rows({ dataset: 'notice', fields: ['number'] })).flat();

// Notices as an act leaves them in the store; the ids follow on those that are there.
async function put(db, login, texts, { state = 'none', at = base } = {}) {
  const [account, person] = (await sqlOutside(db, `SELECT id, person_id FROM account WHERE login = '${login}'`)).split('|').map(Number);
  assert.ok(account > 0, login);
  const first = Number(await sqlOutside(db, 'SELECT next FROM notice_number'));
  const rows = texts.map((text, i) => `(${first + i}, ${first + i}, ${account}, ${person}, 'case:2026-0017', '${text}', 'notice ${text}', ${micros(at, i)}, '${state}', ${micros(at, i)})`);
  await sqlOutside(db, `UPDATE notice_number SET next = ${first + texts.length}`);
  await sqlOutside(db, `INSERT INTO notice (id, number, account, person_id, about, text_zh, text_en, made, mail_state, mail_next_us) VALUES ${rows.join(', ')}`);
  return texts.map((_, i) => first + i);
}

forEachStore('notices', (world) => {
  test('newest first, page by page, one\'s own alone, with the count of the bell', async () => {
    const [student, other] = [await world.as('student', 0), await world.as('student', 1)];
    const fields = ['number', 'about', 'text_zh', 'text_en', 'made', 'seen'];
    const empty = await student.query({ dataset: 'notice', fields });
    assert.deepEqual([empty.status, empty.json.rows, empty.json.next], [200, [], null]);
    assert.match(empty.json.record, /\/\d+$/);
    await put(world.db, student.account, Array.from({ length: 65 }, (_, i) => `第${i}条`));
    await put(world.db, other.account, ['别人的事']);
    const seen = await student.all({ dataset: 'notice', fields, limit: 30 });
    assert.deepEqual(seen.map(([, about, zh, en]) => [about, zh, en]), Array.from({ length: 65 }, (_, i) => ['case:2026-0017', `第${64 - i}条`, `notice 第${64 - i}条`]));
    assert.deepEqual(seen.at(-1).slice(4), [base, null]);
    assert.equal((await student.get('/api/notices/unread')).json.unread, 65);
    assert.equal((await other.get('/api/notices/unread')).json.unread, 1);
    const theirs = await numbersOf(other);
    assert.equal(theirs.length, 1);
    isProblem(await student.get(`/api/datasets/notice/${theirs[0]}`), 404);
    isProblem(await student.get('/api/notices'), 404);
  });

  test('marked by their owner, some or all; whoever is not signed in gets nothing', async () => {
    const [teacher, other] = [await world.as('teacher', 0), await world.as('teacher', 1)];
    const ids = await put(world.db, teacher.account, ['甲', '乙', '丙']);
    const theirs = await put(world.db, other.account, ['丁']);
    const mark = async (person, body) => {
      const { record, ...told } = (await person.post('/api/notices/read', body)).json;
      assert.equal(record !== undefined, told.marked > 0, 'an act has its leaf');
      return told;
    };
    assert.deepEqual(await mark(teacher, { ids: [ids[0], ids[1], ...theirs, 987654] }), { marked: 2, unread: 1 });
    assert.deepEqual(await mark(teacher, { ids: [ids[0]] }), { marked: 0, unread: 1 });
    assert.equal((await other.get('/api/notices/unread')).json.unread, 1);
    assert.deepEqual((await teacher.rows({ dataset: 'notice', fields: ['seen'] })).map(([seen]) => seen !== null), [false, true, true]);
    assert.deepEqual(await mark(teacher, { all: true }), { marked: 1, unread: 0 });
    assert.deepEqual(await mark(teacher, { all: true }), { marked: 0, unread: 0 });
    for (const wrong of [{}, { ids: [] }, { ids: ['1'] }, { ids: 1 }, { ids: [1.5] }, { all: false }, { all: 1 }, { ids: [1], all: true }, { ids: Array(1001).fill(1) }]) {
      isProblem(await other.post('/api/notices/read', wrong), 422);
    }
    for (const none of ['{', []]) isProblem(await other.post('/api/notices/read', none), 400);
    assert.equal((await other.get('/api/notices/unread')).json.unread, 1, 'a wrong request marks nothing');
    for (const [verb, path] of [['GET', '/api/notices/unread'], ['POST', '/api/notices/read']]) {
      isProblem(await world.server.request(verb, path, { headers: { authorization: 'Bearer nobody' }, body: verb === 'POST' ? { all: true } : undefined }), 401);
    }
  });

  test('looking and marking are on record, the count of the bell is not', async () => {
    const person = await world.as('academic_office');
    const ids = await put(world.db, person.account, ['戊']);
    const look = async () => (await person.query({ dataset: 'notice', fields: ['text_zh'] })).json;
    const looked = await look();
    const seq = (leaf) => Number(leaf.split('/').at(-1));
    await person.get('/api/notices/unread');
    await person.post('/api/notices/read', { ids });
    await person.post('/api/notices/read', { ids });
    const again = await look();
    assert.equal(seq(again.record), seq(looked.record) + 2, 'one for the first mark; the second changed nothing');
    const proof = await person.get(`/api/audit/proof?leaf=${encodeURIComponent(looked.record)}`);
    assert.equal(proof.status, 200, proof.text);
    assert.doesNotMatch(proof.text, /戊/);
  });

  const day = (after) => new Date(Date.now() + 8 * 3600_000 + after * 86_400_000).toISOString().slice(0, 10); // of the school

  test('a step of a case tells whose turn it is, and nobody else', async () => {
    const heads = await Promise.all([0, 1, 2].map((n) => world.as('department_head', n)));
    const content = {
      dataset: 'evaluation', rows: 'taught', clear: ['student', 'student_name', 'school_year'], masked: ['total'], actions: ['query', 'detail'],
      purpose: 'teaching_administration', reason: '学业指导，了解任课学生的综合测评', minors: false, holder: 'self',
      from: day(0), until: day(60),
    };
    let told = 0;
    for (let n = 0; n < 4; n += 1) {
      const teacher = await world.as('teacher', n);
      const draft = await teacher.post('/api/cases', { kind: 'access', action: 'draft', content });
      assert.equal(draft.status, 200, draft.text);
      const { number } = draft.json;
      const waits = (person) => person.rows({ dataset: 'notice', fields: ['text_zh', 'text_en', 'seen'], where: { field: 'about', op: 'eq', value: `case:${number}` } });
      for (const head of heads) assert.deepEqual(await waits(head), [], 'a draft is nobody else’s');
      const sent = await teacher.post(`/api/cases/${number}/submit`, { password: teacher.password, undertaking: 1 });
      assert.equal(sent.status, 200, sent.text);
      const turns = await Promise.all(heads.map(waits));
      const mine = turns.filter((each) => each.length > 0);
      assert.ok(mine.length <= 1, 'one head at most signs for this teacher');
      told += mine.length;
      for (const [[zh, en, seen]] of mine) assert.ok(isText({ zh, en }) && seen === null);
      const turn = turns.findIndex((each) => each.length > 0);
      if (turn >= 0) {
        assert.equal((await teacher.post(`/api/cases/${number}/withdraw`, {})).status, 200);
        assert.deepEqual((await waits(heads[turn])).map(([, , seen]) => seen !== null), [true], 'nothing waits any more');
      }
      assert.deepEqual(await waits(await world.as('student', 2)), []);
    }
    assert.ok(told > 0, 'some teacher has a head among the sign-ins');
  });
});

// ---- mail

const servers = new Set();
after(() => { for (const child of servers) child.kill('SIGKILL'); });

async function smtp(...options) {
  const folder = await temporary(`mail${servers.size}${Date.now()}`);
  await mkdir(folder);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '/usr/bin/python3', join(home, 'tests/support/smtp_server.py'), folder, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  servers.add(child);
  const port = await new Promise((found, failed) => {
    child.stdout.once('data', (data) => found(Number(String(data))));
    child.once('exit', () => failed(new Error('the SMTP server did not start: is python3-aiosmtpd there?')));
  });
  const received = async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();
    return Promise.all(names.map(async (name) => Object.fromEntries((await readFile(join(folder, name), 'utf8')).trimEnd().split('\n').map((line) => line.split('\t')))));
  };
  return { folder, port, received };
}

async function until(what, seconds = 25) {
  for (let tries = 0; tries < seconds * 5; tries += 1) {
    const found = await what();
    if (found) return found;
    await pause(200);
  }
  throw new Error('waited in vain');
}

for (const kind of stores) {
  describe(`notices by mail [${kind}]`, { timeout: 110_000 }, () => {
    test('mail says that something waits and where, goes once to the address in the data, and not for what was seen', async () => {
      const { db, accounts } = await university(kind);
      const of = (what, n = 0) => accounts.filter((each) => each.kind === what)[n];
      const [student, seen, gone] = [of('student', 0), of('student', 1), of('teacher', 0)];
      const now = new Date(Date.now() - 600_000).toISOString();
      await put(db, student.account, ['张三的成绩复核已有结论：89分', '第二件'], { state: 'due', at: now });
      await put(db, seen.account, ['看过的'], { state: 'due', at: now });
      await sqlOutside(db, `UPDATE notice SET seen = 1 WHERE text_zh = '看过的'`);
      await put(db, gone.account, ['已停用的账号'], { state: 'due', at: now });
      await sqlOutside(db, `UPDATE account SET closed_us = 1 WHERE login = '${gone.account}'`);
      await put(db, of('teacher', 1).account, ['很久以前的'], { state: 'due', at: '2026-01-05T09:00:00+08:00' });
      const post = await smtp('--starttls', '--sign-in', 'jiaowu', 'right one');
      const password = await temporary('smtp_password');
      await writeFile(password, 'right one\n');
      const server = await Server.start(db, '--smtp', `smtp://127.0.0.1:${post.port}`, '--smtp-tls', 'required', '--smtp-user', 'jiaowu', '--smtp-password-file', password,
        '--mail-from', 'jiaowu@school.example', '--mail-ca', join(post.folder, 'certificate.pem'), '--public-url', 'https://jiaowu.school.example/');
      const states = async () => (await sqlOutside(db, 'SELECT mail_state FROM notice ORDER BY id')).split('\n');
      await until(async () => !(await states()).includes('due'));
      assert.deepEqual(await states(), ['sent', 'sent', 'none', 'none', 'refused']);
      const got = await post.received();
      assert.equal(got.length, 1, JSON.stringify(got));
      const signed = await signIn(server, student.account, student.password);
      const own = await new Person(server, student, signed.json.token).rows({ dataset: 'student', fields: ['email'] });
      assert.equal(got[0].rcpt_to, own[0][0]);
      assert.equal(got[0].tls, 'yes');
      assert.match(got[0]['header Subject'], /教务系统有新的通知/);
      assert.match(got[0]['header Message-ID'], /^<notice-\d+\.\d+@school\.example>$/);
      assert.match(got[0].text, /https:\/\/jiaowu\.school\.example\/notices\\n/);
      assert.doesNotMatch(got[0].text + got[0]['header Subject'] + got[0]['header To'], /张三|成绩|复核|89|第二件|2026-0017/);
      assert.doesNotMatch(server.log, /right one|@school|张三/);
      await server.stop();
    });

    test('a mail server that hangs keeps nobody waiting, and the server still stops at once', async () => {
      const { db, accounts } = await university(kind);
      const student = accounts.find((each) => each.kind === 'student');
      await put(db, student.account, ['等着'], { state: 'due', at: new Date().toISOString() });
      const post = await smtp('--silent');
      const server = await Server.start(db, '--smtp', `smtp://127.0.0.1:${post.port}`, '--mail-from', 'jiaowu@school.example', '--public-url', 'https://jiaowu.school.example');
      await until(async () => Number(await sqlOutside(db, 'SELECT mail_attempts FROM notice')) === 1);
      const signed = await signIn(server, student.account, student.password);
      const person = new Person(server, student, signed.json.token);
      assert.equal((await numbersOf(person)).length, 1);
      const begin = Date.now();
      await server.stop();
      assert.ok(Date.now() - begin < 8000, 'within seconds');
      assert.equal(await sqlOutside(db, 'SELECT mail_state FROM notice'), 'due');
    });
  });
}

describe('options of mail', () => {
  test('what cannot work is refused at the start, in both languages and without the password', async () => {
    const { db } = await university('sqlite');
    const password = await temporary('smtp_password_given');
    await writeFile(password, 'not to be shown\n');
    const all = { '--smtp': 'smtp://mail.school.example', '--mail-from': 'a@school.example', '--public-url': 'https://jiaowu.school.example', '--smtp-user': 'a', '--smtp-password-file': password };
    for (const change of [{ '--smtp': 'http://mail' }, { '--smtp': 'smtp://a:b@mail' }, { '--mail-from': 'nobody' }, { '--public-url': 'jiaowu' }, { '--public-url': null }, { '--smtp-user': null },
      { '--smtp-password-file': '/nowhere' }, { '--smtp-tls': 'maybe' }, { '--smtp-tls': 'if-offered' }, { '--smtp': null }, { '--mail-from': null }]) {
      const words = Object.entries({ ...all, ...change }).filter(([, value]) => value !== null).flat();
      const result = await run('serve', '--db', db, '--listen', '127.0.0.1:0', ...words);
      assert.equal(result.code, 2, `${JSON.stringify(change)}: ${result.code} ${result.err}`);
      assert.match(result.err, /[\u4e00-\u9fff].*\/.*[a-z]{3}/s, JSON.stringify(change));
      assert.doesNotMatch(result.err, /not to be shown/);
    }
  });
});
