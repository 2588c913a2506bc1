// The walk of the added procedure in a browser, wide and on a phone, in both languages.
import { test } from 'node:test';
import { inBrowser, kSizes, pageOf, reads, shown } from './browser.mjs';

const here = inBrowser();

for (const size of kSizes) {
  test(`a student reports a card that was found and sees it in the list, ${size.name}`, async () => {
    const page = await pageOf(here, 'student', size);
    await page.goto(`${here.address}/lost-cards`);
    await reads(page, /校园卡招领/);
    await page.getByLabel('卡号').fill(`2024-${size.name}`);
    await page.getByLabel('存放处').fill('一号楼值班室');
    await page.getByRole('button', { name: '报告拾到的校园卡' }).click();
    await reads(page, new RegExp(`已登记[^]*2024-${size.name}`));
    await shown(page, 'lost-card', size);
  });
}
