// What is checked on every page is found where it is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, startBrowser } from './browser.mjs';
import { axe, contrast, foreignWords, layout } from './inspect.mjs';

const WRONG = `<!DOCTYPE html>
  <html lang="en">
    <head>
      <title>Wrong</title>
      <meta name="viewport" content="width=device-width">
      <style>
        :root { color-scheme: light dark }
        .pale { color: #aaa; background: #fff }
        @media (prefers-color-scheme: dark) { .dim { color: #444; background: #222 } }
      </style>
    </head>
    <body>
      <main>
        <h1>Wrong</h1> <p class="pale">pale</p> <p class="dim">dim</p> <p>中文</p> <p lang="zh-CN">可以</p>
        <img src="data:,">
        <details>
          <summary style="height: 44px">More</summary>
          <button style="width: 43px; height: 44px">A</button>
        </details>
        <div style="width: 330px">wide</div>
      </main>
    </body>
  </html>`;

test('what is wrong is found', async (t) => {
  const page = await openPage(await startBrowser(t), 'desktop');
  await page.setContent(WRONG);
  const found = await axe(page);
  assert.deepEqual(
    found.map((violation) => violation.split(':')[0]),
    ['color-contrast', 'image-alt'],
  );
  assert.deepEqual(await foreignWords(page, 'en'), ['中文']);
  assert.deepEqual(await foreignWords(page, 'zh'), ['Wrong', 'pale', 'dim', 'More', 'wide']);
  assert.deepEqual(await layout(page), ['A: 43 x 44 px']);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.deepEqual(await layout(page), ['the page is 18 px too wide', 'A: 43 x 44 px']);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.match((await contrast(page)).join(), /class="dim"/);
});

test('what a policy refuses is a complaint', async (t) => {
  const page = await openPage(await startBrowser(t), 'desktop');
  const headers = { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'" };
  const body = '<title>Wrong</title><link rel="icon" href="data:,"><p style="color: red">red</p>';
  await page.route('http://pages.example/', (route) => route.fulfill({ headers, body }));
  await page.goto('http://pages.example/');
  assert.match(page.complaints.join(), /inline style violates the following Content Security Policy/);
});
