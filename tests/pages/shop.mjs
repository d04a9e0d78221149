// An owner's own page at https://shop.example.com, which keeps what arrives. A route of Playwright would not do: it
// does not see where a redirect leads.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function startShop(test) {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  const file = (name) => join(folder, name);
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=shop.example.com';
  execFileSync('openssl', [...request.split(' '), '-keyout', file('key'), '-out', file('cert')], {
    stdio: 'ignore',
  });
  const identity = { key: readFileSync(file('key')), cert: readFileSync(file('cert')) };
  rmSync(folder, { recursive: true });

  const arrived = [];
  const server = createServer(identity, (request, answer) => {
    arrived.push({ url: new URL(request.url, 'https://shop.example.com'), headers: request.headers });
    answer.setHeader('content-type', 'text/html');
    answer.end('<title>Shop</title><link rel="icon" href="data:,"><h1>Welcome back</h1>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => server.close());
  return {
    arrived,
    browserArguments: [`--host-resolver-rules=MAP shop.example.com 127.0.0.1:${server.address().port}`],
  };
}
