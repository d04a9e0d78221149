// Chromium, the devices of merchants, and what a page may not do in a browser.

import { chromium } from 'playwright-core';

const PROGRAM = process.env.CHROMIUM || '/usr/bin/chromium';
const QUIET = ['quic', 'background-networking', 'component-update', 'sync'].map(
  (what) => `--disable-${what}`,
);

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const PHONE = { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true };
const IN_WECHAT = `${IPHONE} Mobile/15E148 MicroMessenger/8.0.61(0x18003d27) NetType/WIFI`;

/** By whose browser a merchant comes. */
export const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { ...PHONE, userAgent: `${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1` },
  wechat: { ...PHONE, userAgent: IN_WECHAT },
  wecom: { ...PHONE, userAgent: `${IPHONE} Mobile/15E148 wxwork/4.1.38 MicroMessenger/7.0.1` },
  miniProgram: { ...PHONE, userAgent: `${IN_WECHAT} miniProgram/wx51a0000000000001` },
};

/** Starts the browser. It ends with the test. */
export async function startBrowser(test, more = []) {
  const chromiumSandbox = process.getuid() !== 0;
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: [...QUIET, ...more],
    chromiumSandbox,
  });
  test?.after(() => browser.close());
  return browser;
}

/** A page on this device. `complaints` collects what the browser says against it, `loaded` what it asks for. */
export async function openPage(browser, device, options = {}) {
  const context = await browser.newContext({ locale: 'zh-CN', ...DEVICES[device], ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.loaded = [];
  page.on('console', (message) => {
    // A page with an error status is one of ours. Anything else that does not load is a complaint.
    const own =
      /^Failed to load resource: .* status of [45]\d\d/.test(message.text()) &&
      message.location().url === page.url();
    if (!own) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('request', (request) => page.loaded.push(request.url()));
  return page;
}
