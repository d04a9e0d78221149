// The whole service on this machine, as `make run` starts it: every function against the simulator.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../target/debug/local', import.meta.url));

export class Service {
  #process;
  #output = '';

  /** Starts one of its own, on free ports. It ends with the test. */
  static async start(test) {
    const service = new Service();
    service.#process = spawn(PROGRAM, { stdio: ['ignore', 'pipe', 'ignore'] });
    test.after(() => service.#process.kill());
    service.#process.stdout.setEncoding('utf8').on('data', (text) => (service.#output += text));
    service.wechat = await service.printed(/^WeChat, simulated +(http:\S+)$/m);
    service.origin = await service.printed(/^the service +(http:\S+)$/m);
    // Printed at the end, when the first code has been issued.
    await service.printed(/(Ctrl-C) ends it/);
    return service;
  }

  /** Waits until the output matches, and returns the first group. */
  async printed(pattern) {
    return this.until(() => this.#output.match(pattern)?.[1], pattern);
  }

  /** Waits until something is true of the output, and returns that. */
  async until(found, what = 'what was waited for') {
    for (;;) {
      const value = found();
      if (value) return value;
      const done = new AbortController();
      const next = (emitter, event) => once(emitter, event, { signal: done.signal }).then(() => event);
      const happened = await Promise.race([next(this.#process.stdout, 'data'), next(this.#process, 'exit')]);
      done.abort();
      if (happened === 'exit')
        throw new Error(`the service ended before it printed ${what}:\n${this.#output}`);
    }
  }

  /** What has been printed so far. */
  get output() {
    return this.#output;
  }

  /** Makes a link, as an owner does. */
  async link(fields = {}) {
    const link = await post(`${this.origin}/authorization-links`, fields);
    return { ...link, id: link.url.split('/').pop() };
  }

  /** Starts an authorization, without a browser: the link has one code more. */
  async take(link, userAgent = '') {
    const headers = { 'user-agent': userAgent };
    return fetch(link.url, { method: 'POST', redirect: 'manual', headers });
  }

  /** Tells the simulator something: `/_sim/help` lists what it takes. */
  async simulate(what, fields = {}) {
    return post(`${this.wechat}/_sim/${what}`, fields);
  }

  /** The requests for WeChat's page, in order. */
  async visits(path) {
    const answer = await fetch(`${this.wechat}/_sim/requests?last=1000`);
    return (await answer.json()).requests.filter((request) => request.path === path);
  }
}

async function post(url, fields) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(fields) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : {};
}
