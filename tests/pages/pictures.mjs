// Takes the pictures of docs/images, in each language: the launch page on a computer, and five pages on a phone.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openPage, startBrowser } from './browser.mjs';
import { Service } from './service.mjs';
import { STATES } from './states.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const ON_A_PHONE = [
  ['launch-wechat', 'light'],
  ['launch-wechat', 'dark'],
  ['launch-phone', 'light'],
  ['setup', 'light'],
  ['authorized', 'light'],
];

const ends = [];
const end = { after: (what) => ends.push(what) };
const browser = await startBrowser(end);
mkdirSync(FOLDER, { recursive: true });

async function picture(name, lang, colorScheme, options = {}) {
  const { viewport, ...how } = options;
  const service = await Service.start(end);
  const state = STATES[name];
  const page = await openPage(browser, state.devices.at(-1), { colorScheme, ...(viewport && { viewport }) });
  const answer = await state.open(page, await state.prepare(service), lang);
  if (answer.status() !== state.status) throw new Error(`${name} answered ${answer.status()}`);
  await page.waitForLoadState();
  await page.evaluate(() => {
    for (const address of document.querySelectorAll('.address')) {
      address.textContent = address.textContent.replace(/^http:..[^/]+/, 'https://auth.example.com');
    }
  });
  const taken = await page.screenshot(how);
  await page.context().close();
  return taken;
}

for (const lang of ['zh', 'en']) {
  // As high as the page is.
  const whole = { viewport: { width: 640, height: 100 }, fullPage: true };
  await picture('launch-desktop', lang, 'light', { ...whole, path: `${FOLDER}launch-computer.${lang}.png` });
  const row = [];
  for (const [name, colorScheme] of ON_A_PHONE) {
    const png = await picture(name, lang, colorScheme);
    row.push(`<img src="data:image/png;base64,${png.toString('base64')}">`);
  }
  const page = await (await browser.newContext({ viewport: { width: 1991, height: 100 } })).newPage();
  const style =
    'body { display: flex; gap: 20px; margin: 18px; background: #ddd } img { flex: none; border-radius: 16px }';
  await page.setContent(`<!DOCTYPE html><style>${style}</style>${row.join('')}`);
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
  await page.screenshot({ fullPage: true, path: `${FOLDER}pages-phone.${lang}.png` });
}
for (const what of ends) await what();
