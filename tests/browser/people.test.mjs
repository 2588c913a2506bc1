// Each kind of person in a real Chromium, wide and at 360 pixels: sign in, reach what is theirs, see the clause, meet the refusal.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blank, inBrowser, kSizes, pageOf, reads, shown } from './browser.mjs';

const here = inBrowser();

async function done(page, name, size) {
  await shown(page, name, size);
  await page.context().close();
}

for (const size of kSizes) {
  describe(`in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('§1.3.4.a §2.3.1.a a student reaches own grades within two clicks of signing in, with the clause', async () => {
      const page = await pageOf(here, 'student', size);
      await page.getByRole('link', { name: /成绩/ }).first().click();
      await reads(page, /平均绩点[\s\S]*\d\.\d\d/);
      await done(page, 'student-grades', size);
    });

    test('§1.3.1.b a student sees who has read the record', async () => {
      const page = await pageOf(here, 'student', size);
      await reads(page, /谁查看过我[\s\S]*为「[\s\S]*§\s*2\./);
      await done(page, 'student-home', size);
    });

    test('§3.1.3.a §3.1.4.a the query page asks, lists, and says under which clause', async () => {
      const page = await pageOf(here, 'student', size);
      await page.goto(`${here.address}/query/grade`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await reads(page, /本人的成绩[\s\S]*证明给我看/);
      await done(page, 'student-query', size);
    });

    test('§4.3.2.b the browser itself proves that the answer is in the record', async () => {
      const page = await pageOf(here, 'student', size);
      await page.goto(`${here.address}/query/grade`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await page.getByText('证明给我看').first().click();
      await page.getByText('证明成立').waitFor({ timeout: 15_000 });
      await done(page, 'student-proof', size);
    });

    test('§2.1.3.a the finance office gets payments, and a helpful refusal on grades', async () => {
      const page = await pageOf(here, 'finance_office', size);
      await page.goto(`${here.address}/query/payment`);
      await page.getByRole('button', { name: '查询', exact: true }).click();
      await reads(page, /2\.1\.3/);
      await page.goto(`${here.address}/query/grade`);
      await reads(page, /申请/);
      await done(page, 'finance-refused', size);
    });

    test('§2.3.2.a a graduate past the period gets the explanation and nothing else', async () => {
      const page = await pageOf(here, 'graduate_expired', size);
      const text = await reads(page, /档案馆|窗口/);
      assert.doesNotMatch(text, /平均绩点/);
      await done(page, 'graduate-expired', size);
    });

    test('§2.2.1.a a teacher sees the sections taught', async () => {
      const page = await pageOf(here, 'teacher', size);
      await page.goto(`${here.address}/sections`);
      await reads(page, /2\.2\.1/);
      await done(page, 'teacher-sections', size);
    });

    test('§2.2.2.a a class adviser sees the class', async () => {
      const page = await pageOf(here, 'class_adviser', size);
      const [counted] = /共 [1-9]\d* 名学生/.exec(await reads(page, /共 [1-9]\d* 名学生/));
      await page.goto(`${here.address}/class`);
      await reads(page, new RegExp(`2\\.2\\.2[\\s\\S]*${counted}`));
      await done(page, 'adviser-class', size);
    });

    test('the same question is answered to each by what the regulation lets them see', async () => {
      const page = await blank(here, size);
      await page.goto(`${here.address}/same-question`);
      await reads(page, /财务处[\s\S]*2\.[123]/);
      await done(page, 'same-question', size);
    });
  });
}
