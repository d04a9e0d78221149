// Every page on desktop and phone, in both languages, light and dark, with and without JavaScript.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openPage, startBrowser } from './browser.mjs';
import { axe, contrast, foreignWords, headers, layout } from './inspect.mjs';
import { Service } from './service.mjs';
import { STATES } from './states.mjs';

describe('every page', { concurrency: 2 }, () => {
  let browser;
  before(async () => (browser = await startBrowser()));
  after(() => browser.close());

  for (const [name, state] of Object.entries(STATES)) {
    test(name, async (t) => {
      const service = await Service.start(t);
      const prepared = await state.prepare(service);
      for (const device of state.devices) {
        for (const javaScriptEnabled of [true, false]) {
          const page = await openPage(browser, device, { javaScriptEnabled });
          for (const lang of ['zh', 'en']) {
            const variant = `${device}, ${lang}, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`;
            await page.emulateMedia({ colorScheme: 'light' });
            const answer = await state.open(page, prepared, lang);
            await page.waitForLoadState();
            assert.equal(answer.status(), state.status, variant);
            await looksRight(page, state, lang, variant);
            const leadsToWeChat = name.startsWith('launch') || name === 'handoff';
            assert.deepEqual(await headers(answer, service, lang, leadsToWeChat), [], variant);
            assert.deepEqual(page.complaints, [], variant);
            const elsewhere = page.loaded.filter(
              (url) => !url.startsWith('data:') && !url.startsWith(service.origin),
            );
            assert.deepEqual(elsewhere, [], variant);
            if (javaScriptEnabled) await suitsEveryone(page, variant);
          }
          await page.context().close();
        }
      }
    });
  }
});

async function looksRight(page, state, lang, variant) {
  const heading = await page.locator('h1').textContent();
  // A line may break there.
  assert.equal(heading.replaceAll('\u200b', ''), state.title[lang], variant);
  assert.deepEqual(await foreignWords(page, lang), [], variant);
  assert.deepEqual(await layout(page), [], variant);
}

async function suitsEveryone(page, variant) {
  assert.deepEqual(await axe(page), [], variant);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await contrast(page), [], `${variant}, dark`);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  assert.deepEqual(await layout(page), [], `${variant}, 320 px`);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  assert.deepEqual(await layout(page), [], `${variant}, 320 px, text of 200 %`);
  await page.setViewportSize(size);
}
