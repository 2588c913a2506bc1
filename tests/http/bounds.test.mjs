// One account of each kind does what it can to take the machine from everybody else (§4.3.1). Another person asks on: every
// answer comes, and the server's memory stays within what docs/deploy.md says. JIAOWU_ATTACK_SECONDS makes it a long attack,
// in which the other person's waiting is measured, too (./dev check).
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isProblem } from './checks.mjs';
import { binary, forEachStore, kinds, pause, temporary } from './support.mjs';

const seconds = Number(process.env.JIAOWU_ATTACK_SECONDS ?? 0);
// Megabytes of the process: docs/deploy.md. A sanitizer keeps several bytes for each of ours.
const memoryMost = /build\/(debug|tsan)\//.test(binary) ? Infinity : 768;

async function resident(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

// Statistics of everything by everything, from many hands at once.
const spread = (field, n) => Array.from({ length: n }, (_, i) => ({ fn: 'stddev', field, as: `s${i}`, places: i % 5 }));
const attacks = [
  { dataset: 'grade', group: ['student', 'section', 'attempt', 'term', 'course', 'course_name', 'unit_name', 'student_name'], measures: spread('score', 20) },
  { dataset: 'grade', group: ['student', 'course'], measures: [...spread('score', 10), { fn: 'median', field: 'score' }, { fn: 'histogram', field: 'score', width: '0.1' }] },
  { dataset: 'enrolment', group: ['student', 'section'], measures: [{ fn: 'count' }] },
  { dataset: 'student', group: ['number'], measures: [{ fn: 'count' }] },
  { dataset: 'grade', fields: ['student', 'course_name', 'score'], where: { field: 'course_name', op: 'contains', value: '学' }, order: [{ field: 'score', desc: true }], limit: 1000 },
];

async function attack(person, until) {
  const statuses = new Map();
  await Promise.all(Array.from({ length: 12 }, async (_, hand) => {
    for (let turn = hand; !until(); turn += 1) {
      const answer = await person.query(attacks[turn % attacks.length]);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 429) await pause(20);
    }
  }));
  return statuses;
}

const p99 = (times) => times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1];

async function asks(person, count, until = () => false) {
  const times = [];
  for (let turn = 0; turn < count && !until(); turn += 1) {
    const begun = performance.now();
    const answer = await person.query({ dataset: 'grade', fields: ['course_name', 'score'], limit: 20 });
    times.push(performance.now() - begun);
    assert.equal(answer.status, 200, answer.text);
    await pause(2);
  }
  return times;
}

forEachStore('an attack by one account of each kind', (world) => {
  test('everybody else is answered, and memory is bounded and given back', { timeout: 60_000 + seconds * 2000 }, async () => {
    const attackers = [];
    for (const kind of kinds) {
      if (world.accountsOf(kind).length > 0 && kind !== 'graduate_expired') attackers.push(await world.enter(kind));
    }
    const person = await world.enter('student', 1);
    const quiet = p99(await asks(person, 300));
    let ended = false;
    const attacking = Promise.all(attackers.map((each) => attack(each, () => ended)));
    let peak = 0;
    const watching = (async () => {
      while (!ended) {
        peak = Math.max(peak, await resident(world.server.child.pid));
        await pause(50);
      }
    })();
    const end = performance.now() + (seconds || 2) * 1000;
    const times = await asks(person, Number.MAX_SAFE_INTEGER, () => performance.now() > end);
    ended = true;
    for (const statuses of await attacking) {
      for (const status of statuses.keys()) assert.ok([200, 403, 404, 413, 422, 429].includes(status), `${[...statuses]}`);
    }
    await watching;
    assert.ok(peak < memoryMost, `${peak} MB`);
    if (seconds > 0) {
      console.log(`${world.kind}: p99 ${quiet.toFixed(1)} ms quiet, ${p99(times).toFixed(1)} ms under attack; at most ${peak.toFixed(0)} MB`);
      assert.ok(p99(times) <= 5 * Math.max(quiet, 5), `p99 ${quiet} ms quiet, ${p99(times)} ms under attack`);
    }
  });

  test('an ordinary visit of every kind of person meets no bound', async () => {
    for (const kind of kinds.filter((each) => world.accountsOf(each).length > 0)) {
      const person = await world.enter(kind);
      const visit = ['/api/me', '/api/datasets', '/api/cases', '/api/notices', '/api/calendar', '/api/regulation'];
      for (let times = 0; times < 5; times += 1) {
        for (const answer of await Promise.all(visit.map((path) => person.get(path)))) assert.notEqual(answer.status, 429, answer.text);
      }
      const { json } = await person.get('/api/datasets');
      const answers = await Promise.all((json?.datasets ?? []).slice(0, 40).map((each) => person.query({ dataset: each.name, limit: 5 })));
      for (const answer of answers) assert.notEqual(answer.status, 429, answer.text);
    }
  });
});

forEachStore('metrics', (world) => {
  test('figures are for whoever has the token', async () => {
    const ask = (headers) => world.server.request('GET', '/metrics', { headers });
    for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: `Bearer ${'t'.repeat(31)}` }])
      assert.equal(isProblem(await ask(headers), 403).type, 'http.metrics_closed');
    assert.equal((await ask({ authorization: `Bearer ${'t'.repeat(32)}` })).status, 200);
  });
}, { options: async () => {
  const file = await temporary('metrics-token');
  await writeFile(file, `${'t'.repeat(32)}\n`);
  return ['--metrics-token-file', file];
} });

forEachStore('metrics without a token', (world) => {
  test('figures are for this machine, and not for what a proxy passes on', async () => {
    assert.equal((await world.server.request('GET', '/metrics')).status, 200);
    for (const headers of [{ 'x-forwarded-for': '127.0.0.1' }, { forwarded: 'for=127.0.0.1' }])
      isProblem(await world.server.request('GET', '/metrics', { headers }), 403);
  });
});
