// The description of the interface: valid for a linter that knows nothing of us, and committed as this binary makes it, with the
// types of the pages made from it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Description } from './described.mjs';
import { home, mustRun, temporary } from './support.mjs';

const kept = join(home, 'web', 'src', 'api');
const start = promisify(execFile);
const tool = (folder, name) => join(folder, 'node_modules', '.bin', name);

test('OpenAPI 3.1 without an error or a warning', async () => {
  const file = await temporary('openapi.json');
  await writeFile(file, (await mustRun('openapi')).out);
  const here = fileURLToPath(new URL('.', import.meta.url));
  const environment = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { stdout } = await start(tool(here, 'redocly'), ['lint', '--extends', 'recommended', '--format', 'json', file], { env: environment, maxBuffer: 1 << 26 })
    .catch((error) => ({ stdout: error.stdout }));
  const { totals, problems } = JSON.parse(stdout);
  assert.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 }, problems.map((each) => `${each.ruleId} ${each.location?.[0]?.pointer}: ${each.message}`).join('\n'));
});

test('the committed description and the types made from it are those of this binary (./dev api renews them)', async () => {
  const made = JSON.parse((await mustRun('openapi')).out);
  assert.deepEqual(JSON.parse(await readFile(join(kept, 'openapi.json'), 'utf8')), made);
  const { stdout } = await start(tool(join(home, 'web'), 'openapi-typescript'), [join(kept, 'openapi.json')], { maxBuffer: 1 << 26 });
  assert.equal(await readFile(join(kept, 'generated.ts'), 'utf8'), stdout);
});

test('the reference of the interface names calls that there are, and every call that there is', async () => {
  const { paths } = JSON.parse(await readFile(join(kept, 'openapi.json'), 'utf8'));
  const shape = (path) => path.replace(/\{[^}]*\}/g, '{}');
  const there = new Set(Object.entries(paths).flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${shape(path)}`)));
  const text = await readFile(join(home, 'docs', 'api.md'), 'utf8');
  const named = new Set([...text.matchAll(/`(GET|POST|PUT|DELETE) (\/[^` ?]*)/g)].map(([, verb, path]) => `${verb} ${shape(path)}`));
  assert.deepEqual([...named].filter((each) => !there.has(each)), [], 'named, and not there');
  assert.deepEqual([...there].filter((each) => !named.has(each)), [], 'there, and not named');
});

test('an answer that is not as described is found', async () => {
  const description = new Description(JSON.parse((await mustRun('openapi')).out));
  const faults = (json, status = 200) => description.faults('GET', '/api/notices/unread?x=1', { status, headers: { 'content-type': 'application/json; charset=utf-8' }, text: JSON.stringify(json), json });
  assert.deepEqual(faults({ unread: 3 }), []);
  assert.match(faults({ unread: 3, more: 1 })[0], /must NOT have additional properties.*more/);
  assert.match(faults({})[0], /must have required property 'unread'/);
  assert.match(faults({ unread: '3' })[0], /\/unread must be integer/);
  assert.match(faults({ unread: 3 }, 201)[0], /status 201/);
});

// Signing asks for one thing everywhere: the code where a second factor is enrolled, else the password. Only at the door, and to
// get a factor or another password, is the password itself what counts.
test('whatever is signed with a password may be signed with a code', async () => {
  const { paths, components } = JSON.parse((await mustRun('openapi')).out);
  const byPassword = [];
  let signed = 0;
  for (const [path, verbs] of Object.entries(paths)) {
    for (const [verb, { requestBody }] of Object.entries(verbs)) {
      const reference = requestBody?.content?.['application/json']?.schema?.$ref;
      const properties = reference ? components.schemas[reference.split('/').pop()].properties ?? {} : {};
      if (!Object.keys(properties).some((name) => name.includes('password'))) continue;
      if ('code' in properties) signed += 1;
      else byPassword.push(`${verb} ${path}`);
    }
  }
  assert.deepEqual(byPassword, ['post /api/session/factor', 'post /api/session/password']);
  assert.ok(signed > 5, `${signed}`);
});
