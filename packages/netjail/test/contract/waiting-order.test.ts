// `maxTotalSockets`: who waits longest gets the next place, whatever its rules, as in an agent of Node all
// requests of one origin do.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { currentRules, withRules } from '../../src/context.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { failure, get } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';

const one = new Rules({ allow: ['127.0.0.0/8'] });
const two = new Rules({ allow: ['127.0.0.0/9'] });
const three = new Rules({ allow: ['127.0.0.0/10'] });

interface Listing {
  readonly url: (path: string) => string;
  /** The paths that were asked for, in order. */
  readonly paths: string[];
  readonly connections: () => number;
}

/** A server that answers `/first` when the agent is ready, and all others at once. */
async function startListing(t: TestContext, secure: boolean, isReady: () => boolean): Promise<Listing> {
  const paths: string[] = [];
  const listener: http.RequestListener = ({ url = '' }, response) => {
    paths.push(url);
    const answer = (): unknown =>
      url !== '/first' || isReady() ? response.end('hello') : setImmediate(answer);
    answer();
  };
  const server = secure ? https.createServer(await tlsCertificate(), listener) : http.createServer(listener);
  server.keepAliveTimeout = 0;
  let connections = 0;
  server.on('connection', () => connections++);
  await once(server.listen(0, ALLOWED), 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `${secure ? 'https' : 'http'}://${ALLOWED}:${port}${path}`,
    paths,
    connections: () => connections,
  };
}

const waitingIn = (agent: http.Agent): number => Object.values(agent.requests).flat().length;

for (const [Agent, Plain, secure] of [
  [HttpAgent, http.Agent, false],
  [HttpsAgent, https.Agent, true],
] as const) {
  for (const keepAlive of [true, false]) {
    describe(`${Agent.name} with maxTotalSockets and keepAlive ${keepAlive}`, () => {
      const options = { keepAlive, maxTotalSockets: 1, rejectUnauthorized: false };
      const order = async (t: TestContext, agent: http.Agent, sets: readonly Rules[]): Promise<Listing> => {
        t.after(() => agent.destroy());
        const listing = await startListing(t, secure, () => waitingIn(agent) === sets.length);
        const ask = (rules: Rules, path: string): Promise<unknown> =>
          withRules(rules, () => get(agent, listing.url(path)));
        const first = ask(one, '/first');
        const others = sets.map((rules, i) => ask(rules, `/${i}`));
        await inTime(Promise.all([first, ...others]), 'the requests');
        return listing;
      };

      it('sends requests of several rule sets in the order in which they came', async (t) => {
        const sets = [one, two, one, three, two, one, one];
        const guarded = await order(t, new Agent(options as object) as http.Agent, sets);
        const plain = await order(t, new Plain(options), sets);
        assert.deepEqual(guarded.paths, ['/first', ...sets.map((_, i) => `/${i}`)]);
        assert.deepEqual(guarded.paths, plain.paths);
        // The first two have the same rules and so have the last two: they share one where it is kept.
        assert.equal(guarded.connections(), keepAlive ? 6 : 8);
      });

      it('keeps one connection for one rule set', async (t) => {
        const guarded = await order(t, new Agent(options as object) as http.Agent, [one, one, one]);
        assert.equal(guarded.connections(), keepAlive ? 1 : 4);
      });

      it('answers a request although another rule set always has one more waiting', async (t) => {
        const agent = new Agent({ ...options, maxTotalSockets: 2 } as object) as http.Agent;
        t.after(() => agent.destroy());
        const listing = await startListing(t, secure, () => true);
        const state = { isServed: false };
        const busy = Array.from({ length: 5 }, () =>
          withRules(one, async () => {
            while (!state.isServed) await get(agent, listing.url('/busy'));
          }),
        );
        const single = withRules(two, () => get(agent, listing.url('/single')));
        t.after(() => (state.isServed = true));
        assert.equal(await inTime(single, 'the request of other rules'), 200);
        state.isServed = true;
        await Promise.all(busy);
      });
    });
  }

  describe(`${Agent.name} with maxTotalSockets`, () => {
    it('tells requests that were aborted while they waited, and opens no connection for them', async (t) => {
      const agent = new Agent({ maxTotalSockets: 1, rejectUnauthorized: false } as object) as http.Agent;
      t.after(() => agent.destroy());
      const storage = new AsyncLocalStorage<string>();
      let isReady = false;
      const listing = await startListing(t, secure, () => isReady);
      const ask = (rules: Rules, path: string, signal?: AbortSignal): Promise<unknown> =>
        withRules(rules, () =>
          storage.run(path, async () => {
            const client = secure ? https : http;
            const request = client.get(listing.url(path), { agent, signal });
            return new Promise((resolve) => {
              request.on('response', (response) => resolve(response.resume().statusCode));
              request.on('error', ({ name }) => resolve([name, storage.getStore()]));
            });
          }),
        );
      const first = ask(one, '/first');
      const given = new AbortController();
      const waiting = [ask(two, '/a', given.signal), ask(two, '/b', given.signal), ask(three, '/c')];
      const last = ask(two, '/d', given.signal);
      given.abort();
      isReady = true;
      assert.deepEqual(await inTime(Promise.all([first, ...waiting, last]), 'all'), [
        200,
        ['AbortError', '/a'],
        ['AbortError', '/b'],
        200,
        ['AbortError', '/d'],
      ]);
      assert.deepEqual([listing.paths, listing.connections()], [['/first', '/c'], 2]);
      assert.equal(waitingIn(agent), 0);
    });

    it('has the asynchronous context of a request that has waited in its events', async (t) => {
      const lab = await startLab(t, secure ? 'https' : 'http');
      const storage = new AsyncLocalStorage<string>();
      const told: unknown[] = [];
      // Rules from a function that reads the context: a retry must not be under those of somebody else.
      for (const rules of [undefined, () => currentRules()]) {
        const agent = new Agent({
          rules,
          maxTotalSockets: 1,
          rejectUnauthorized: false,
        } as object) as http.Agent;
        t.after(() => agent.destroy());
        const wide = withRules(new Rules({ allow: ['127.0.0.0/8'] }), () =>
          storage.run('wide', () => get(agent, lab.url(ALLOWED))),
        );
        const narrow = new Rules({ allow: ['127.0.0.3'] });
        // Nobody listens there.
        const refused = withRules(narrow, () =>
          storage.run('narrow', async () => {
            const client = secure ? https : http;
            const request = client.get(lab.url('127.0.0.3'), { agent });
            const retried = new Promise<Error>((resolve) => {
              request.on('error', () => {
                told.push(storage.getStore());
                resolve(failure(client.get(lab.url(DENIED), { agent })));
              });
            });
            return deniedError(await retried)?.reason;
          }),
        );
        assert.equal(await wide, 200);
        assert.equal(await inTime(refused, 'the denial'), 'not-allowed');
      }
      assert.deepEqual(told, ['narrow', 'narrow']);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [2, 0]);
    });
  });
}
