// Each kind of person in a real Chromium, wide and at 360 pixels: sign in, reach what is theirs, see the clause, meet the refusal.
// Screenshots go to var/screens for human eyes; the assertions are on what a person can read.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { home, World } from '../http/support.mjs';

const kChromium = '/usr/bin/chromium';
const kFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const screens = join(home, 'var', 'screens');
const kSizes = [{ name: 'wide', width: 1440, height: 900 }, { name: 'phone', width: 360, height: 740 }];

let browser;
let address;
const world = new World('sqlite');

before(async () => {
  assert.ok(existsSync(join(home, 'web', 'dist', 'index.html')), 'the web app is not built: ./dev web');
  await mkdir(screens, { recursive: true });
  await world.open();
  address = `http://127.0.0.1:${world.server.port}`;
  browser = await chromium.launch({ executablePath: kChromium, args: kFlags });
});

after(async () => {
  await browser?.close();
  await world.server?.stop();
});

// A page of somebody signed in through the form, as on a real store.
async function pageOf(kind, size) {
  const person = world.accountsOf(kind)[0];
  const page = await (await browser.newContext({ viewport: size, locale: 'zh-CN' })).newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  await page.goto(`${address}/signin`);
  await page.getByLabel(/账号/).fill(person.account);
  await page.getByLabel(/^密码/).first().fill(person.password);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/signin'));
  await page.getByRole('main').waitFor();
  await page.waitForLoadState('networkidle');
  return page;
}

async function done(page, name, size) {
  await page.screenshot({ path: join(screens, `${name}-${size.name}.png`), fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 1, `${name}: the page is ${overflow} pixels wider than the screen`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

// Waits until a person can read it.
async function reads(page, pattern) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const text = await page.getByRole('main').innerText();
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) assert.match(text, pattern);
    await page.waitForTimeout(100);
  }
}

for (const size of kSizes) {
  describe(`in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('§1.3.4 a student reaches own grades within two clicks of signing in, with the clause', async () => {
      const page = await pageOf('student', size);
      await page.getByRole('link', { name: /成绩/ }).first().click();
      await reads(page, /平均绩点[\s\S]*\d\.\d\d/);
      await done(page, 'student-grades', size);
    });

    test('§1.3.1 a student sees who has read the record', async () => {
      const page = await pageOf('student', size);
      await reads(page, /谁查看过我[\s\S]*为「[\s\S]*§\s*2\./);
      await done(page, 'student-home', size);
    });

    test('§3.1.3 §3.1.4 the query page asks, lists, and says under which clause', async () => {
      const page = await pageOf('student', size);
      await page.goto(`${address}/query/grade`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await reads(page, /本人的成绩[\s\S]*证明给我看/);
      await done(page, 'student-query', size);
    });

    test('§4.3.2 the browser itself proves that the answer is in the record', async () => {
      const page = await pageOf('student', size);
      await page.goto(`${address}/query/grade`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await page.getByText('证明给我看').first().click();
      await page.getByText('证明成立').waitFor({ timeout: 15_000 });
      await done(page, 'student-proof', size);
    });

    test('§2.1.3 the finance office gets payments, and a helpful refusal on grades', async () => {
      const page = await pageOf('finance_office', size);
      await page.goto(`${address}/query/payment`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await reads(page, /2\.1\.3/);
      await page.goto(`${address}/query/grade`);
      await reads(page, /申请/);
      await done(page, 'finance-refused', size);
    });

    test('§2.3.2 a graduate past the period gets the explanation and nothing else', async () => {
      const page = await pageOf('graduate_expired', size);
      const text = await reads(page, /档案馆|窗口/);
      assert.doesNotMatch(text, /平均绩点/);
      await done(page, 'graduate-expired', size);
    });

    test('§2.2.1 a teacher sees the sections taught', async () => {
      const page = await pageOf('teacher', size);
      await page.goto(`${address}/sections`);
      await reads(page, /2\.2\.1/);
      await done(page, 'teacher-sections', size);
    });

    test('§2.2.2 a class adviser sees the class', async () => {
      const page = await pageOf('class_adviser', size);
      await page.goto(`${address}/class`);
      await reads(page, /2\.2\.2/);
      await done(page, 'adviser-class', size);
    });

    test('§2.1 §2.2 §2.3 the same question is answered to each by what the regulation lets them see', async () => {
      const page = await (await browser.newContext({ viewport: size, locale: 'zh-CN' })).newPage();
      page.faults = [];
      await page.goto(`${address}/same-question`);
      await reads(page, /财务处[\s\S]*2\.[123]/);
      await done(page, 'same-question', size);
    });
  });
}
