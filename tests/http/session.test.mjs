// The front door over HTTP (§3.1.1, §4.3.2) and what comes through it broken.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { clockFile, forEachStore, pause, Server, signIn, sqlOutside, university } from './support.mjs';
import { isProblem } from './checks.mjs';

const own = { dataset: 'grade', limit: 1 };

// What somebody holds who opens a transaction on the record and goes home.
async function holdRecord(db) {
  const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None,timeout=20)\nc.execute("BEGIN IMMEDIATE")\nprint("held",flush=True)\nsys.stdin.read()';
  const child = spawn('python3', ['-c', script, `${db.slice('sqlite:'.length)}-record`], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  };
}

describe('the front door while the record cannot be written', { timeout: 110_000 }, () => {
  test('what was done has its leaf once the record can be written again, though the server died meanwhile', async () => {
    const { db, accounts } = await university('sqlite');
    let server = await Server.start(db);
    const three = accounts.filter((each) => each.kind === 'student').slice(0, 3);
    const tokens = [];
    for (const each of three) tokens.push((await signIn(server, each.account, each.password)).json.token);
    const ask = (n, method, path, body) => server.request(method, path, { body, headers: { authorization: `Bearer ${tokens[n]}` } });
    const counts = async () => {
      const found = [];
      for (const { account } of three) {
        const id = await sqlOutside(db, `SELECT id FROM account WHERE login = '${account}'`);
        found.push(Number(await sqlOutside(db, `SELECT COUNT(*) FROM leaf WHERE account = ${id} AND kind IN ('act', 'sign_out')`, { record: true })));
      }
      return found;
    };
    const before = await counts();
    const letGo = await holdRecord(db);
    const asked = Promise.allSettled([
      ask(0, 'POST', '/api/session/password', { old_password: three[0].password, new_password: 'Quite-another-1' }),
      ask(1, 'POST', '/api/session/factor', { password: three[1].password }),
      ask(2, 'DELETE', '/api/session'),
      signIn(server, three[2].account, three[2].password, { new_password: 'Quite-another-2' }),
    ]);
    const done = () => sqlOutside(db, `SELECT (SELECT COUNT(*) FROM account_factor), (SELECT COUNT(*) FROM session s JOIN account a ON a.id = s.account WHERE s.ended_reason = 'signed_out' AND a.login = '${three[2].account}')`);
    for (let tries = 0; tries < 40 && (await done()) !== '1|1'; tries += 1) await pause(250);
    assert.equal(await done(), '1|1', 'done, and nobody was told yet');
    await pause(2000); // the passwords
    await server.stop('SIGKILL');
    await letGo();
    assert.ok((await asked).every(({ status }) => status === 'rejected'), 'nobody was answered');
    server = await Server.start(db);
    let after = before;
    for (let tries = 0; tries < 100 && after.some((n, i) => n === before[i]); tries += 1) {
      await pause(300);
      after = await counts();
    }
    assert.deepEqual(after.map((n, i) => n - before[i]), [1, 1, 2]);
    assert.equal((await signIn(server, three[0].account, 'Quite-another-1')).status, 200);
    await server.stop();
  });
});

forEachStore('the front door', (world) => {
  test('§3.1.1.a a wrong password and an unknown account are answered the same', async () => {
    const { account } = world.accountsOf('student')[0];
    const wrong = await signIn(world.server, account, 'not-the-password');
    const unknown = await signIn(world.server, 'nobody-of-this-name', 'not-the-password');
    isProblem(wrong, 401);
    const { request, record, ...same } = wrong.json;
    const { request: otherRequest, record: otherRecord, ...other } = unknown.json;
    assert.deepEqual(other, same);
    assert.notEqual(record, otherRecord);
    assert.notEqual(request, otherRequest);
    assert.deepEqual(Object.keys(unknown.headers).sort(), Object.keys(wrong.headers).sort());
    assert.equal(wrong.headers['set-cookie'], undefined);
  });

  test('§3.1.1.a an account that was never activated is answered like an unknown one', async () => {
    const office = await world.as('academic_office');
    const known = new Set(world.accounts.map((each) => each.account));
    const [number] = (await office.rows({ dataset: 'student', fields: ['number'], limit: 100 })).map(([n]) => n).filter((n) => !known.has(n));
    for (const password of ['', number, 'Try-1', number.slice(-6)]) {
      const answer = await signIn(world.server, number, password);
      assert.ok(answer.status === 401 || answer.status === 422, `${answer.status}`);
      if (answer.status === 401) assert.equal(answer.json.type, 'identity.sign_in_refused');
    }
  });

  test('§3.1.1.a signing in gives a token and a cookie that scripts and other sites cannot use', async () => {
    const { account, password, name } = world.accountsOf('student')[0];
    const answer = await signIn(world.server, account, password);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(answer.json.person, { account, kind: 'student', name, number: account });
    assert.equal(answer.json.must_change_password, false);
    assert.match(answer.json.token, /^[A-Za-z0-9_-]{40,}$/);
    assert.ok(Date.parse(answer.json.expires) > Date.now());
    const [cookie] = answer.headers['set-cookie'];
    assert.match(cookie, /^jiaowu_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  test('signing out kills the token at once', async () => {
    const person = await world.enter('student');
    assert.equal((await person.query(own)).status, 200);
    assert.equal((await person.request('DELETE', '/api/session')).status, 204);
    for (const answer of [await person.query(own), await person.get('/api/me'), await person.request('DELETE', '/api/session')]) {
      isProblem(answer, 401);
    }
  });

  test('the cookie alone reads but does not write: that needs X-CSRF', async () => {
    const person = await world.enter('student');
    const cookie = `jiaowu_session=${person.token}`;
    assert.equal((await world.server.request('GET', '/api/me', { headers: { cookie } })).status, 200);
    isProblem(await world.server.request('POST', '/api/query', { headers: { cookie }, body: own }), 403);
    isProblem(await world.server.request('POST', '/api/query', { headers: { cookie, 'x-csrf': '0' }, body: own }), 403);
    isProblem(await world.server.request('DELETE', '/api/session', { headers: { cookie } }), 403);
    assert.equal((await world.server.request('POST', '/api/query', { headers: { cookie, 'x-csrf': '1' }, body: own })).status, 200);
    assert.equal((await person.query(own)).status, 200);
  });

  // A page of another site may send a form or plain text here unasked; JSON it may not. Signing in counts, too: nobody is to
  // find themselves in an account that another's page chose.
  test('a body is taken as JSON only, and from no page of another site', async () => {
    const { account, password } = world.accountsOf('student')[0];
    const person = await world.enter('student');
    const body = JSON.stringify({ account, password });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', '']) {
      const headers = { 'content-type': type };
      const answer = await world.server.request('POST', '/api/session', { headers, body });
      assert.equal(isProblem(answer, 415).type, 'http.not_as_json', type);
      assert.equal(answer.headers['set-cookie'], undefined);
      for (const path of ['/api/query', '/api/query/explain', '/api/documents', '/api/session/password', '/api/session/factor', '/api/cases', '/api/deputies', '/api/notices/read'])
        isProblem(await person.request('POST', path, JSON.stringify(own), headers), 415);
    }
    for (const type of ['application/json', 'Application/JSON; charset=utf-8'])
      assert.equal((await world.server.request('POST', '/api/session', { headers: { 'content-type': type }, body })).status, 200);
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site };
      assert.equal(isProblem(await world.server.request('POST', '/api/session', { headers, body }), 403).type, 'http.other_site');
      isProblem(await person.request('DELETE', '/api/session', undefined, headers), 403);
    }
    for (const site of ['same-origin', 'none'])
      assert.equal((await world.server.request('POST', '/api/session', { headers: { 'sec-fetch-site': site }, body })).status, 200);
    assert.equal((await person.query(own)).status, 200);
  });

  test('what is typed has one form, whatever the route; the character is named', async () => {
    const person = await world.enter('student');
    const value = (text) => ({ dataset: 'grade', where: { field: 'course_name', op: 'contains', value: text } });
    for (const [text, code] of [['a\u202eb', 'direction'], ['a\u200bb', 'invisible'], ['\u0007', 'control']]) {
      const problem = isProblem(await person.query(value(text)), 422);
      assert.equal(problem.type, 'text.not_accepted');
      assert.deepEqual(problem.fields.map((each) => [each.field, each.code]), [['where.value', code]]);
    }
    for (const text of ['数学\t', 'e\u0301'])
      assert.equal((await person.query(value(text))).status, 200);
    // Passwords are no text for people.
    const answer = await signIn(world.server, world.accountsOf('student')[0].account, 'a\u202eb');
    assert.equal(isProblem(answer, 401).type, 'identity.sign_in_refused');
  });

  test('§1.2.b a token that is none is 401, whatever it looks like', async () => {
    const { token } = await world.as('student');
    const flipped = (token[0] === 'A' ? 'B' : 'A') + token.slice(1);
    const tokens = ['', 'x', flipped, token.slice(0, -1), `${token}A`, token.toLowerCase() + '=', `${token} ${token}`, "' OR 1=1 --", '0'.repeat(4000), '%00', '../../etc'];
    for (const each of tokens) {
      isProblem(await world.server.request('GET', '/api/me', { headers: { authorization: `Bearer ${each}` } }), 401);
      isProblem(await world.server.request('GET', '/api/me', { headers: { cookie: `jiaowu_session=${encodeURIComponent(each)}` } }), 401);
    }
    isProblem(await world.server.request('GET', '/api/me', { headers: { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` } }), 401);
    isProblem(await world.server.request('GET', '/api/me'), 401);
    // A bad bearer is not helped by a good cookie.
    isProblem(await world.server.request('GET', '/api/me', { headers: { authorization: 'Bearer x', cookie: `jiaowu_session=${token}` } }), 401);
  });

  test('a body that is not JSON, too deep, not UTF-8 or with NUL is 400 and nothing more', async () => {
    const person = await world.as('student');
    const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth);
    const bad = ['', '{', 'null null', '{"dataset":"grade",}', "{'dataset':'grade'}", 'NaN', deep(50), deep(6_000), '{"dataset":"grade"}\u0000',
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), Buffer.from('{"dataset":"gr\xe4de"}', 'latin1'), Buffer.from('{"dataset":"\xc0\xaf"}', 'latin1'),
      '{"dataset":"\ud800"}', `{"a":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`];
    for (const body of bad) {
      for (const path of ['/api/query', '/api/query/explain', '/api/documents', '/api/session/password']) {
        const answer = await person.post(path, body);
        assert.ok([400, 404, 422].includes(answer.status), `${path} ${String(body).slice(0, 40)}: ${answer.status}`);
        isProblem(answer, answer.status);
      }
      const answer = await world.server.request('POST', '/api/session', { body });
      assert.ok([400, 422].includes(answer.status), `${String(body).slice(0, 40)}: ${answer.status}`);
    }
    assert.equal((await person.post('/api/query', '{')).json.type, 'http.not_json');
  });

  test('JSON of the wrong shape is refused by name', async () => {
    const person = await world.as('student');
    const shapes = [null, 1, 'grade', [], {}, { dataset: 1 }, { dataset: ['grade'] }, { dataset: 'grade', fields: 'score' }, { dataset: 'grade', fields: [1] },
      { dataset: 'grade', fields: [] }, { dataset: 'grade', limit: 0 }, { dataset: 'grade', limit: 1001 }, { dataset: 'grade', limit: -1 }, { dataset: 'grade', limit: '5' },
      { dataset: 'grade', limit: 1e300 }, { dataset: 'grade', where: [] }, { dataset: 'grade', where: { all: {} } }, { dataset: 'grade', where: { field: 'score' } },
      { dataset: 'grade', where: { field: 'score', op: 'like', value: '%' } }, { dataset: 'grade', where: { field: 'score', op: 'eq', value: {} } },
      { dataset: 'grade', where: { field: 'nope', op: 'eq', value: 1 } }, { dataset: 'grade', order: [{ field: 'nope' }] }, { dataset: 'grade', after: 'x' },
      { dataset: 'grade', after: 7 }, { dataset: 'grade', sql: 'SELECT 1' }, { dataset: 'grade', fields: ['score', 'score'] },
      { dataset: 'grade', where: { field: 'score', op: 'between', value: [1] } }, { dataset: 'grade', where: { field: 'score', op: 'in', value: 'x' } },
      { dataset: 'grade', where: { all: Array.from({ length: 65 }, () => ({ field: 'score', op: 'gt', value: 1 })) } },
      { dataset: 'grade', purpose: 'gossip' }, { dataset: 'grade; DROP TABLE grade' }, { dataset: 'grade"' }];
    for (const shape of shapes) {
      const answer = await person.post('/api/query', JSON.stringify(shape));
      assert.ok([400, 403, 404, 422].includes(answer.status), `${JSON.stringify(shape).slice(0, 120)}: ${answer.status} ${answer.text.slice(0, 200)}`);
      isProblem(answer, answer.status);
    }
    for (const shape of [null, [], {}, { account: 1, password: 'x' }, { account: 'a' }, { account: 'a', password: 'x'.repeat(2000) }, { account: 'a\u0000b', password: 'x' }]) {
      const answer = await world.server.request('POST', '/api/session', { body: JSON.stringify(shape) });
      assert.ok([400, 401, 422].includes(answer.status), `${JSON.stringify(shape).slice(0, 80)}: ${answer.status}`);
    }
  });

  test('a body beyond the limit is 413, before it is read', async () => {
    const person = await world.as('student');
    assert.equal(await declared(world.server.port, '/api/query', person.token, 100 << 20), 413);
    assert.equal(await declared(world.server.port, '/api/session', '', 17 * 1024), 413);
    const big = JSON.stringify({ dataset: 'grade', purpose: 'x'.repeat(600 * 1024) });
    assert.equal(await status(world.server.port, '/api/query', person.token, big), 413);
    assert.equal((await person.query(own)).status, 200);
  });

  test('methods and paths that are not there', async () => {
    const person = await world.as('student');
    for (const [method, path] of [['PUT', '/api/query'], ['GET', '/api/query'], ['DELETE', '/api/datasets'], ['PATCH', '/api/session'], ['OPTIONS', '/api/query']]) {
      const answer = await person.request(method, path);
      assert.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
    }
    for (const path of ['/api', '/api/', '/api/nothing', '/api/datasets/', '/api/../etc/passwd', '/api/datasets/%2e%2e/%2e%2e', '/api/datasets/grade%00', '/api/datasets/%ff',
      '/..%2f..%2fetc%2fpasswd', '/catalog/grade.toml', '/.git/config']) {
      const answer = await person.get(path);
      assert.ok([400, 404].includes(answer.status) || (answer.status === 200 && /text\/html/.test(answer.headers['content-type'])), `${path}: ${answer.status}`);
      assert.ok(!answer.text.includes('root:x:'), path);
    }
  });
});

forEachStore('behind a proxy that speaks TLS', (world) => {
  const overTls = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };

  test('cookies and HSTS follow what the browser used', async () => {
    const { account, password } = world.accountsOf('student')[0];
    const answer = await world.server.request('POST', '/api/session', { headers: overTls, body: { account, password } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers['strict-transport-security'], /^max-age=\d{8}/);
    const [session, device] = answer.headers['set-cookie'];
    assert.match(session, /^__Host-jiaowu_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    assert.match(device, /^__Secure-jiaowu_device=[^;]+; Path=\/api\/session; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
    const cookie = session.split(';')[0];
    const me = (headers) => world.server.request('GET', '/api/me', { headers });
    assert.equal((await me({ ...overTls, cookie })).status, 200);
    // A cookie that a neighbouring host could have planted is no session over TLS.
    isProblem(await me({ ...overTls, cookie: cookie.replace('__Host-', '') }), 401);
    const out = await world.server.request('DELETE', '/api/session', { headers: { ...overTls, cookie, 'x-csrf': '1' } });
    assert.match(out.headers['set-cookie'][0], /^__Host-jiaowu_session=; .*Max-Age=0; Secure$/);
    const plain = await signIn(world.server, account, password);
    assert.match(plain.headers['set-cookie'][0], /^jiaowu_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(plain.headers['strict-transport-security'], undefined);
  });
}, { options: () => ['--trusted-proxy', '127.0.0.1'] });

forEachStore('sessions end by the clock', (world) => {
  test('a session that has run out is 401, and the clock is the file’s', async () => {
    const person = await world.enter('student');
    const before = await person.get('/api/me');
    assert.equal(before.status, 200);
    assert.equal(Date.parse(before.json.now) - Date.parse(world.clock.instant) < 120_000, true);
    await writeFile(world.clock.file, '2040-01-01T08:00:00+08:00\n');
    await until(async () => (await person.query(own)).status === 401);
    isProblem(await person.get('/api/me'), 401);
    const fresh = await world.enter('student');
    const now = Date.parse((await fresh.get('/api/me')).json.now);
    assert.ok(now >= Date.parse('2040-01-01T00:00:00Z') && now < Date.parse('2040-01-02T00:00:00Z'));
  });
}, { options: async (world) => {
  world.clock = { instant: new Date().toISOString(), file: await clockFile(`clock_${world.kind}`, new Date().toISOString()) };
  return ['--clock', world.clock.file];
} });

async function until(holds) {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await holds()) return;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  assert.fail('did not come to hold within 5 seconds');
}

// Status of a request that declares more than it sends.
function declared(port, path, token, length) {
  return new Promise((done, failed) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`);
    });
    let text = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      text += data;
      const line = /^HTTP\/1\.1 (\d+)/.exec(text);
      if (line) {
        done(Number(line[1]));
        socket.destroy();
      }
    });
    socket.on('error', failed);
    socket.on('close', () => failed(new Error(`closed: ${text}`)));
  });
}

// Status alone; the server may answer and hang up before all of the body is sent.
function status(port, path, token, body) {
  return new Promise((done, failed) => {
    const asked = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
    asked.on('response', (answer) => {
      done(answer.statusCode);
      answer.resume();
    });
    asked.on('error', failed);
    asked.end(body);
  });
}
