// Tests of the real binary over HTTP, on both stores. A test program makes one made-up university per kind of store, starts
// `jiaowu serve` on a free loopback port and asks as people do. Environment: JIAOWU = path of the binary (built otherwise
// under build/release), JIAOWU_TEST_PG = URL of a PostgreSQL server (tests/support/with_postgres); without it SQLite alone.
import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Description } from './described.mjs';

export const home = fileURLToPath(new URL('../..', import.meta.url));
export const binary = resolve(process.env.JIAOWU ?? join(home, 'build', 'release', 'jiaowu'));
export const stores = process.env.JIAOWU_TEST_PG ? ['sqlite', 'postgresql'] : ['sqlite'];
export const students = 300;

export const kinds = [
  'academic_office', 'student_office', 'finance_office', 'research_office', 'logistics_office', 'department_head', 'teacher',
  'class_adviser', 'student', 'graduate', 'graduate_expired', 'system_admin', 'security_admin', 'audit_admin',
];

// Of this process; keys of records on PostgreSQL lie there, too.
const folder = mkdtempSync(join(tmpdir(), 'jiaowu_http.'));
const environment = { ...process.env, JIAOWU_HOME: home, STATE_DIRECTORY: folder };

let description; // of the interface, read once it is needed

// ---- commands

// Runs `jiaowu …`; never throws: {code, out, err}.
export function run(...words) {
  return runFile(binary, words);
}

function runFile(file, words) {
  return new Promise((done) => {
    execFile(file, words, { env: environment, timeout: 30_000, killSignal: 'SIGKILL', maxBuffer: 1 << 26 }, (error, out, err) => {
      done({ code: error ? (error.code ?? error.signal) : 0, out, err });
    });
  });
}

export async function mustRun(...words) {
  const result = await run(...words);
  if (result.code !== 0) throw new Error(`jiaowu ${words.join(' ')}: exit ${result.code}\n${result.out}${result.err}`);
  return result;
}

// ---- databases

const made = { databases: [], servers: new Set() };

export async function temporary(name) {
  return join(folder, name);
}

let serial = 0;

export async function psql(url, sql) {
  const result = await runFile('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, url]);
  if (result.code !== 0) throw new Error(`psql: ${result.err}`);
  return result.out.trim();
}

// URL of a new empty store.
export async function emptyStore(kind) {
  serial += 1;
  if (kind === 'sqlite') return `sqlite:${await temporary(`store${serial}.db`)}`;
  const name = `http_${process.pid}_${serial}`;
  await psql(process.env.JIAOWU_TEST_PG, `CREATE DATABASE ${name}`);
  made.databases.push(name);
  const url = new URL(process.env.JIAOWU_TEST_PG);
  url.pathname = `/${name}`;
  return url.href;
}

// One statement against a store from outside, as somebody with the keys of the machine could; SQLite through Python's module.
export async function sqlOutside(db, sql, { record = false } = {}) {
  if (!db.startsWith('sqlite:')) return psql(db, `SET client_min_messages = error; CREATE TEMP TABLE IF NOT EXISTS jiaowu_seal (); ${sql}`);
  const script = 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],timeout=20)\n'
    + 'for r in c.execute(sys.argv[2]): print("|".join("" if v is None else str(v) for v in r))\nc.commit()';
  const result = await runFile('python3', ['-c', script, db.slice('sqlite:'.length) + (record ? '-record' : ''), sql]);
  if (result.code !== 0) throw new Error(`sqlite3: ${result.err}`);
  return result.out.trim();
}

// A made-up university: {db, accounts}.
export async function university(kind, seed = 1) {
  const db = await emptyStore(kind);
  const file = await temporary(`accounts${serial}.json`);
  await mustRun('demo', '--db', db, '--students', String(students), '--seed', String(seed), '--accounts', file);
  return { db, file, accounts: JSON.parse(await readFile(file, 'utf8')) };
}

// ---- server

export class Server {
  constructor(child, port, errors) {
    this.child = child;
    this.port = port;
    this.errors = errors;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  }

  static async start(db, ...further) {
    const server = await Server.startClosed(db, ...further);
    for (let tries = 0; ; tries += 1) {
      const ready = await server.request('GET', '/readyz');
      if (ready.status === 200) return server;
      if (tries === 100) throw new Error(`not ready: ${ready.text}`);
      await pause(50);
    }
  }

  // Listening, and perhaps never ready.
  static async startClosed(db, ...further) {
    // Linux ends the server with this program, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, 'serve', '--db', db, '--listen', '127.0.0.1:0', ...further], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    made.servers.add(child);
    const errors = [];
    child.stderr.on('data', (data) => errors.push(data));
    let said = '';
    const port = await new Promise((found, failed) => {
      child.stdout.on('data', (data) => {
        said += data;
        const match = /:(\d+)\//.exec(said);
        if (match) found(Number(match[1]));
      });
      child.on('error', failed);
      child.on('exit', (code) => failed(new Error(`serve ended with ${code}: ${Buffer.concat(errors)}`)));
    });
    return new Server(child, port, errors);
  }

  get log() {
    return Buffer.concat(this.errors).toString();
  }

  async stop(signal = 'SIGTERM') {
    this.agent.destroy();
    made.servers.delete(this.child);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  // {status, headers, text, json}; `body` is text, bytes, or a value sent as JSON. A connection that breaks rejects, and so
  // does an answer that is not as described.
  request(method, path, { headers = {}, body } = {}) {
    const raw = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const bytes = body === undefined ? undefined : Buffer.from(raw ? body : JSON.stringify(body));
    const all = { ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }), ...headers };
    return new Promise((done, failed) => {
      const asked = http.request({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: this.agent }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', failed);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const isJson = /json/.test(answer.headers['content-type'] ?? '');
          const whole = { status: answer.statusCode, headers: answer.headers, text, bytes: Buffer.concat(parts), json: isJson && text ? JSON.parse(text) : undefined };
          description ??= Description.of(binary, environment);
          const faults = description.faults(method, path, whole);
          if (faults.length > 0) failed(new Error(`${method} ${path} ${whole.status} is not as described:\n  ${faults.join('\n  ')}\n  ${text.slice(0, 2000)}`));
          else done(whole);
        });
      });
      asked.setTimeout(60_000, () => asked.destroy(new Error(`${method} ${path}: no answer within a minute`)));
      asked.on('error', failed);
      asked.end(bytes);
    });
  }
}

export const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

// Somebody signed in.
export class Person {
  constructor(server, sign_in, token) {
    Object.assign(this, sign_in);
    this.server = server;
    this.token = token;
  }

  request(method, path, body, headers = {}) {
    return this.server.request(method, path, { body, headers: { authorization: `Bearer ${this.token}`, ...headers } });
  }

  get(path) {
    return this.request('GET', path);
  }

  post(path, body) {
    return this.request('POST', path, body);
  }

  // With the password that signs it.
  sign(path, body = {}) {
    return this.post(path, { ...body, password: this.password });
  }

  query(body) {
    return this.post('/api/query', body);
  }

  // Rows of an answer that must be one.
  async rows(body) {
    const answer = await this.query(body);
    if (answer.status !== 200) throw new Error(`${this.kind} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
    return answer.json.rows;
  }

  // All rows, page by page.
  async all(body) {
    const rows = [];
    for (let after = null, pages = 0; pages < 10_000; pages += 1) {
      const answer = await this.query({ ...body, after });
      if (answer.status !== 200) throw new Error(`${this.kind} ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
      rows.push(...answer.json.rows);
      after = answer.json.next;
      if (after === null || after === undefined) return rows;
    }
    throw new Error('pages without an end');
  }
}

export async function signIn(server, account, password, further = {}) {
  return server.request('POST', '/api/session', { body: { account, password, ...further } });
}

// ---- codes of the second factor (RFC 6238)

function unbase32(text) {
  const bits = [...text].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

export function codeOf(secret, step = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
  const digest = createHmac('sha1', unbase32(secret)).update(counter).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// Sets up a second factor for somebody signed in.
export async function enrol(person) {
  const offer = await person.post('/api/session/factor', { password: person.password });
  if (offer.status !== 200) throw new Error(offer.text);
  const confirmed = await person.post('/api/session/factor/confirmation', { code: codeOf(offer.json.secret, -1) });
  if (confirmed.status !== 200) throw new Error(confirmed.text);
  return { secret: offer.json.secret, uri: offer.json.uri, qr: offer.json.qr, recovery: confirmed.json.recovery_codes };
}

// ---- a store, its people and its server, for a whole test program

export class World {
  constructor(kind) {
    this.kind = kind;
    this.people = new Map();
  }

  async open(...further) {
    Object.assign(this, await university(this.kind));
    this.server = await Server.start(this.db, ...further);
  }

  accountsOf(kind) {
    return this.accounts.filter((each) => each.kind === kind);
  }

  // The nth person of this kind, signed in once.
  async as(kind, nth = 0) {
    const key = `${kind} ${nth}`;
    if (!this.people.has(key)) this.people.set(key, await this.enter(kind, nth));
    return this.people.get(key);
  }

  // The same in a session of its own.
  async enter(kind, nth = 0, server = this.server) {
    const found = this.accountsOf(kind)[nth];
    if (!found) throw new Error(`no ${kind} number ${nth}`);
    const answer = await signIn(server, found.account, found.password);
    if (answer.status !== 200) throw new Error(`${kind} ${found.account}: ${answer.status} ${answer.text}`);
    return new Person(server, found, answer.json.token);
  }
}

// Runs a suite over every kind of store. `body(world)` declares the tests; the world is open when they run.
export function forEachStore(title, body, { options = () => [] } = {}) {
  for (const kind of stores) {
    describe(`${title} [${kind}]`, { timeout: 110_000 }, () => {
      const world = new World(kind);
      before(async () => world.open(...(await options(world))));
      after(async () => world.server?.stop());
      body(world);
    });
  }
}

after(async () => {
  for (const child of made.servers) child.kill('SIGKILL');
  for (const name of made.databases) await psql(process.env.JIAOWU_TEST_PG, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  if (folder) await rm(folder, { recursive: true, force: true });
});

// Put in place whole: the clock is never read half written.
export async function setClock(file, instant) {
  await writeFile(`${file}.new`, `${instant}\n`);
  await rename(`${file}.new`, file);
}

export async function clockFile(name, instant) {
  const file = await temporary(name);
  await setClock(file, instant);
  return file;
}
