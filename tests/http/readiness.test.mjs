// What the operator is told: /readyz, the warning at the start, and migrate.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { isText } from './checks.mjs';
import { emptyStore, mustRun, pause, psql, run, Server, sqlOutside, stores, temporary, university } from './support.mjs';

async function problemsOf(server) {
  const { status, json } = await server.request('GET', '/readyz');
  assert.equal(status, 200);
  assert.equal(json.status, 'ready');
  for (const problem of json.problems) assert.ok(isText(problem), JSON.stringify(problem));
  return json.problems;
}

for (const kind of stores) {
  describe(`readiness [${kind}]`, () => {
    test('a sound store has no problems, and tables altered by hand are told by /readyz and by migrate', async () => {
      const { db } = await university(kind);
      let server = await Server.start(db);
      assert.deepEqual(await problemsOf(server), []);
      assert.doesNotMatch(server.log, /警告|warning/);
      await server.stop();
      assert.equal((await run('migrate', '--db', db)).code, 0);
      await sqlOutside(db, 'ALTER TABLE payment ADD COLUMN by_hand TEXT');
      const migrated = await run('migrate', '--db', db);
      assert.equal(migrated.code, 4, migrated.out + migrated.err);
      server = await Server.start(db);
      const problems = await problemsOf(server);
      assert.equal(problems.length, 1);
      for (const said of [migrated.out, problems[0].zh, problems[0].en]) assert.match(said, /payment.*by_hand/);
      await server.stop();
    });

    test('a table of the system that was altered by hand is looked at before anything is answered', async () => {
      const { db } = await university(kind);
      await sqlOutside(db, 'ALTER TABLE account ADD COLUMN by_hand TEXT');
      const server = await Server.start(db);
      assert.match(JSON.stringify(await problemsOf(server)), /account.*by_hand/);
      await server.stop();
      const verified = await run('audit', 'verify', '--db', db);
      assert.equal(verified.code, 1);
      const said = verified.out.trim().split('\n').filter((line) => !line.startsWith('[?]'));
      assert.equal(said.length, 1, `the rows are as they were: ${verified.out}`);
      assert.match(verified.out, /account.*by_hand/);
      await sqlOutside(db, "ALTER TABLE account ADD COLUMN filled_by_hand TEXT DEFAULT 'x'");
      const closed = await Server.startClosed(db);
      const { status, json } = await closed.request('GET', '/readyz');
      assert.equal(status, 503);
      assert.match(json.detail.zh, /表的结构和行都与记录不符.*account/);
      await closed.stop();
    });

    test('with a trigger on a table nobody is answered, and it is told by /readyz, migrate and audit verify', async () => {
      const { db } = await university(kind);
      await sqlOutside(db, kind === 'sqlite'
        ? 'CREATE TRIGGER still BEFORE UPDATE OF epoch ON gate BEGIN SELECT RAISE(IGNORE); END'
        : "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER still BEFORE UPDATE ON gate FOR EACH ROW EXECUTE FUNCTION nothing()");
      const closed = await Server.startClosed(db);
      const { status, json } = await closed.request('GET', '/readyz');
      assert.equal(status, 503);
      for (const said of [json.detail.zh, json.detail.en]) assert.match(said, /gate.*still/);
      assert.equal((await closed.request('GET', '/api/me')).status, 503);
      await closed.stop();
      for (const [code, ...words] of [[4, 'migrate'], [1, 'audit', 'verify'], [1, 'record', 'adopt', '--reason', '照旧']]) {
        const told = await run(...words, '--db', db);
        assert.equal(told.code, code, told.out + told.err);
        assert.match(told.out + told.err, /gate.*still/);
      }
      await sqlOutside(db, kind === 'sqlite' ? 'DROP TRIGGER still' : 'DROP TRIGGER still ON gate');
      const again = await Server.start(db);
      assert.deepEqual(await problemsOf(again), []);
      await again.stop();
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
    });

    test('a witness that cannot be reached is told by /readyz', async () => {
      const { db, accounts } = await university(kind);
      const server = await Server.start(db, '--witness', `${await temporary('nowhere')}/deeper/still`);
      await server.request('POST', '/api/demo/session', { body: { account: accounts[0].account } });
      let problems = [];
      for (let tries = 0; problems.length === 0 && tries < 100; tries += 1) {
        await pause(100);
        problems = await problemsOf(server);
      }
      assert.equal(problems.length, 1);
      assert.doesNotMatch(JSON.stringify(problems), /nowhere/, 'no path');
      await server.stop();
    });
  });
}

describe('files altered beneath SQLite', () => {
  // Whoever writes into sqlite_master itself; the old text is put back where `text` says so.
  const beneath = (db, record, script) => new Promise((done, failed) => {
    const python = `import sqlite3,sys
c=sqlite3.connect(sys.argv[1],isolation_level=None)
c.execute("PRAGMA writable_schema=ON")
${script}
`;
    execFile('python3', ['-c', python, db.slice('sqlite:'.length) + (record ? '-record' : '')], (error, out, err) => (error ? failed(new Error(err)) : done(out)));
  });

  test('an index that leaves out rows under its old text, and a column generated from something else, are found', async () => {
    const { db } = await university('sqlite');
    await beneath(db, true, `old=c.execute("SELECT sql FROM sqlite_master WHERE name='access_log_subject'").fetchone()[0]
c.execute("DROP INDEX access_log_subject")
c.execute("CREATE INDEX access_log_subject ON access_log (subject_kind, subject, time_us) WHERE subject = 0")
c.execute("UPDATE sqlite_master SET sql = ? WHERE name='access_log_subject'", (old,))`);
    let told = await run('audit', 'verify', '--db', db);
    assert.equal(told.code, 1);
    assert.match(told.out, /access_log_subject/);
    await beneath(db, true, 'c.execute("REINDEX")');
    assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
    await beneath(db, true, `c.execute("UPDATE sqlite_master SET sql = replace(sql, 'WHEN 0 THEN subject', 'WHEN 9 THEN subject') WHERE name='access_log'")`);
    told = await run('audit', 'verify', '--db', db);
    assert.equal(told.code, 1);
    assert.match(told.out, /record\.access_log.*person_id/);
    const server = await Server.start(db);
    assert.match(JSON.stringify(await problemsOf(server)), /record\.access_log.*person_id/);
    await server.stop();
  });

  test('one process serves an embedded store; commands go on beside it', async () => {
    const { db } = await university('sqlite');
    const server = await Server.start(db);
    await assert.rejects(Server.startClosed(db), /另一个进程.*another process serves this store/s);
    assert.deepEqual(await problemsOf(server), []);
    assert.equal((await run('audit', 'verify', '--db', db)).code, 0);
    await server.stop('SIGKILL');
    const next = await Server.start(db);
    await next.stop();
  });
});

for (const kind of stores.filter((each) => each === 'postgresql')) {
  describe(`the reading role [${kind}]`, () => {
    test('an owner that may not make roles is told how, and two commands of an administrator mend it', async () => {
      const administrator = new URL(process.env.JIAOWU_TEST_PG);
      administrator.username = 'jiaowu';
      const owned = new URL(await emptyStore(kind));
      const name = owned.pathname.slice(1);
      const owner = `plain_${name}`;
      const role = `jiaowu_engine_${name}`;
      await psql(administrator.href, `CREATE ROLE ${owner} LOGIN`);
      await psql(administrator.href, `ALTER DATABASE ${name} OWNER TO ${owner}`);
      owned.username = owner;
      await mustRun('init', '--db', owned.href);
      let server = await Server.start(owned.href);
      const problems = await problemsOf(server);
      assert.equal(problems.length, 1);
      assert.match(server.log, /警告 \/ warning: /);
      for (const said of [problems[0].zh, problems[0].en, server.log]) assert.ok(said.includes(role), said);
      await server.stop();
      await psql(administrator.href, `CREATE ROLE ${role} LOGIN`);
      await psql(administrator.href, `ALTER ROLE ${role} SET default_transaction_read_only = on`);
      server = await Server.start(owned.href);
      assert.deepEqual(await problemsOf(server), []);
      assert.doesNotMatch(server.log, /警告|warning/);
      await server.stop();
      await psql(administrator.href, `DROP DATABASE ${name} WITH (FORCE)`);
      await psql(administrator.href, `DROP ROLE ${owner}, ${role}`);
    });
  });
}
