// Permission administration in a real Chromium, wide and at 360 pixels: a change is made, its effect seen, proposed, and decided by another.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inBrowser, kSizes, pageOf, read, reads, shown, signed } from './browser.mjs';

const here = inBrowser();
const clauses = { wide: '2.2.2', phone: '2.1.1' }; // each run proposes something of its own

for (const size of kSizes) {
  describe(`the regulation in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('§2.1.1.b the office closes a field, sees who loses it and proposes; the security administrator decides', async () => {
      const page = await pageOf(here, 'academic_office', size);
      if (size.name === 'wide') await page.getByRole('link', { name: '默认权限', exact: true }).click();
      else await page.goto(`${here.address}/regulation`);
      await reads(page, /岗位与数据[\s\S]*初始/);
      await shown(page, 'regulation-matrix', size);
      await page.getByLabel('岗位', { exact: true }).selectOption('class_adviser');
      await page.getByRole('button', { name: /^班主任 × 学生/ }).first().click();
      const field = size.name === 'wide' ? /电话|手机/ : /邮箱|邮件/;
      await page.getByLabel(field).first().selectOption('hidden');
      await page.getByRole('button', { name: '看效果' }).first().click();
      await reads(page, /有人将少看到[\s\S]*明文 → 不可见[\s\S]*共 \d+ 人/);
      await shown(page, 'regulation-effect', size);
      await page.getByLabel('理由', { exact: true }).fill(`试行（${size.name}）`);
      await page.getByLabel('依据条款').last().fill(clauses[size.name]);
      await page.getByRole('button', { name: '提议', exact: true }).click();
      await signed(page, here.world.accountsOf('academic_office')[0], read(page, /已提议，编号 \d+[\s\S]*待审批[\s\S]*提议人不能审批自己的提议/));
      assert.equal(await page.getByRole('button', { name: '批准' }).count(), 0);
      await shown(page, 'regulation-proposed', size);
      await page.context().close();

      const other = await pageOf(here, 'security_admin', size);
      await other.goto(`${here.address}/regulation`);
      await reads(other, new RegExp(`待审批[\\s\\S]*试行（${size.name}）`));
      await other.getByRole('button', { name: '批准', exact: true }).click();
      const approved = read(other, new RegExp(`已批准[\\s\\S]*试行（${size.name}）[\\s\\S]*第 ${size.name === 'wide' ? 2 : 3} 版`));
      const person = here.world.accountsOf('security_admin')[0];
      const asked = other.getByText(/密码不正确/);
      await signed(other, { password: 'wrong-password-1' }, () => asked.waitFor());
      await signed(other, person, approved);
      await shown(other, 'regulation-approved', size);
      await other.context().close();
    });

    test('§2.1.1.b posts and powers are rows too: a new name and a power given are proposed, and can be given up', async () => {
      const page = await pageOf(here, 'academic_office', size);
      await page.goto(`${here.address}/regulation`);
      await page.getByText('岗位与职权').click();
      await page.getByText('logistics_office').click();
      const row = page.locator('details.one', { hasText: 'logistics_office' });
      await row.getByLabel('名称（中文）').fill('后勤保障处');
      await row.getByLabel('名称（中文）').blur();
      await row.getByLabel(/由哪些人担任/).fill('{ not json');
      await row.getByLabel(/由哪些人担任/).blur();
      await reads(page, /应为 JSON 条件/);
      assert.equal(await row.getByLabel(/由哪些人担任/).inputValue(), '{ not json', 'nothing typed is lost');
      await page.getByRole('button', { name: '看效果' }).first().click();
      await reads(page, /拟作的更改（1 项）[\s\S]*后勤保障处/);
      await shown(page, 'regulation-posts', size);
      await page.getByRole('button', { name: '放弃' }).click();
      await page.context().close();
    });

    test('the audit administrator finds out who sees what, the office what a person sees', async () => {
      const page = await pageOf(here, 'audit_admin', size);
      await page.goto(`${here.address}/regulation`);
      const student = here.world.accountsOf('student')[0].account;
      await page.getByLabel('数据', { exact: true }).selectOption('student');
      await page.getByLabel(/^主键/).fill(student);
      await page.getByLabel('字段', { exact: true }).selectOption('id_number');
      await page.getByRole('button', { name: '谁能看到这一格' }).click();
      await reads(page, /明文[\s\S]*学生处[\s\S]*§2\.1\.2/);
      await page.getByLabel('账号', { exact: true }).fill(student);
      await page.getByRole('button', { name: '此人能看到什么' }).click();
      await reads(page, /谁任什么岗位您不能查询/);
      await page.getByRole('button', { name: /EN|English/ }).first().click();
      await reads(page, /Default permissions[\s\S]*Who sees what/);
      await shown(page, 'regulation-sight', size);
      await page.context().close();
      const office = await pageOf(here, 'academic_office', size);
      await office.goto(`${here.address}/regulation`);
      await office.getByLabel('账号', { exact: true }).fill(student);
      await office.getByRole('button', { name: '此人能看到什么' }).click();
      await reads(office, /§2\.3\.1/);
      await office.context().close();
    });
  });
}
