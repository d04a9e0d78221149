// Every page that a merchant can see, with what is shown there, and how a merchant comes to it.

const CODE = 'create_preauthcode';

const launch = (page, { link }, lang) => page.goto(`${link.url}?lang=${lang}`);

/** Opens the launch page and presses its button; or the one behind WeChat's errors. */
async function press(page, prepared, lang, button = 'form.action button') {
  await launch(page, prepared, lang);
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.locator('details.help summary').click();
  await page.locator(button).click();
  return answer;
}

const comeBack = (page, { service, link }, lang, query = '') =>
  page.goto(`${service.origin}/authorized/${link.id}?lang=${lang}${query}`);

const link = async (service, fields = {}) => ({
  service,
  link: await service.link({ reference: 'order-18', ...fields }),
});

async function started(service) {
  const prepared = await link(service);
  await service.take(prepared.link);
  return prepared;
}

/** WeChat answers each request for a code with this errcode. */
const refused = (errcode) => async (service) => {
  await service.simulate('faults', { api: CODE, errcode, times: 'forever' });
  return link(service);
};

async function withoutTicket(service) {
  await service.simulate('pushing', { running: false });
  // A ticket is valid for 12 hours.
  await service.simulate('clock', { advance_seconds: 13 * 3600 });
  return link(service);
}

async function ended(service) {
  const prepared = await link(service, { expires_in: 60 });
  await service.simulate('clock', { advance_seconds: 61 });
  return prepared;
}

async function exhausted(service) {
  const prepared = await link(service);
  for (let code = 0; code < 20; code += 1) await service.take(prepared.link);
  return prepared;
}

const unknown = (service) => ({
  service,
  link: { url: `${service.origin}/authorize/AAAAAAAAAAAAAAAAAAAAAA` },
});
const nowhere = (service) => ({ service, link: { url: `${service.origin}/authorize/a/b` } });

async function withAnotherMethod(page, prepared, lang) {
  await page.route('**/*', (route) => route.continue({ method: 'PUT' }), { times: 1 });
  return launch(page, prepared, lang);
}

let codes = 0;
const newCode = () => `&auth_code=queryauthcode@@@${(codes += 1)}&expires_in=600`;
const oldCode = '&auth_code=queryauthcode@@@old&expires_in=600';

async function again(page, prepared, lang) {
  await comeBack(page, prepared, lang, oldCode);
  return comeBack(page, prepared, lang, oldCode);
}

/** A merchant was sent on to the owner's page before. */
async function cameBackBefore(service) {
  const prepared = await link(service, { return_url: 'https://shop.example.com/done' });
  await service.take(prepared.link);
  const url = `${service.origin}/authorized/${prepared.link.id}?${oldCode}`;
  await fetch(url, { redirect: 'manual' });
  return prepared;
}

/** A merchant is at WeChat while the table fails. */
async function withoutTable(service) {
  const prepared = await started(service);
  await fetch(`${service.origin}/sim/table-down`, { method: 'POST' });
  return prepared;
}

const ASKS = {
  zh: '「示例平台」申请获得你的公众号或小程序授权',
  en: '示例平台 asks you to authorize your Official Account or Mini Program',
};
const BOTH = ['desktop', 'phone'];
const page = (status, zh, en, prepare, open, devices = BOTH) => ({
  status,
  title: { zh, en },
  prepare,
  open,
  devices,
});
const launchOn = (device) => page(200, ASKS.zh, ASKS.en, link, launch, [device]);
const trouble = (status, zh, en, prepare, open = press) => page(status, zh, en, prepare, open);

/** The pages by name. `prepare` is done once, `open` for each visit; it returns the answer. */
export const STATES = {
  'launch-desktop': launchOn('desktop'),
  'launch-phone': launchOn('phone'),
  'launch-wechat': launchOn('wechat'),
  'launch-wecom': launchOn('wecom'),
  'launch-mini-program': launchOn('miniProgram'),
  // Each visit takes a code of the link, so that one link is not enough.
  handoff: page(
    200,
    '再点击一次，前往微信',
    'One more step to WeChat',
    (service) => ({ service }),
    async (page, { service }, lang) => press(page, await link(service), lang, 'details.help form button'),
  ),
  authorized: page(200, '授权已完成', 'Authorization complete', started, (page, prepared, lang) =>
    comeBack(page, prepared, lang, newCode()),
  ),
  'authorized-again-with-return-url': page(200, '授权已经完成', 'Already authorized', cameBackBefore, (page, prepared, lang) =>
    comeBack(page, prepared, lang, oldCode),
  ),
  unconfirmed: page(
    503,
    '暂时无法确认授权结果',
    'The result cannot be confirmed right now',
    withoutTable,
    (page, prepared, lang) => comeBack(page, prepared, lang, newCode()),
  ),
  'authorized-again': page(200, '授权已经完成', 'Already authorized', started, again),
  'not-authorized': page(200, '授权没有完成', 'Not authorized yet', started, comeBack),
  busy: trouble(503, '暂时无法开始授权', 'The authorization cannot start right now', refused(-1)),
  quota: trouble(503, '授权次数暂时达到上限', 'Too many authorizations for now', refused(45009)),
  setup: trouble(503, '平台的设置有误，暂时无法授权', 'The platform’s settings need fixing', refused(61004)),
  'no-ticket': trouble(503, '平台还没有准备好', 'The platform is not ready yet', withoutTicket),
  'link-ended': trouble(410, '授权链接已过期', 'This link has expired', ended, launch),
  'link-unknown': trouble(404, '授权链接无效', 'This link does not work', unknown, launch),
  'too-many-tries': trouble(429, '链接的使用次数已达上限', 'This link was used too often', exhausted, launch),
  'method-not-allowed': trouble(
    405,
    '页面打不开',
    'This page cannot be opened like this',
    link,
    withAnotherMethod,
  ),
  'not-found': trouble(404, '页面不存在', 'There is no such page', nowhere, launch),
  internal: trouble(500, '服务出现故障', 'Something went wrong', refused(47001)),
};
