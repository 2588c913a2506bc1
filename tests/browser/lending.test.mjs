// The second factor, the question in the middle of a session, and the desk for lending in a real Chromium, wide and at 360 pixels.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeOf } from '../http/support.mjs';
import { blank, enter, inBrowser, kSizes, pageOf, read, reads, shown, signed } from './browser.mjs';

const here = inBrowser(async () => ['--trusted-proxy', '127.0.0.1', '--every', 'lending=1']);
const from = (address) => ({ 'x-forwarded-for': address });

for (const [at, size] of kSizes.entries()) {
  describe(`lending in a browser, ${size.name}`, { timeout: 110_000 }, () => {
    test('§3.1.1.d a second factor is set up by its key, and asked at the next sign-in', async () => {
      const person = here.world.accountsOf('teacher')[at];
      const page = await pageOf(here, 'teacher', size, at);
      await page.goto(`${here.address}/me`);
      const panel = page.getByRole('region', { name: '动态验证码' });
      await panel.getByLabel('密码').fill(person.password);
      await panel.getByRole('button', { name: '设置动态验证码' }).click();
      await panel.locator('svg.qr').waitFor();
      const secret = (await panel.locator('.secret').innerText()).replaceAll(/\s/g, '');
      await shown(page, 'factor-offer', size);
      await panel.getByLabel(/第一个验证码/).fill(codeOf(secret, -1));
      await panel.getByRole('button', { name: '启用' }).click();
      await reads(page, /已启用/);
      assert.equal(await panel.locator('ol code').count(), 10);
      await shown(page, 'factor-recovery', size);
      await page.context().close();

      const again = await blank(here, size);
      await enter(here, again, person);
      await again.getByLabel(/动态验证码/).fill(codeOf(secret));
      await shown(again, 'factor-signin', size);
      await again.getByRole('button', { name: '登录', exact: true }).click();
      await again.waitForURL((url) => !url.pathname.startsWith('/signin'));
      await again.context().close();
    });

    test('§2.5.3.a asked in the middle of a session, told why, answered, and the page goes on; the desk sees it', async () => {
      const person = here.world.accountsOf('student')[at + 4];
      const page = await pageOf(here, 'student', size, at + 4);
      await page.setExtraHTTPHeaders(from('10.10.0.5'));
      await page.goto(`${here.address}/query/grade`);
      await page.waitForLoadState('networkidle');
      const elsewhere = await here.world.server.request('POST', '/api/session', { body: { account: person.account, password: person.password }, headers: from('10.21.0.5') });
      const headers = { authorization: `Bearer ${elsewhere.json.token}`, ...from('10.21.0.5') };
      for (let status = 200; status === 200;) ({ status } = await here.world.server.request('GET', '/api/me', { headers }));
      await page.goto(`${here.address}/me`);
      const dialog = page.getByRole('dialog', { name: '请再次证明是您本人' });
      await dialog.waitFor();
      assert.match(await dialog.innerText(), /主校区宿舍[\s\S]*东校区教学楼/);
      await shown(page, 'lending-asked', size);
      await dialog.getByLabel('密码').fill('wrong');
      await dialog.getByRole('button', { name: '继续' }).click();
      await dialog.getByRole('alert').waitFor();
      await dialog.getByLabel('密码').fill(person.password);
      await dialog.getByRole('button', { name: '继续' }).click();
      await dialog.waitFor({ state: 'hidden' });
      await reads(page, new RegExp(person.account));
      await page.context().close();

      const desk = await pageOf(here, 'security_admin', size);
      await desk.goto(`${here.address}/lending`);
      const finding = desk.getByRole('article').filter({ hasText: person.account });
      await finding.waitFor();
      assert.match(await finding.innerText(), /两校区间最快也要 20 分钟[\s\S]*要求再次证明是本人/);
      await finding.getByText(/^证据/).click();
      await shown(desk, 'lending-desk', size);
      await finding.getByLabel('理由').fill('已电话核实');
      await finding.getByRole('button', { name: '认定为正常' }).click();
      await signed(desk, here.world.accountsOf('security_admin')[0], read(desk, /已处理：/));
      await desk.getByRole('button', { name: '已处理' }).click();
      await reads(desk, /已认定为正常[\s\S]*已电话核实/);
      await desk.context().close();
    });
  });
}
