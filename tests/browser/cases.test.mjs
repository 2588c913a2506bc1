// The access lifecycle (§2.4, §2.5) in a real Chromium: from a refusal to the answer that names the grant, the head signing on a phone,
// two people of the office deciding, the reply as PDF, and the end of the period; then the desk worked through by the keyboard alone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { clockFile, pause, setClock, sqlOutside } from '../http/support.mjs';
import { inBrowser, kSizes, pageOf, read, reads, shown, signed } from './browser.mjs';

const start = '2026-11-24T09:00:00+08:00'; // a Tuesday
const [wide, phone] = kSizes;
let clock;
const here = inBrowser(async () => {
  clock = await clockFile('cases_browser', start);
  return ['--clock', clock];
});

const at = (instant) => setClock(clock, instant);

async function must(answer) {
  const got = await answer;
  assert.equal(got.status, 200, got.text);
  return got.json;
}

// A teacher whose college has a head among the sign-ins, and that head: their places in the lists of sign-ins.
async function pair() {
  const unitOf = async (kind, nth) => (await (await here.world.as(kind, nth)).rows({ dataset: 'staff', fields: ['unit'], limit: 1 }))[0][0];
  const heads = await Promise.all([0, 1, 2].map((nth) => unitOf('department_head', nth)));
  for (let nth = 0; nth < 4; nth += 1) {
    const head = heads.indexOf(await unitOf('teacher', nth));
    if (head >= 0) return { teacher: nth, head };
  }
  throw new Error('no teacher of a college whose head signs in');
}

const until = '2026-12-31';

describe('applying for access in a browser', { timeout: 110_000 }, () => {
  test('§2.2.1.c §2.4.1.a §2.4.2.a §2.4.2.d refused, one click, form, signature, decision, letter, answer, and over again', async () => {
    await at(start);
    const who = await pair();
    const teacher = here.world.accountsOf('teacher')[who.teacher];
    const page = await pageOf(here, 'teacher', wide, who.teacher);

    // Refused, with the way to ask; one click and the form is begun.
    await page.goto(`${here.address}/query/evaluation`);
    await reads(page, /默认权限不包括“综合测评”/);
    const previews = [];
    page.on('request', (asked) => asked.url().endsWith('/api/access/preview') && previews.push(asked));
    await page.getByRole('link', { name: '填写申请表' }).click();
    await page.waitForURL(/\/apply$/);
    assert.equal(await page.getByLabel('数据', { exact: true }).inputValue(), 'evaluation');
    await reads(page, /本人任课的学生的综合测评[\s\S]*还差 \d+ 项/);
    assert.ok(await page.getByRole('radiogroup', { name: '综合测评总分' }).getByLabel('掩码').isChecked(), 'sensitive fields are asked for masked');
    await page.waitForTimeout(600); // longer than the preview waits for further typing
    assert.equal(previews.length, 1, 'a form opened is previewed once');

    // Said at the fields what is missing; nothing is sent.
    await page.getByRole('button', { name: '签字并提交' }).click();
    await reads(page, /用途说明：必填[\s\S]*请填写日期/);
    await shown(page, 'apply-incomplete', wide);

    // A sensitive field in clear asks for its reason.
    await page.getByRole('radiogroup', { name: '德育得分' }).getByText('明文').click();
    await page.getByLabel(/敏感字段为什么需要明文/).waitFor();
    await page.getByRole('radiogroup', { name: '德育得分' }).getByText('掩码').click();
    await page.getByLabel('用途说明').fill('为任课班级的学业指导，了解学生综合测评情况');
    await page.getByLabel('截止日期（含）').fill(until);

    // Not saved yet, and still there after a reload; saved, and there under its number.
    await reads(page, new RegExp(`自 2026-11-24 至 ${until}，为教学管理`));
    await page.reload();
    await reads(page, /已恢复您上次在本窗口未保存的内容/);
    assert.equal(await page.getByLabel('截止日期（含）').inputValue(), until);
    await page.getByRole('button', { name: '保存草稿' }).click();
    await page.waitForURL(/\/apply\/2026-\d+$/);
    const number = page.url().split('/').at(-1);
    await page.reload();
    assert.match(await page.getByLabel('用途说明').inputValue(), /学业指导/);

    // Edits of the draft not saved yet are there after a reload, too.
    await page.getByLabel('用途说明').fill('为任课班级的学业指导，了解学生综合测评情况（本学期）');
    await reads(page, /综合测评情况（本学期）/);
    await page.reload();
    await reads(page, /已恢复您上次在本窗口未保存的内容/);
    assert.match(await page.getByLabel('用途说明').inputValue(), /本学期/);
    await page.getByLabel('我已阅读并同意').check();
    await reads(page, /批准后[\s\S]*掩码显示：[\s\S]*综合测评总分/);
    await shown(page, 'apply', wide);
    await page.getByRole('button', { name: '签字并提交' }).click();
    const dialog = page.getByRole('dialog', { name: '签字确认' });
    await dialog.getByLabel('登录密码').fill('Wrong-pass-1');
    await dialog.getByRole('button', { name: '签字', exact: true }).click();
    await dialog.getByText(/密码不正确/).waitFor();
    await shown(page, 'sign', wide);
    await dialog.getByLabel('登录密码').fill(teacher.password);
    await dialog.getByRole('button', { name: '签字', exact: true }).click();
    await page.waitForURL(new RegExp(`/cases/${number}$`));
    await reads(page, /待部门负责人签字[\s\S]*2026-11-27\s*还剩 3 个工作日[\s\S]*这一步由计算机科学与工程学院部门负责人办理|待部门负责人签字[\s\S]*还剩 3 个工作日[\s\S]*部门负责人办理/);
    await page.getByLabel('添加附件').setInputFiles({ name: '教学任务书.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') });
    await reads(page, /已添加 教学任务书\.pdf/);
    await page.getByLabel('添加附件').setInputFiles({ name: '说明.txt', mimeType: 'text/plain', buffer: Buffer.from('不是文件') });
    await reads(page, /只接受 PDF、PNG、JPEG 文件/);
    await shown(page, 'case-waiting', wide);

    // The head signs on a phone.
    const head = here.world.accountsOf('department_head')[who.head];
    const hand = await pageOf(here, 'department_head', phone, who.head);
    await hand.getByRole('link', { name: /件待您办理/ }).click();
    await hand.getByRole('button', { name: new RegExp(number) }).click();
    await hand.waitForURL(new RegExp(`/cases/${number}$`));
    await reads(hand, /情况|审核同意并签字/);
    await shown(hand, 'case-head', phone);
    await hand.getByLabel(/意见/).fill('情况属实');
    await hand.getByRole('button', { name: /审核同意并签字/ }).click();
    await signed(hand, head, read(hand, /待教务处审批/));
    await shown(hand, 'case-signed', phone);
    await hand.context().close();

    // The office narrows and approves; the second decider approves.
    const first = await pageOf(here, 'academic_office', wide);
    await first.goto(`${here.address}/cases/${number}`);
    await first.getByText('查看批准后的影响').click();
    await reads(first, /将能多看到 \d+ 行综合测评/);
    await first.getByText('缩小范围后批准').click();
    await first.getByRole('radiogroup', { name: '德育得分' }).getByText('不要').click();
    await reads(first, /已缩小/);
    await shown(first, 'case-decide', wide);
    await first.getByRole('button', { name: /同意批准，送第二人复核/ }).click();
    await signed(first, here.world.accountsOf('academic_office')[0], read(first, /待第二人复核[\s\S]*您（或您所代理的人）已在此件中办理过/));
    await shown(first, 'case-second', wide);
    await first.context().close();
    const second = await pageOf(here, 'academic_office', wide, 1);
    await second.goto(`${here.address}/cases/${number}`);
    await second.getByRole('button', { name: '批准', exact: true }).click();
    await signed(second, here.world.accountsOf('academic_office')[1], read(second, /已批准/));
    await second.context().close();

    // The reply as a file, the grant, and the answer that names it.
    await page.reload();
    await reads(page, new RegExp(`授权 ${number}`));
    await shown(page, 'case-granted', wide);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '批复（PDF）' }).click()]);
    assert.equal((await readFile(await download.path())).subarray(0, 5).toString(), '%PDF-');
    await page.goto(`${here.address}/query/evaluation`);
    await page.getByRole('button', { name: '查询', exact: true }).click();
    await reads(page, new RegExp(`依据[\\s\\S]*授权 ${number}[\\s\\S]*证明给我看`));
    await shown(page, 'query-granted', wide);
    await page.goto(`${here.address}/grants`);
    await reads(page, /生效中[\s\S]*还有 37 天/);
    await shown(page, 'grants', wide);

    // The day after the last one it is refused again.
    await at('2027-01-01T00:00:00+08:00');
    await page.goto(`${here.address}/query/evaluation`);
    await reads(page, /没有权限/);
    await page.context().close();

    // Back to the first day for those after: this grant, over by now, is not to be among theirs.
    await at(start);
    const office = await here.world.as('academic_office');
    await must(office.post('/api/cases', { kind: 'revocation', action: 'revoke', content: { grants: [number], reason: '重新开始' }, password: office.password }));
  });

  test('§1.3.4.b the keyboard alone: point, decide, and the next one opens by itself', async () => {
    await at(start);
    const who = await pair();
    const teacher = await here.world.as('teacher', who.teacher);
    const head = await here.world.as('department_head', who.head);
    const content = {
      dataset: 'evaluation', rows: 'taught', clear: ['student', 'school_year'], masked: [], actions: ['query'], purpose: 'teaching_administration',
      reason: '学业指导，了解任课学生的综合测评', from: '2026-11-24', until, minors: false, holder: 'self',
    };
    const numbers = [];
    for (let n = 0; n < 5; n += 1) {
      const draft = await must(teacher.post('/api/cases', { kind: 'access', action: 'draft', content: { ...content, reason: `${content.reason}（${n + 1}）` } }));
      await must(teacher.post(`/api/cases/${draft.number}/submit`, { password: teacher.password }));
      await must(head.post(`/api/cases/${draft.number}/sign`, { password: head.password }));
      numbers.push(draft.number);
    }
    const page = await pageOf(here, 'academic_office', wide, 2);
    await page.getByRole('link', { name: /件待您办理/ }).press('Enter');
    await page.waitForURL(/\/cases/);
    const panel = page.getByRole('article');
    await panel.getByText(numbers[0]).first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: '键盘操作' }).waitFor();
    await shown(page, 'queue-keys', wide);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await panel.getByText(numbers[1]).first().waitFor();
    await page.keyboard.press('k');
    await panel.getByText(numbers[0]).first().waitFor();
    await panel.getByRole('button', { name: /^批准/ }).waitFor();
    await shown(page, 'queue', wide);

    // Approved: a, Enter, the password once. The next one opens.
    await page.keyboard.press('a');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: '签字确认' });
    await dialog.waitFor();
    await page.keyboard.type(here.world.accountsOf('academic_office')[2].password);
    await page.keyboard.press('Enter');
    await panel.getByText(numbers[1]).first().waitFor();
    await reads(page, new RegExp(`${numbers[0]}：批准，已批准。 余 4 件`));

    // Refused: r asks for the reason at once, Ctrl + Enter takes it; the signature still holds.
    await panel.getByRole('button', { name: /^不批准/ }).waitFor();
    await page.keyboard.press('r');
    await page.keyboard.type('用途与教学无关');
    await page.keyboard.press('Control+Enter');
    await panel.getByText(numbers[2]).first().waitFor();
    await reads(page, new RegExp(`${numbers[1]}：不批准，未批准。 余 3 件`));

    // Sent back.
    await panel.getByRole('button', { name: /^退回修改/ }).waitFor();
    await page.keyboard.press('b');
    await page.keyboard.type('请写明班级');
    await page.keyboard.press('Control+Enter');
    await panel.getByText(numbers[3]).first().waitFor();
    await panel.getByRole('button', { name: /^批准/ }).waitFor();
    await shown(page, 'queue-later', wide);
    await page.keyboard.press('a');
    await page.keyboard.press('Enter');
    await panel.getByText(numbers[4]).first().waitFor();

    // Somebody else is quicker: said, and nothing is decided twice.
    await panel.getByRole('button', { name: /^批准/ }).waitFor();
    const office = await here.world.as('academic_office');
    await must(office.post(`/api/cases/${numbers[4]}/approve`, { password: office.password }));
    await page.keyboard.press('a');
    await page.keyboard.press('Enter');
    await reads(page, new RegExp(`${numbers[4]} 已由他人办理[\\s\\S]*没有待您办理的事项`));
    await shown(page, 'queue-done', wide);
    const states = await Promise.all(numbers.map(async (number) => (await must(teacher.get(`/api/cases/${number}`))).state.name));
    assert.deepEqual(states, ['granted', 'refused', 'returned', 'granted', 'granted']);
    await page.context().close();

    // What was sent back is the applicant's again, with what was said.
    const back = await pageOf(here, 'teacher', phone, who.teacher);
    await back.goto(`${here.address}/cases/${numbers[2]}`);
    await back.getByRole('link', { name: '继续填写' }).click();
    await reads(back, /退回修改：\s*请写明班级/);
    await shown(back, 'apply-returned', phone);
    await back.context().close();
  });

  test('a head ends a grant: the holder is refused at once', async () => {
    await at(start);
    const who = await pair();
    const teacher = await here.world.as('teacher', who.teacher);
    const ask = { dataset: 'evaluation', purpose: 'teaching_administration', limit: 1 };
    assert.equal((await teacher.query(ask)).status, 200);
    for (const size of [phone, wide]) {
      const page = await pageOf(here, 'department_head', size, who.head);
      await page.goto(`${here.address}/grants?tab=unit`);
      await reads(page, new RegExp(teacher.name));
      await shown(page, 'grants-unit', size);
      if (size === wide) {
        for (const box of await page.getByRole('checkbox', { name: /^选择/ }).all()) await box.check();
        await page.getByRole('button', { name: /撤销所选/ }).click();
        const dialog = page.getByRole('dialog', { name: '撤销' });
        await dialog.getByLabel('原因').fill('不再任课');
        await dialog.getByRole('button', { name: '撤销', exact: true }).click();
        await signed(page, here.world.accountsOf('department_head')[who.head], read(page, /已终止 \d+ 项授权/));
      }
      await page.context().close();
    }
    assert.equal((await teacher.query(ask)).status, 403);
  });

  test('the holder renews one; the head says of each whether it is still needed', async () => {
    await at(start);
    const who = await pair();
    const [teacher, head, office] = [await here.world.as('teacher', who.teacher), await here.world.as('department_head', who.head), await here.world.as('academic_office')];
    const numbers = [];
    for (const school_year of ['2024-2025', '2025-2026']) {
      const content = {
        dataset: 'evaluation', rows: 'taught', where: { field: 'school_year', op: 'eq', value: school_year }, clear: ['student', 'school_year'], masked: [], actions: ['query'],
        purpose: 'teaching_administration', reason: '学业指导，了解任课学生的综合测评', from: '2026-11-24', until, minors: false, holder: 'self',
      };
      const { number } = await must(teacher.post('/api/cases', { kind: 'access', action: 'draft', content }));
      await must(teacher.post(`/api/cases/${number}/submit`, { password: teacher.password }));
      await must(head.post(`/api/cases/${number}/sign`, { password: head.password }));
      await must(office.post(`/api/cases/${number}/approve`, { password: office.password }));
      numbers.push(number);
    }

    const own = await pageOf(here, 'teacher', phone, who.teacher);
    await own.goto(`${here.address}/grants`);
    const card = own.getByRole('listitem').filter({ hasText: numbers[0] });
    await card.getByRole('button', { name: '续期' }).click();
    const ask = own.getByRole('dialog', { name: '续期' });
    await ask.getByLabel('续至（含）').fill('2027-01-20');
    await ask.getByLabel('原因').fill('学期未结束，继续使用');
    await shown(own, 'grants-renew', phone);
    await ask.getByRole('button', { name: '续期' }).click();
    await signed(own, teacher, read(own, /查询权限续期[\s\S]*待部门负责人签字/));
    await own.context().close();

    // Made before the term began: the campaign of the term asks the head.
    await sqlOutside(here.world.db, `UPDATE access_grant SET made = ${Date.parse('2026-08-01T00:00:00Z') * 1000} WHERE revoked IS NULL`);
    for (let tries = 0; ; tries += 1) {
      const rows = await head.rows({ dataset: 'case', fields: ['number'], where: { field: 'kind', op: 'eq', value: 'confirmation' } });
      if (rows.length) break;
      assert.ok(tries < 60, 'no campaign was opened');
      await pause(250);
    }
    const page = await pageOf(here, 'department_head', phone, who.head);
    await page.goto(`${here.address}/grants?tab=unit`);
    await page.getByRole('link', { name: /授权确认/ }).click();
    await page.getByRole('button', { name: '确认', exact: true }).click();
    await signed(page, head, read(page, /请对每一项授权选择保留或终止/));
    await page.getByRole('button', { name: '全部保留' }).click();
    await page.getByRole('radiogroup', { name: numbers[1] }).getByLabel('终止').check();
    await shown(page, 'confirmation', phone);
    await page.getByRole('button', { name: '确认', exact: true }).click();
    await signed(page, head, read(page, /已办结/));
    await shown(page, 'confirmation-done', phone);
    await page.context().close();
    const states = await teacher.rows({ dataset: 'access_grant', fields: ['number', 'revoked', 'confirmed'] });
    const of = (number) => states.find((row) => row[0] === number);
    assert.ok(of(numbers[0])[2] && !of(numbers[0])[1]);
    assert.ok(of(numbers[1])[1]);
  });

  for (const size of kSizes) {
    test(`§2.4.2.a a deputy is asked, accepts and is ended, and the pages fit, ${size.name}`, async () => {
      await at(start);
      const who = await pair();
      const page = await pageOf(here, 'department_head', size, who.head);
      await page.goto(`${here.address}/deputies`);
      const colleague = here.world.accountsOf('teacher')[who.teacher];
      await page.getByLabel('代理人', { exact: true }).fill(colleague.account);
      await page.getByLabel('截止日期（含）').fill('2026-11-27');
      await page.getByLabel('原因').fill('出差');
      await page.getByRole('button', { name: '签字并指定', exact: true }).click();
      await signed(page, here.world.accountsOf('department_head')[who.head], read(page, /待对方接受[\s\S]*2026-11-24 – 2026-11-27 · 出差/));
      const theirs = await pageOf(here, 'teacher', size, who.teacher);
      await theirs.goto(`${here.address}/deputies`);
      await reads(theirs, /您[\s\S]*部门负责人/);
      await shown(theirs, 'deputies-asked', size);
      await theirs.getByRole('button', { name: '接受', exact: true }).first().click();
      await signed(theirs, colleague, read(theirs, /您已接受代理[\s\S]*代理中/));
      await theirs.context().close();
      await page.reload();
      await reads(page, /代理中[\s\S]*2026-11-24 – 2026-11-27 · 出差/);
      await shown(page, 'deputies', size);
      await page.getByRole('button', { name: '提前结束' }).first().click();
      await page.getByRole('button', { name: '再按一次确认结束' }).click();
      await signed(page, here.world.accountsOf('department_head')[who.head], read(page, /已提前结束/));
      await page.goto(`${here.address}/cases?tab=all`);
      await reads(page, /综合测评/);
      await shown(page, 'cases-all', size);
      await page.goto(`${here.address}/apply`);
      await page.getByLabel('数据', { exact: true }).selectOption('payment');
      await reads(page, /明文\s*缴费单号[\s\S]*还差 \d+ 项/);
      await page.getByLabel('按条件').check();
      await page.getByRole('button', { name: '添加条件' }).click();
      await reads(page, /请选择要查询的范围|还差/);
      await shown(page, 'apply-payment', size);
      await page.getByRole('button', { name: /EN|English/ }).first().click();
      await reads(page, /Once approved/);
      await shown(page, 'apply-english', size);
      await page.context().close();
    });
  }
});
