// A made-up university, its server and a real Chromium, wide and at 360 pixels. Screenshots go to var/screens for human eyes; what is
// asserted is what a person can read.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { home, World } from '../http/support.mjs';

const kChromium = '/usr/bin/chromium';
const kFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const screens = join(home, 'var', 'screens');

export const kSizes = [{ name: 'wide', width: 1440, height: 900 }, { name: 'phone', width: 360, height: 740 }];

// The world of one test file, opened before its tests and closed after them. `flags`: further ones of the server, awaited when it opens.
export function inBrowser(flags = async () => []) {
  const here = { world: new World('sqlite'), browser: undefined, address: undefined };
  before(async () => {
    assert.ok(existsSync(join(home, 'web', 'dist', 'index.html')), 'the web app is not built: ./dev web');
    await mkdir(screens, { recursive: true });
    await here.world.open(...(await flags()));
    here.address = `http://127.0.0.1:${here.world.server.port}`;
    here.browser = await chromium.launch({ executablePath: kChromium, args: kFlags });
  });
  after(async () => {
    await here.browser?.close();
    await here.world.server?.stop();
  });
  return here;
}

// A page of nobody, on which every error is noted.
export async function blank(here, size) {
  const page = await (await here.browser.newContext({ viewport: size, locale: 'zh-CN' })).newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  return page;
}

// The form of the sign-in filled in and sent, as on a real store.
export async function enter(here, page, person) {
  await page.goto(`${here.address}/signin`);
  await page.getByLabel(/账号/).fill(person.account);
  await page.getByLabel(/^密码/).first().fill(person.password);
  await page.getByRole('button', { name: '登录', exact: true }).click();
}

// A page of somebody signed in.
export async function pageOf(here, kind, size, nth = 0) {
  const page = await blank(here, size);
  await enter(here, page, here.world.accountsOf(kind)[nth]);
  await page.waitForURL((url) => !url.pathname.startsWith('/signin'));
  await page.getByRole('main').waitFor();
  await page.waitForLoadState('networkidle');
  return page;
}

// Signs the dialog if it opens: some signatures hold for minutes.
export async function signed(page, person, until) {
  const dialog = page.getByRole('dialog', { name: '签字确认' });
  await Promise.race([dialog.waitFor(), until()]);
  if (!(await dialog.isVisible())) return;
  await dialog.getByLabel('登录密码').fill(person.password);
  await dialog.getByRole('button', { name: '签字', exact: true }).click();
  await until();
}

export const read = (page, pattern) => () => reads(page, pattern);

// Taken as it is now: nothing wider than the screen, no error on the page.
export async function shown(page, name, size) {
  await page.screenshot({ path: join(screens, `${name}-${size.name}.png`), fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 1, `${name}: the page is ${overflow} pixels wider than the screen`);
  assert.deepEqual(page.faults, []);
}

// Waits until a person can read it.
export async function reads(page, pattern) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const text = await page.getByRole('main').innerText();
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) assert.match(text, pattern);
    await page.waitForTimeout(100);
  }
}
