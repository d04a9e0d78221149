// A merchant's whole way: launch page, WeChat's pages as the simulator has them, 同意授权, and back. And what WeChat
// sees of it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import jsQR from 'jsqr';
import { openPage, startBrowser } from './browser.mjs';
import { Service } from './service.mjs';
import { startShop } from './shop.mjs';

const PC_PAGE = '/cgi-bin/componentloginpage';
const MOBILE_PAGE = '/wxaopen/safe/bindcomponent';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

/** On the simulator: which of WeChat's pages this is. */
const wechatPage = (page) => page.locator('body').getAttribute('data-page');

/** From the account list to 同意授权. */
async function agree(page) {
  assert.equal(await wechatPage(page), 'accounts');
  await page.locator('[id^="account-"]').first().click();
  assert.equal(await wechatPage(page), 'permissions');
  await page.locator('#agree').click();
  await page.waitForLoadState();
}

/** From the launch page on a computer to 同意授权. */
async function authorizeOnComputer(page, link) {
  await page.goto(link.url);
  await page.locator('form.action button').click();
  assert.equal(await wechatPage(page), 'scan');
  await page.locator('#scan').click();
  await agree(page);
}

const heading = (page) => page.locator('h1').textContent();

/** The Referers that WeChat saw when its page was first opened. */
async function referers(service, path) {
  const visits = await service.visits(path);
  return visits
    .filter((visit) => visit.query.includes('pre_auth_code') && visit.method === 'GET')
    .map((visit) => visit.referer);
}

/** The authorizations on the bus so far. */
const events = (service) =>
  [...service.output.matchAll(/^an event on the bus +authorized\n(\{\n(?:.*\n)*?\})$/gm)].map(([, event]) =>
    JSON.parse(event),
  );

for (const [order, count] of [
  ['before', 1],
  ['after', 1],
  ['twice', 2],
]) {
  test(`the event names its link, whether it comes before the redirect or after it: ${order}`, async (t) => {
    const service = await Service.start(t);
    await service.simulate('authorization', { event_order: order, event_delay_ms: 4000 });
    const link = await service.link({ reference: 'order-18', state: 'back-office-7' });
    const page = await openPage(browser, 'desktop');
    await authorizeOnComputer(page, link);
    assert.equal(await heading(page), '授权已完成');
    if (order === 'after') assert.equal(events(service).length, 0, 'the merchant was back first');
    await service.until(() => events(service).length === count);
    for (const event of events(service)) {
      assert.deepEqual(
        [event.reference, event.state, event.link_id],
        ['order-18', 'back-office-7', link.link_id],
      );
    }
  });
}

for (const javaScriptEnabled of [true, false]) {
  describe(`${javaScriptEnabled ? 'with' : 'without'} JavaScript`, () => {
    test('on a computer', async (t) => {
      const service = await Service.start(t);
      const link = await service.link({ reference: 'order-18', state: 'back-office-7' });
      const page = await openPage(browser, 'desktop', { javaScriptEnabled });
      await authorizeOnComputer(page, link);
      assert.equal(await heading(page), '授权已完成');
      assert.deepEqual(await referers(service, PC_PAGE), [`${service.origin}/`]);
      const event = JSON.parse(
        await service.printed(/^an event on the bus +authorized\n(\{\n(?:.*\n)*?\})$/m),
      );
      assert.deepEqual(
        [event.reference, event.state, event.link_id],
        ['order-18', 'back-office-7', link.link_id],
      );

      await page.reload();
      assert.equal(await heading(page), '授权已经完成');
      assert.deepEqual(page.complaints, []);
    });

    test('in WeChat', async (t) => {
      const service = await Service.start(t);
      const page = await openPage(browser, 'wechat', { javaScriptEnabled });
      await page.goto((await service.link()).url);
      await page.locator('form.action button').click();
      await agree(page);
      assert.equal(await heading(page), '授权已完成');
      assert.deepEqual(await referers(service, MOBILE_PAGE), [`${service.origin}/`]);
      assert.deepEqual(page.complaints, []);
    });

    test("to the owner's page, which sees no Referer", async (t) => {
      const service = await Service.start(t);
      const link = await service.link({
        reference: 'order-18',
        state: 'a&b=c',
        return_url: 'https://shop.example.com/back?from=wechat',
      });
      const shop = await startShop(t);
      const itsBrowser = await startBrowser(t, shop.browserArguments);
      const page = await openPage(itsBrowser, 'desktop', { javaScriptEnabled, ignoreHTTPSErrors: true });
      await authorizeOnComputer(page, link);
      assert.equal(await heading(page), 'Welcome back');
      const [{ url, headers }] = shop.arrived;
      const { auth_code, ...others } = Object.fromEntries(url.searchParams);
      assert.match(auth_code, /^queryauthcode@@@/);
      assert.deepEqual(others, {
        from: 'wechat',
        expires_in: '600',
        state: 'a&b=c',
        reference: 'order-18',
        link_id: link.link_id,
      });
      assert.equal(headers.referer, undefined);
      assert.equal(shop.arrived.length, 1);
    });

    test('by the direct link', async (t) => {
      const service = await Service.start(t);
      const page = await openPage(browser, 'desktop', { javaScriptEnabled });
      await page.goto((await service.link()).url);
      await page.locator('details.help summary').click();
      await page.locator('details.help form button').click();
      assert.equal(await heading(page), '再点击一次，前往微信');
      await page.getByRole('link', { name: '打开微信授权页' }).click();
      assert.equal(await wechatPage(page), 'scan');
      assert.deepEqual(await referers(service, PC_PAGE), [`${service.origin}/`]);
      assert.deepEqual(page.complaints, []);
    });
  });
}

test('a merchant who refuses can start again', async (t) => {
  const service = await Service.start(t);
  const link = await service.link();
  const page = await openPage(browser, 'wechat');
  await page.goto(link.url);
  await page.locator('form.action button').click();
  await page.locator('[id^="account-"]').first().click();
  await page.locator('#refuse').click();
  assert.equal(await wechatPage(page), 'refused');
  await page.goto(`${service.origin}/authorized/${link.id}`);
  assert.equal(await heading(page), '授权没有完成');
  await page.locator('main a.button').click();
  await page.locator('form.action button').click();
  await agree(page);
  assert.equal(await heading(page), '授权已完成');
});

test('a phone reads the QR code of the computer and goes on', async (t) => {
  const service = await Service.start(t);
  const link = await service.link();
  for (const colorScheme of ['light', 'dark']) {
    const page = await openPage(browser, 'desktop', { colorScheme });
    await page.goto(link.url);
    // The pixels as they are shown, without and with what is around them.
    const image = await page.locator('figure').screenshot();
    const { data, width, height } = await pixels(await openPage(browser, 'desktop'), image);
    assert.equal(jsQR(Uint8ClampedArray.from(data), width, height)?.data, link.url, colorScheme);
  }
  const phone = await openPage(browser, 'wechat');
  await phone.goto(link.url);
  await phone.locator('form.action button').click();
  await agree(phone);
  assert.equal(await heading(phone), '授权已完成');
});

async function pixels(page, png) {
  return page.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
      canvas.drawImage(image, 0, 0);
      const { data, width, height } = canvas.getImageData(0, 0, image.width, image.height);
      return { data: [...data], width, height };
    },
    `data:image/png;base64,${png.toString('base64')}`,
  );
}

test('one tap selects the whole address', async (t) => {
  const service = await Service.start(t);
  const link = await service.link();
  const page = await openPage(browser, 'phone');
  await page.goto(link.url);
  await page.locator('.address').click();
  assert.equal(await page.evaluate(() => String(getSelection())), link.url);
});

test('the language that was chosen stays, on the page of a problem too', async (t) => {
  const service = await Service.start(t);
  await service.simulate('faults', { api: 'create_preauthcode', errcode: 61004, times: 'forever' });
  const page = await openPage(browser, 'wechat', { locale: 'zh-CN' });
  await page.goto((await service.link({ reference: 'order-18' })).url);
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('button', { name: 'Continue to WeChat' }).click();
  assert.equal(await heading(page), 'The platform’s settings need fixing');
  assert.match(await page.locator('.details').first().textContent(), /order-18/);
  await page.getByText('中文').click();
  assert.match(await page.locator('footer h2').textContent(), /平台的设置有误/);
  assert.deepEqual(page.complaints, []);
});

test('the focus can be seen, also in colours that the system forces', async (t) => {
  const service = await Service.start(t);
  const page = await openPage(browser, 'desktop', { forcedColors: 'active' });
  await page.goto((await service.link()).url);
  for (const expected of ['BUTTON', 'SUMMARY', 'A']) {
    await page.keyboard.press('Tab');
    const [tag, width, style] = await page.evaluate(() => {
      const { outlineWidth, outlineStyle } = getComputedStyle(document.activeElement);
      return [document.activeElement.tagName, parseFloat(outlineWidth), outlineStyle];
    });
    assert.equal(tag, expected);
    assert.ok(width >= 2 && style !== 'none', `${tag}: ${width} px ${style}`);
  }
  const border = await page.evaluate(() => getComputedStyle(document.querySelector('button')).borderColor);
  assert.notEqual(border, 'rgba(0, 0, 0, 0)');
});
