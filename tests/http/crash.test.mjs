// kill -9 at any time under load: what was answered is in the record, the record holds, the database is whole (§4.3.2, §1.3.3); and two servers on
// one PostgreSQL act as one (§2.5.3).
import assert from 'node:assert/strict';
import { describe, after, before, test } from 'node:test';
import { checkProof } from '../../kernel/record/proof_check.mjs';
import { isProblem } from './checks.mjs';
import { forEachStore, pause, Person, run, Server, sqlOutside, stores, World } from './support.mjs';

const counted = ['student', 'grade', 'enrolment', 'section', 'payment', 'staff', 'graduation'];

async function counts(office) {
  const out = {};
  for (const dataset of counted) [[out[dataset]]] = await office.rows({ dataset, measures: [{ fn: 'count' }] });
  return out;
}

// Asks without end from many hands until the server dies; what was answered goes into `answered`: record → person.
async function load(people, answered, alive) {
  const queries = [{ dataset: 'grade', limit: 20 }, { dataset: 'term' }, { dataset: 'staff', limit: 1 }, { dataset: 'club' }, { dataset: 'enrolment', limit: 5 }];
  await Promise.all(Array.from({ length: 200 }, async (_, hand) => {
    const person = people[hand % people.length];
    for (let turn = hand; alive(); turn += 1) {
      try {
        const answer = turn % 23 === 0 ? await person.post('/api/documents', { query: { dataset: 'grade', fields: ['student', 'score'] }, format: 'csv', purpose: 'study' })
          : await person.query(queries[turn % queries.length]);
        if (answer.json?.record) answered.set(answer.json.record, person);
      } catch {
        return; // the connection died with the server
      }
    }
  }));
}

forEachStore('kill -9 under load', (world) => {
  test('§1.3.3.a every answered read has its durable leaf, the record holds, the database is whole', async () => {
    const people = [];
    for (const kind of ['student', 'teacher', 'class_adviser', 'academic_office', 'finance_office', 'graduate']) people.push(await world.enter(kind));
    const gone = await world.enter('student', 1);
    const office = people[3];
    const first = await counts(office);
    for (let round = 0; round < 2; round += 1) {
      const answered = new Map();
      let up = true;
      const loaded = load(people, answered, () => up);
      for (let waited = 0; answered.size < 300 && waited < 200; waited += 1) await pause(25);
      if (round === 0) assert.equal((await gone.request('DELETE', '/api/session')).status, 204);
      await world.server.stop('SIGKILL');
      up = false;
      await loaded;
      assert.ok(answered.size >= 300, `${answered.size} answers before the end`);

      const verified = await run('audit', 'verify', '--db', world.db);
      assert.equal(verified.code, 0, verified.out + verified.err);
      world.server = await Server.start(world.db);
      for (const person of [...people, gone]) person.server = world.server;
      isProblem(await gone.get('/api/me'), 401);
      const seen = new Set();
      const waiting = [...answered];
      await Promise.all(Array.from({ length: 16 }, async () => {
        while (waiting.length > 0) {
          const [record, person] = waiting.pop();
          const answer = await person.get(`/api/audit/proof?leaf=${encodeURIComponent(record)}`);
          assert.equal(answer.status, 200, `${record} was answered and is not in the record`);
          assert.equal(answer.json.id, record);
          assert.equal((await checkProof(answer.json)).seen, 'whole');
          seen.add(answer.json.leaf_hash);
        }
      }));
      assert.equal(seen.size, answered.size, 'each answer has a leaf of its own');
      assert.deepEqual(await counts(office), first);
      assert.equal((await office.query({ dataset: 'grade', limit: 5 })).status, 200);
      // What was made in between can be fetched, and nothing is half there.
      const made = await sqlOutside(world.db, "SELECT COUNT(*) FROM paper p LEFT JOIN document d ON d.paper = p.number WHERE d.paper IS NULL OR p.sha256 = ''");
      assert.equal(made, '0');
    }
    await world.server.stop();
    const verified = await run('audit', 'verify', '--db', world.db);
    assert.equal(verified.code, 0, verified.out + verified.err);
  });

  test('§2.5.3.a a suspension written by somebody else’s hand acts on the next request', async () => {
    world.server = await Server.start(world.db);
    const person = await world.enter('student', 2);
    assert.equal((await person.query({ dataset: 'grade', limit: 1 })).status, 200);
    await suspend(world.db, person.account);
    isProblem(await person.query({ dataset: 'grade', limit: 1 }), 401);
    isProblem(await person.get('/api/me'), 401);
    isProblem(await person.post('/api/documents', { query: { dataset: 'grade' }, format: 'csv', purpose: 'study' }), 401);
  });
});

// As identity does it on another node: the account, and the gate.
async function suspend(db, account) {
  await sqlOutside(db, `UPDATE account SET suspended_us = 1, suspended_reason = 'lent' WHERE login = '${account}'`);
  await sqlOutside(db, 'UPDATE gate SET epoch = epoch + 1 WHERE id = 1');
}

for (const kind of stores.filter((each) => each === 'postgresql')) {
  describe(`two servers on one store [${kind}]`, { timeout: 110_000 }, () => {
    const world = new World(kind);
    let second;
    before(async () => {
      await world.open('--node', 'first');
      second = await Server.start(world.db, '--node', 'second');
    });
    after(async () => {
      await second?.stop();
      await world.server?.stop();
    });
    const there = (person) => new Person(second, person, person.token);

    test('signing out here ends the session there, on the next request', async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        const here = await world.enter('student', turn);
        const other = there(here);
        assert.equal((await other.query({ dataset: 'grade', limit: 1 })).status, 200);
        assert.equal((await other.get('/api/me')).status, 200);
        assert.equal((await here.request('DELETE', '/api/session')).status, 204);
        isProblem(await other.query({ dataset: 'grade', limit: 1 }), 401);
        isProblem(await other.get('/api/me'), 401);
      }
    });

    test('after signing out here nothing is told there, whatever is asked first', async () => {
      const proofOf = (await (await world.as('student', 0)).query({ dataset: 'term' })).json.record;
      const asked = [['GET', '/api/me'], ['GET', '/api/datasets'], ['GET', '/api/datasets/grade'], ['GET', `/api/audit/proof?leaf=${encodeURIComponent(proofOf)}`],
        ['POST', '/api/documents', { query: { dataset: 'grade' }, format: 'csv', purpose: 'study' }], ['POST', '/api/query/explain', { dataset: 'grade' }]];
      for (const [method, path, body] of asked) {
        const here = await world.enter('student', 1);
        const other = there(here);
        assert.equal((await other.request(method, path, body)).status, 200, path);
        await here.request('DELETE', '/api/session');
        const answer = await other.request(method, path, body);
        assert.equal(answer.status, 401, `${method} ${path}`);
      }
    });

    test('§2.5.3.a a suspended account is out on both', async () => {
      const here = await world.enter('student', 3);
      const other = there(here);
      assert.equal((await other.get('/api/me')).status, 200);
      await suspend(world.db, here.account);
      isProblem(await other.query({ dataset: 'grade', limit: 1 }), 401);
      isProblem(await here.query({ dataset: 'grade', limit: 1 }), 401);
      isProblem(await other.get('/api/me'), 401);
    });

    test('both write one record: no number twice, every leaf provable on either', async () => {
      const here = await world.enter('teacher');
      const sides = [here, there(here)];
      const records = [];
      await Promise.all(Array.from({ length: 24 }, async (_, hand) => {
        for (let turn = 0; turn < 10; turn += 1) records.push((await sides[hand % 2].query({ dataset: 'term', limit: 1 })).json.record);
      }));
      assert.equal(new Set(records).size, 240);
      for (const record of records.slice(0, 20)) {
        for (const side of sides) await checkProof((await side.get(`/api/audit/proof?leaf=${encodeURIComponent(record)}`)).json);
      }
      // The account that was suspended past the program is found, and nothing else.
      const verified = await run('audit', 'verify', '--db', world.db);
      assert.match(verified.out + verified.err, /表 account 中的行 \d+ 与第 \d+ 条记录不符：被改动/);
      assert.equal((verified.out + verified.err).match(/表 /g).length, 1, verified.out + verified.err);
    });
  });
}
