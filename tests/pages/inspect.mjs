// What must hold on every page in a browser. Each function returns what is wrong.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds: all of it, or only contrasts. */
export async function axe(page, rules = { type: 'tag', values: RULES }) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly }), rules);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`),
  );
}

/** What is hard to read with the colours of now. */
export const contrast = (page) => axe(page, { type: 'rule', values: ['color-contrast'] });

/** What stands out of the page, or is hard to hit with a finger. Opens everything that is folded. */
export async function layout(page) {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
    const found = [];
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth - innerWidth} px too wide`);
    for (const target of document.querySelectorAll('a, button, summary')) {
      const { width, height } = target.getBoundingClientRect();
      if (width < 44 || height < 44) found.push(`${target.textContent}: ${width} x ${height} px`);
    }
    return found;
  });
}

/** Words of another language than the page's, besides names, addresses and what WeChat says. */
export async function foreignWords(page, lang) {
  const text = await page.evaluate(() => {
    const copy = document.body.cloneNode(true);
    for (const other of copy.querySelectorAll('[lang], .address, .details dd')) other.remove();
    return copy.textContent;
  });
  const own = text.replaceAll('示例平台', '').replaceAll('同意授权', '');
  return own.match(lang === 'zh' ? /[A-Za-z]{2,}/g : /[\u4e00-\u9fff]+/g) ?? [];
}

/** The headers of a page that are wrong. */
export async function headers(answer, service, lang, leadsToWeChat) {
  const found = await answer.allHeaders();
  const expected = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'referrer-policy': leadsToWeChat ? 'origin' : 'no-referrer',
    'x-robots-tag': 'noindex, nofollow',
    'x-content-type-options': 'nosniff',
    'content-language': lang === 'zh' ? 'zh-CN' : 'en',
    vary: 'accept-language, user-agent',
  };
  const wrong = Object.entries(expected).filter(([name, value]) => found[name] !== value);
  const policy = found['content-security-policy'].replace(/'sha256-[A-Za-z0-9+/]{43}='/, 'HASH');
  const loads = "default-src 'none'; style-src HASH; img-src data:";
  const leads = `form-action 'self' ${service.wechat} ${service.wechat}; base-uri 'none'; frame-ancestors 'none'`;
  if (policy !== `${loads}; ${leads}`) wrong.push(['content-security-policy', policy]);
  return wrong.map(([name]) => `${name}: ${found[name]}`);
}
