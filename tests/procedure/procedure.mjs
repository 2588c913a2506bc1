// The recipe of docs/howto/add-a-procedure.md, followed: in a copy of this tree a procedure is added as one folder and
// two lines, built, and walked over HTTP and in a browser. What the recipe does not say, the copy does not get.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const copy = path.join(root, 'build/procedure/tree');
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28, ...options }).toString();

// Only what is in the tree; what git does not know (built files) stays behind.
function copy_tree() {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, maxBuffer: 1 << 28 })
    .toString().split('\0').filter((name) => name && !name.startsWith('tests/procedure/') && existsSync(path.join(root, name)));
  for (const name of files) {
    const to = path.join(copy, name);
    mkdirSync(path.dirname(to), { recursive: true });
    const text = readFileSync(path.join(root, name));
    // A file that did not change keeps its time, so that the next run builds only what did.
    if (!existsSync(to) || !readFileSync(to).equals(text)) cpSync(path.join(root, name), to);
  }
}

function one_line(file, before_it, line) {
  const text = readFileSync(path.join(root, file), 'utf8');
  assert.ok(text.includes(before_it), `${file} has no ${before_it}`);
  const made = text.replace(before_it, line);
  if (readFileSync(path.join(copy, file), 'utf8') !== made) writeFileSync(path.join(copy, file), made);
}

// Runs a walk inside the copy, with the program built there.
const walk = (name) => {
  const env = { ...process.env, JIAOWU: path.join(copy, 'build/release/jiaowu') };
  delete env.NODE_TEST_CONTEXT;  // a runner that is run by another runs nothing
  return run('node', ['--test', `tests/${name}/lost_card.test.mjs`], { env });
};

before(() => {
  mkdirSync(copy, { recursive: true });
  copy_tree();
  // ---- the folder
  cpSync(path.join(root, 'tests/procedure/lost_card'), path.join(copy, 'modules/lost_card'), { recursive: true, preserveTimestamps: true });
  // ---- and the two lines
  one_line('CMakeLists.txt', ' lending made_up', ' lending lost_card made_up');
  one_line('app/modules.cpp', '  ROW(made_up)          \\\n', '  ROW(lost_card)        \\\n  ROW(made_up)          \\\n');
  for (const name of ['http', 'browser']) {
    cpSync(path.join(root, `tests/procedure/${name}.mjs`), path.join(copy, `tests/${name}/lost_card.test.mjs`));
  }
  for (const link of ['.cache', 'web/node_modules', 'tests/http/node_modules', 'tests/browser/node_modules']) {
    if (!existsSync(path.join(copy, link))) symlinkSync(path.join(root, link), path.join(copy, link));
  }
  // What the compiler has seen in this tree it knows in the copy, too.
  const env = { ...process.env, CCACHE_DIR: process.env.CCACHE_DIR ?? path.join(root, '.cache/ccache'), CCACHE_BASEDIR: copy, CCACHE_NOHASHDIR: 'true' };
  run('cmake', ['--preset', 'release'], { env });
  run('cmake', ['--build', 'build/release', '--parallel', '2', '--target', 'jiaowu'], { env });
  run('npm', ['run', 'build', '--prefix', 'web'], { env });
});

after(() => {
  if (process.env.CI) rmSync(copy, { recursive: true, force: true });
});

test('a folder and two lines make a procedure: its case, its data, its power, over HTTP', () => {
  assert.match(walk('http'), /fail 0/);
});

test('and its page, in the words of both languages', () => {
  assert.match(walk('browser'), /fail 0/);
});
