// What API Gateway shows by itself, as the template has it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openPage, startBrowser } from './browser.mjs';
import { axe, contrast, foreignWords, layout } from './inspect.mjs';

const TEMPLATE = readFileSync(new URL('../../template.yaml', import.meta.url), 'utf8');

/** The pages: YAML makes a space of each line break. */
const pages = [...TEMPLATE.matchAll(/^ {14}<!DOCTYPE html>.*\n(?: {14}.*\n)*/gm)].map(([page]) =>
  page.trim().replace(/\n\s+/g, ' '),
);

test("API Gateway's own pages", async (t) => {
  assert.equal(pages.length, 3);
  const browser = await startBrowser(t);
  for (const html of pages) {
    const page = await openPage(browser, 'phone');
    await page.route('http://pages.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: html }),
    );
    await page.goto('http://pages.example/');
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(await foreignWords(page, 'zh'), []);
    assert.deepEqual(await axe(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await contrast(page), []);
    await page.setViewportSize({ width: 320, height: 640 });
    assert.deepEqual(await layout(page), []);
    // Its style applies, so the policy allows it.
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).textAlign), 'center');
  }
});
