// Two rule sets in one queue of a client: a socket is opened when another request ends, in its
// context. No request may run under the rules of another, and none may wait or fail for another.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { currentRules, withRules } from '../../src/context.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, type HttpAgentOptions } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { get } from '../helpers/attack.ts';
import { deferred } from '../helpers/deferred.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, release, startLab, type Lab } from '../helpers/lab.ts';

const wide = new Rules({ allow: ['127.0.0.0/8'] });
const strict = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const nowhere = new Rules({ allow: ['10.0.0.0/8'] });

/** Waits for the server to have seen the request that hangs, so that the others queue behind it. */
async function inFlight(lab: Lab): Promise<void> {
  while (!lab.allowed.requests.some(({ url }) => url === '/hang')) await new Promise(setImmediate);
}

describe('HttpAgent with keepAlive and maxTotalSockets', () => {
  it('ends an idle connection of other rules rather than let a request wait for it', async (t) => {
    // Unlike that of the lab it keeps what is idle for ever.
    const server = http.createServer((_request, response) => response.end('hello'));
    server.keepAliveTimeout = 0;
    let connections = 0;
    server.on('connection', () => connections++);
    await once(server.listen(0, ALLOWED), 'listening');
    const url = `http://${ALLOWED}:${(server.address() as AddressInfo).port}/`;
    const agent = new HttpAgent({ keepAlive: true, maxTotalSockets: 1 });
    t.after(() => (agent.destroy(), server.close()));
    const results: unknown[] = [];
    for (const rules of [wide, wide, strict, nowhere, undefined, strict]) {
      const free = once(agent, 'free');
      const result = await inTime(
        withRules(rules, () => get(agent, url)),
        'the request',
      );
      results.push(result);
      if (result === 200) await free;
    }
    const denied = `${ALLOWED} not-allowed`;
    assert.deepEqual(results, [200, 200, 200, denied, denied, 200]);
    assert.equal(connections, 3);
  });

  it('ends one for each request that waits', async (t) => {
    const server = http.createServer((request, response) => {
      if (request.url !== '/hang') response.end('hello');
    });
    server.keepAliveTimeout = 0;
    await once(server.listen(0, ALLOWED), 'listening');
    const url = `http://${ALLOWED}:${(server.address() as AddressInfo).port}/`;
    const agent = new HttpAgent({ keepAlive: true, maxTotalSockets: 3 });
    t.after(() => (agent.destroy(), server.closeAllConnections(), server.close()));
    const free = deferred();
    let left = 3;
    agent.on('free', () => --left === 0 && free.resolve());
    await Promise.all([1, 2, 3].map(() => withRules(wide, () => get(agent, url))));
    await free.promise;
    const hanging = withRules(strict, () => get(agent, `${url}hang`)).catch(() => {});
    const other = new Rules({ allow: [ALLOWED] });
    const waiting = withRules(other, () => get(agent, url));
    assert.equal(await inTime(waiting, 'the second request'), 200);
    agent.destroy();
    await hanging;
  });

  it('leaves it alone when the request waits for its own origin', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1, maxTotalSockets: 2 });
    t.after(() => agent.destroy());
    const free = once(agent, 'free');
    assert.equal(await withRules(strict, () => get(agent, lab.url(ALLOWED))), 200);
    await free;
    const hanging = withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')));
    await inFlight(lab);
    const queued = withRules(wide, () => get(agent, lab.url(ALLOWED)));
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    assert.equal(Object.keys(agent.freeSockets).length, 1);
    release(lab.allowed);
    assert.deepEqual([await hanging, await queued], [200, 200]);
    assert.equal(lab.allowed.connections, 2);
  });
});

describe('HttpAgent with a queue', () => {
  it('asks the function of its rules once for each request, when it is made', async (t) => {
    const lab = await startLab(t);
    let asked = 0;
    let gone = false;
    const agent = new HttpAgent({
      maxSockets: 1,
      rules: () => {
        asked++;
        if (gone) throw new Error('the tenant is gone');
        return wide;
      },
    });
    t.after(() => agent.destroy());
    const calls = [get(agent, lab.url(ALLOWED, '/hang')), get(agent, lab.url(ALLOWED))];
    gone = true;
    await inFlight(lab);
    release(lab.allowed);
    assert.deepEqual(await inTime(Promise.all(calls), 'the requests'), [200, 200]);
    assert.equal(asked, 2);
  });

  it('opens connections for what is in it after close()', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ maxTotalSockets: 1 });
    const ask = (rules: Rules, path?: string): Promise<unknown> =>
      withRules(rules, () => get(agent, lab.url(ALLOWED, path)));
    const calls = [ask(wide, '/hang'), ask(strict)];
    await inFlight(lab);
    agent.close();
    release(lab.allowed);
    assert.deepEqual(await inTime(Promise.all(calls), 'the requests'), [200, 200]);
    assert.equal(lab.allowed.connections, 2);
  });

  it('keeps no connection of what was in it when destroy() was called', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ maxSockets: 1, keepAlive: true, rules: wide });
    const first = get(agent, lab.url(ALLOWED, '/hang')).catch(({ code }: { code: unknown }) => code);
    const queued = get(agent, lab.url(ALLOWED));
    await inFlight(lab);
    agent.destroy();
    assert.deepEqual(await inTime(Promise.all([first, queued]), 'the requests'), ['ECONNRESET', 200]);
    await inTime(lab.drained(), 'the connections');
    assert.deepEqual(Object.keys(agent.freeSockets), []);
  });
});

const limits: HttpAgentOptions[] = [
  { maxTotalSockets: 1 },
  { maxSockets: 1 },
  { maxSockets: 1, maxTotalSockets: 1 },
];
for (const limit of limits.flatMap((one) => [one, { ...one, keepAlive: true }])) {
  const name = JSON.stringify(limit);
  describe(`HttpAgent ${name} with a queue`, () => {
    it('of [allowed in flight, denied, allowed] settles each as its own rules say', async (t) => {
      const lab = await startLab(t);
      const agent = new HttpAgent(limit);
      const calls = [withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')))];
      await inFlight(lab);
      calls.push(
        withRules(nowhere, () => get(agent, lab.url(ALLOWED, '/denied'))),
        withRules(strict, () => get(agent, lab.url(DENIED, '/denied'))),
        withRules(strict, () => get(agent, lab.url(ALLOWED, '/1'))),
        withRules(undefined, () => get(agent, lab.url(ALLOWED, '/denied'))),
        withRules(wide, () => get(agent, lab.url(ALLOWED, '/2'))),
        withRules(nowhere, () => get(agent, lab.url(DENIED, '/denied'))),
        withRules(wide, () => get(agent, lab.url(ALLOWED, '/3'))),
      );
      release(lab.allowed);
      assert.deepEqual(await Promise.all(calls), [
        200,
        `${ALLOWED} not-allowed`,
        `${DENIED} blocked`,
        200,
        `${ALLOWED} not-allowed`,
        200,
        `${DENIED} not-allowed`,
        200,
      ]);
      assert.deepEqual(lab.allowed.requests.map(({ url }) => url).sort(), ['/1', '/2', '/3', '/hang']);
      assert.equal(lab.denied.connections, 0);
      agent.destroy();
    });

    it('runs the handlers of a request under the rules of its own call', async (t) => {
      const lab = await startLab(t);
      const agent = new HttpAgent(limit);
      const hanging = withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')));
      await inFlight(lab);
      // A handler that tries again: under the rules of the other request it would get through.
      const again = await new Promise<unknown>((resolve) => {
        withRules(strict, () => {
          http.get(lab.url(DENIED), { agent }).on('error', () => resolve(get(agent, lab.url(DENIED))));
          release(lab.allowed);
        });
      });
      assert.equal(again, `${DENIED} blocked`);
      assert.equal(await hanging, 200);

      const seen: unknown[] = [];
      const note = (): number => seen.push(currentRules()?.id);
      const blocker = withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')));
      const request = withRules(strict, () => http.get(lab.url(ALLOWED), { agent }));
      request.on('socket', (socket) => {
        note();
        socket.once('connect', note);
      });
      // Before anything is awaited: a short answer has ended by the time that a promise says it began.
      const ended = new Promise((resolve) =>
        request.on('finish', note).on('response', (response) => response.resume().on('end', resolve)),
      );
      while (lab.allowed.requests.filter(({ url }) => url === '/hang').length < 2)
        await new Promise(setImmediate);
      release(lab.allowed);
      await ended;
      assert.ok(seen.length >= 2);
      assert.deepEqual([...new Set(seen)], [strict.id]);
      assert.equal(await blocker, 200);
      assert.equal(lab.denied.connections, 0);
      agent.destroy();
    });

    it('goes on when a queued request is given up', async (t) => {
      const lab = await startLab(t);
      const agent = new HttpAgent(limit);
      const hanging = withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')));
      await inFlight(lab);
      const gone = [wide, nowhere, strict].map((rules) =>
        withRules(rules, () => http.get(lab.url(ALLOWED, '/gone'), { agent }).on('error', () => {})),
      );
      const last = withRules(strict, () => get(agent, lab.url(ALLOWED, '/last')));
      for (const request of gone) request.destroy();
      release(lab.allowed);
      assert.deepEqual(await Promise.all([hanging, last]), [200, 200]);
      assert.deepEqual(
        lab.allowed.requests.map(({ url }) => url),
        ['/hang', '/last'],
      );
      agent.destroy();
    });
  });
}

describe('undici and fetch with one connection', () => {
  for (const pipelining of [1, 10]) {
    it(`and pipelining ${pipelining} fail the denied requests only`, async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent: undici.Agent, connections: 1, pipelining });
      const fetch = createFetch({ connections: 1, pipelining });
      const outcome = (call: Promise<{ status: number }>): Promise<unknown> =>
        call.then(
          ({ status }) => status,
          (error) => deniedError(error)?.reason ?? error,
        );
      const calls: Promise<unknown>[] = [];
      const wanted: unknown[] = [];
      for (let i = 0; i < 40; i++) {
        const rules = [wide, nowhere, strict, undefined][i % 4];
        const url = lab.url(ALLOWED, `/${i}`);
        const call = (): Promise<unknown> =>
          i % 3 === 0
            ? outcome(fetch(url).then(async (response) => (await response.text(), response)))
            : outcome(
                undici
                  .request(url, { dispatcher })
                  .then(async ({ statusCode, body }) => (await body.text(), { status: statusCode })),
              );
        calls.push(rules === undefined ? call() : withRules(rules, call));
        wanted.push(rules === nowhere ? 'not-allowed' : rules === undefined ? 'no-rules' : 200);
      }
      assert.deepEqual(await Promise.all(calls), wanted);
      assert.equal(lab.allowed.requests.length, 20);
      await Promise.all([dispatcher.destroy(), fetch.destroy()]);
    });
  }
});
