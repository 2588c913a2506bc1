// The calendar in a real Chromium, wide and at 360 pixels: everybody reads it, 教务处 imports a year and stops the clock.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clockFile } from '../http/support.mjs';
import { inBrowser, kSizes, pageOf, read, reads, shown, signed } from './browser.mjs';

const here = inBrowser(async () => ['--clock', await clockFile('calendar_browser', '2026-11-23T10:00:00+08:00')]);
const years = { wide: 2028, phone: 2029 };  // each run changes a year of its own

const office = () => here.world.accountsOf('academic_office')[0];

const fileOf = (year) => `[[year]]
year   = ${year}
notice = "国办发明电〔${year - 1}〕5号"
issued = ${year - 1}-11-05
source = "https://www.gov.cn/zhengce/x.htm"
off    = [
  { days = "01-01/01-03", name = { zh = "元旦", en = "New Year" } },
  { days = "02-12/02-19", name = { zh = "春节", en = "Spring Festival" } },
  { days = "05-01/05-05", name = { zh = "劳动节", en = "Labour Day" } },
  { days = "10-01/10-07", name = { zh = "国庆节", en = "National Day" } },
]
work   = []
`;

for (const size of kSizes) {
  describe(`the calendar in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('a student reads this year and sees that a later one is provisional', async () => {
      const page = await pageOf(here, 'student', size);
      if (size.name === 'phone') {
        await page.getByRole('navigation').getByRole('link', { name: '我的' }).click();
        await page.getByRole('link', { name: /工作日、放假与停办时段/ }).click();
      } else {
        await page.getByRole('link', { name: '校历' }).click();
      }
      const text = await reads(page, /国办发明电〔2025〕7号[\s\S]*共 248 个工作日/);
      assert.match(text, /02-15 – 02-23[\s\S]*春节放假/);
      assert.match(text, /校历由教务处维护/);
      assert.equal(await page.getByRole('button', { name: '登记', exact: true }).count(), 0);
      assert.equal(await page.locator('table').count(), 12);
      assert.match(await page.locator('td.makeup').first().innerText(), /^4\s*班/);
      await shown(page, 'calendar-student', size);
      await page.getByRole('button', { name: '下一年' }).click();
      await reads(page, /暂定[\s\S]*正式通知尚未发布/);
      await shown(page, 'calendar-provisional', size);
      await page.getByLabel('年份').selectOption('2040');
      await reads(page, /还没有导入正式通知/);
      await page.context().close();
    });

    test('教务处 imports a year: the mistake is told by line, the changes are seen before, the act is on record', async () => {
      const page = await pageOf(here, 'academic_office', size);
      await page.goto(`${here.address}/calendar?year=${years[size.name]}`);
      await page.getByLabel('或粘贴内容').fill(fileOf(years[size.name]).replace('02-19', '02-39'));
      await page.getByRole('button', { name: '先试读，不导入' }).click();
      await reads(page, /第 8 行/);
      await shown(page, 'calendar-mistake', size);
      await page.getByLabel('或粘贴内容').fill(fileOf(years[size.name]));
      await page.getByRole('button', { name: '先试读，不导入' }).click();
      await reads(page, new RegExp(`${years[size.name]}-02-1[456][\\s\\S]*休息[\\s\\S]*春节放假`));
      await shown(page, 'calendar-preview', size);
      await page.getByLabel('理由').fill('新通知');
      await page.getByRole('button', { name: '导入', exact: true }).click();
      await signed(page, office(), read(page, new RegExp(`校历已更改[\\s\\S]*国办发明电〔${years[size.name] - 1}〕5号[\\s\\S]*导入年份\\s*新通知`)));
      await shown(page, 'calendar-imported', size);
      await page.context().close();
    });

    test('教务处 adds a window and withdraws it', async () => {
      const page = await pageOf(here, 'academic_office', size);
      await page.goto(`${here.address}/calendar?year=${years[size.name]}`);
      await page.getByLabel('开始日期').fill(`${years[size.name]}-07-10`);
      await page.getByLabel('结束日期').fill(`${years[size.name]}-08-20`);
      await page.getByLabel('事由（中文）').fill('暑假');
      await page.getByLabel('事由（英文）').fill('summer holiday');
      await page.getByRole('button', { name: '登记', exact: true }).click();
      await signed(page, office(), read(page, new RegExp(`停办\\s*${years[size.name]}-07-10 – ${years[size.name]}-08-20\\s*暑假`)));
      assert.ok((await page.locator('td.window').count()) > 20);
      await shown(page, 'calendar-window', size);
      await page.getByRole('button', { name: '撤回', exact: true }).click();
      await page.getByLabel('理由').first().fill('改期');
      await page.getByRole('button', { name: '确认撤回' }).click();
      await signed(page, office(), read(page, /这一年没有停办时段/));
      assert.equal(await page.locator('td.window').count(), 0);
      await page.getByRole('button', { name: /EN|English/ }).first().click();
      await reads(page, /Deadlines are counted in these working days/);
      await shown(page, 'calendar-english', size);
      await page.context().close();
    });
  });
}
