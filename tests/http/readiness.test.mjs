// What the operator is told: /readyz, the warning at the start, and migrate.
import assert from 'node:assert/strict';
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
      await problemsOf(server);
      await server.stop();
      assert.equal((await run('audit', 'verify', '--db', db)).code, 0, 'the rows are as they were');
      await sqlOutside(db, "ALTER TABLE account ADD COLUMN filled_by_hand TEXT DEFAULT 'x'");
      const closed = await Server.startClosed(db);
      const { status, json } = await closed.request('GET', '/readyz');
      assert.equal(status, 503);
      assert.match(json.detail.zh, /表的结构和行都与记录不符.*account/);
      await closed.stop();
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
