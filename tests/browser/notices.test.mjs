// The bell and the notices in a real Chromium, wide and at 360 pixels, with the pointer and with the keys alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sqlOutside } from '../http/support.mjs';
import { inBrowser, kSizes, pageOf, reads, shown } from './browser.mjs';

const here = inBrowser();
const kPerson = { wide: 'student', phone: 'teacher' };  // each run has a person of its own

// What acts leave behind: `count` notices of this person, the last one long.
async function put(kind, count) {
  const { db } = here.world;
  const [account, person] = (await sqlOutside(db, `SELECT id, person_id FROM account WHERE login = '${here.world.accountsOf(kind)[0].account}'`)).split('|');
  const first = Number(await sqlOutside(db, 'SELECT next FROM notice_number'));
  const long = '您提出的《权限申请表》已由部门负责人签署意见，正在等教务处审批；在此期间您可以随时查看进度，也可以撤回后修改再提交。';
  const rows = Array.from({ length: count }, (_, i) => {
    const text = i === count - 1 ? long : `您的第 ${i + 1} 件申请已有结果`;
    return `(${first + i}, ${first + i}, ${account}, ${person}, 'case:2026-${String(i + 1).padStart(4, '0')}', '${text}', 'Application ${i + 1} is decided', ${(Date.parse('2026-11-20T09:00:00+08:00') + i * 60_000) * 1000}, 'none')`;
  });
  await sqlOutside(db, `UPDATE notice_number SET next = ${first + count}`);
  await sqlOutside(db, `INSERT INTO notice (id, number, account, person_id, about, text_zh, text_en, made, mail_state) VALUES ${rows.join(', ')}`);
}

for (const size of kSizes) {
  describe(`notices in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('the bell counts, the page shows the newest first and older ones on demand, and marking takes effect at once', async () => {
      const kind = kPerson[size.name];
      const page = await pageOf(here, kind, size);
      const bell = page.getByRole('link', { name: /^通知/ }).and(page.locator('.bell')).filter({ visible: true });
      await bell.click();
      await reads(page, /没有通知/);
      await shown(page, 'notices-none', size);
      await put(kind, 34);
      await page.goto(`${here.address}/`);
      await page.getByRole('link', { name: '通知，34 条未读' }).click();
      await reads(page, /34 条未读[\s\S]*您提出的《权限申请表》[\s\S]*2026-11-20 09:33[\s\S]*您的第 33 件申请已有结果/);
      await shown(page, 'notices', size);
      assert.equal(await page.locator('ol > li').count(), 30);
      await page.getByRole('button', { name: '更早的通知' }).click();
      await reads(page, /您的第 1 件申请已有结果/);
      assert.equal(await page.locator('ol > li').count(), 34);
      assert.equal(await page.getByRole('button', { name: '更早的通知' }).count(), 0);
      await page.getByRole('button', { name: '标为已读', exact: true }).first().click();
      await reads(page, /33 条未读/);
      await page.getByRole('link', { name: '通知，33 条未读' }).waitFor();
      await page.getByRole('button', { name: '全部标为已读' }).click();
      await page.getByRole('link', { name: '通知', exact: true }).waitFor();
      assert.equal(await page.getByRole('button', { name: '标为已读', exact: true }).count(), 0);
      assert.ok(await page.getByRole('button', { name: '全部标为已读' }).isDisabled());
      const counted = [];
      page.on('request', (asked) => asked.url().endsWith('/api/notices/unread') && counted.push(asked));
      await page.reload();
      await reads(page, /您提出的《权限申请表》/);
      assert.equal(counted.length, 0, 'the number of the first page came with the session');
      assert.doesNotMatch(await page.getByRole('main').innerText(), /条未读/);
      await page.getByRole('button', { name: 'English' }).click();
      await reads(page, /Notices[\s\S]*Application 33 is decided/);
      await shown(page, 'notices-english', size);
      await page.context().close();
    });

    test('with the keys alone', async () => {
      await put('class_adviser', 2);
      const page = await pageOf(here, 'class_adviser', size);
      await page.goto(`${here.address}/`);
      await page.getByRole('link', { name: /^通知，/ }).waitFor();
      const onto = async (pattern) => {
        for (let steps = 0; steps < 60; steps += 1) {
          await page.keyboard.press('Tab');
          const name = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim());
          if (pattern.test(name)) return;
        }
        assert.fail(`no way by keyboard to ${pattern}`);
      };
      await onto(/^通知，\d+ 条未读$/);
      await page.keyboard.press('Enter');
      await reads(page, /您提出的《权限申请表》/);
      await onto(/^标为已读$/);
      await page.keyboard.press('Space');
      await page.locator('main [role=status]').filter({ hasText: '已把 1 条标为已读' }).waitFor({ state: 'attached' });
      await page.context().close();
    });
  });
}
