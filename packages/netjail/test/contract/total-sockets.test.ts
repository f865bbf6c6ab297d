// `maxTotalSockets` counts the connections of all rule sets: where one of them waits only for a place, it
// gets one that becomes free, as it would if all had the same rules (waiting-order.test.ts: in which order).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { withRules } from '../../src/context.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { get } from '../helpers/attack.ts';
import { deferred } from '../helpers/deferred.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, release, startLab, tlsCertificate } from '../helpers/lab.ts';

const one = new Rules({ allow: ['127.0.0.0/8'] });
const two = new Rules({ allow: ['127.0.0.0/9'] });
const three = new Rules({ allow: ['127.0.0.0/10'] });
const four = new Rules({ allow: ['127.0.0.0/11'] });

interface Keeper {
  readonly url: (path?: string) => string;
  readonly connections: () => number;
  /** Resolves when a request has come that is not answered before `answer` is called for its path. */
  readonly came: (path: string) => Promise<unknown>;
  readonly answer: (path: string) => void;
}

interface Held {
  readonly came: ReturnType<typeof deferred<unknown>>;
  response?: http.ServerResponse;
}

/** A server that keeps what is idle for ever, and answers `/hold...` when it is told to. */
async function startKeeper(t: TestContext, secure = false): Promise<Keeper> {
  const held = new Map<string, Held>();
  const of = (path: string): Held => {
    if (!held.has(path)) held.set(path, { came: deferred<unknown>() });
    return held.get(path)!;
  };
  const answer: http.RequestListener = ({ url = '' }, response) => {
    if (!url.startsWith('/hold')) {
      response.end('hello');
      return;
    }
    const one = of(url);
    one.response = response;
    one.came.resolve(undefined);
  };
  const server = secure ? https.createServer(await tlsCertificate(), answer) : http.createServer(answer);
  server.keepAliveTimeout = 0;
  let connections = 0;
  server.on('connection', () => connections++);
  await once(server.listen(0, ALLOWED), 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  return {
    url: (path = '/') =>
      `${secure ? 'https' : 'http'}://${ALLOWED}:${(server.address() as AddressInfo).port}${path}`,
    connections: () => connections,
    came: (path) => inTime(of(path).came.promise, path),
    answer: (path) => of(path).response!.end('hello'),
  };
}

/** Sends requests under rules. */
const asker =
  (agent: http.Agent, keeper: Keeper) =>
  (rules: Rules, path?: string): Promise<unknown> =>
    withRules(rules, () => get(agent, keeper.url(path)));

class Named extends HttpAgent {
  override getName(options?: http.ClientRequestArgs): string {
    return `${super.getName(options)}:mine`;
  }
}

for (const [name, Agent] of [
  ['HttpAgent', HttpAgent],
  ['a class on HttpAgent that names its connections', Named],
] as const) {
  describe(`${name} with keepAlive and maxTotalSockets`, () => {
    it('ends an idle connection for a request whose rules have another one in use', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      const free = once(agent, 'free');
      assert.equal(await ask(two), 200);
      await free;
      const held = ask(one, '/hold');
      await keeper.came('/hold');
      assert.equal(await inTime(ask(one), 'the request that waits'), 200);
      keeper.answer('/hold');
      assert.equal(await held, 200);
      assert.equal(keeper.connections(), 3);
    });

    it('gives the place of a connection that becomes idle to requests of other rules', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      const first = ask(one, '/hold1');
      const second = ask(two, '/hold2');
      await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
      const waiting = [ask(one), ask(three)];
      keeper.answer('/hold2');
      assert.deepEqual(await inTime(Promise.all(waiting), 'the requests that wait'), [200, 200]);
      keeper.answer('/hold1');
      assert.deepEqual([await first, await second], [200, 200]);
    });

    it('counts a limit that was set later', async (t) => {
      const keeper = await startKeeper(t);
      const agent = Object.assign(new Agent({ keepAlive: true }), { maxTotalSockets: 1 });
      t.after(() => agent.destroy());
      for (const rules of [one, two, one]) {
        const free = once(agent, 'free');
        const sent = withRules(rules, () => get(agent, keeper.url()));
        assert.equal(await inTime(sent, 'the request'), 200);
        await free;
      }
      assert.equal(keeper.connections(), 3);
    });

    it('keeps the connection that becomes idle when the limit was raised while others waited', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxTotalSockets: 1 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      const held = ask(one, '/hold');
      await keeper.came('/hold');
      const waiting = [ask(two), ask(one)];
      agent.maxTotalSockets = 3;
      keeper.answer('/hold');
      assert.deepEqual(await inTime(Promise.all([held, ...waiting]), 'all'), [200, 200, 200]);
      assert.equal(keeper.connections(), 2);
    });

    it('listens once when many requests have waited', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxTotalSockets: 1 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      await inTime(Promise.all([one, two, three].map((rules) => ask(rules))), 'the requests');
      const few = agent.listenerCount('free');
      await inTime(Promise.all([one, two, three, four].map((rules) => ask(rules))), 'the requests');
      assert.equal(agent.listenerCount('free'), few);
    });

    it('leaves idle connections alone when nobody waits', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      for (const rules of [one, two, one, two]) {
        const free = once(agent, 'free');
        assert.equal(await withRules(rules, () => get(agent, keeper.url())), 200);
        await free;
      }
      assert.equal(Object.values(agent.freeSockets).flat().length, 2);
      assert.equal(keeper.connections(), 2);
    });

    it('has no more than maxSockets of one origin and rule set when a place is free', async (t) => {
      const keeper = await startKeeper(t);
      const agent = new Agent({ keepAlive: true, maxSockets: 1, maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      const held = [ask(one, '/hold1'), ask(two, '/hold2')];
      await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
      const waiting = ask(one);
      const free = once(agent, 'free');
      keeper.answer('/hold2');
      await free;
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      // It waits for the one connection of its own rules, and that of the others may be kept.
      assert.equal(keeper.connections(), 2);
      assert.equal(Object.values(agent.freeSockets).flat().length, 1);
      keeper.answer('/hold1');
      assert.deepEqual(await inTime(Promise.all([...held, waiting]), 'all'), [200, 200, 200]);
      assert.equal(keeper.connections(), 2);
    });
  });
}

/** How many connections an agent asked for, and the most that were open at once. */
interface Count {
  asked: number;
  most: number;
}

const laters: Record<string, (Base: typeof HttpAgent, count: Count) => typeof HttpAgent> = {
  'opens its connections': (Base, count) =>
    class extends Base {
      override createConnection(options: object, callback?: unknown): never {
        count.asked++;
        setImmediate(() =>
          (callback as (error: null, socket: unknown) => void)(null, super.createConnection(options)),
        );
        return undefined as never;
      }
    },
  'makes its sockets': (Base, count) =>
    class extends Base {
      override createSocket(request: http.ClientRequest, options: unknown, callback: unknown): void {
        count.asked++;
        setImmediate(() => super.createSocket(request, options, callback));
      }
    },
};

for (const [name, extend] of Object.entries(laters)) {
  describe(`a class on HttpAgent that ${name} later, with maxTotalSockets`, () => {
    it('opens one for each request, and no more at once than a class on http.Agent', async (t) => {
      const keeper = await startKeeper(t);
      const counts: Count[] = [];
      for (const Base of [http.Agent as unknown as typeof HttpAgent, HttpAgent]) {
        const count = { asked: 0, most: 0 };
        counts.push(count);
        const Later = extend(Base, count);
        const agent = new Later({ maxTotalSockets: 1, ...(Base === HttpAgent ? { rules: one } : {}) });
        t.after(() => agent.destroy());
        // Each request ends with it, and each one that waited begins with it.
        agent.on('free', () => {
          const { totalSocketCount } = agent as unknown as { totalSocketCount: number };
          count.most = Math.max(count.most, totalSocketCount);
        });
        // Once there is a connection, so that the others wait for it.
        const path = `/hold${counts.length}`;
        const first = get(agent, keeper.url(path));
        await keeper.came(path);
        const others = Array.from({ length: 30 }, () => get(agent, keeper.url()));
        keeper.answer(path);
        await inTime(Promise.all([first, ...others]), 'the requests');
      }
      assert.deepEqual(counts[1], { asked: 31, most: 1 });
      assert.deepEqual(counts[1], counts[0]);
    });

    it('opens one for each request of several rule sets', async (t) => {
      const keeper = await startKeeper(t);
      const count = { asked: 0, most: 0 };
      const agent = new (extend(HttpAgent, count))({ maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      const ask = asker(agent, keeper);
      const held = [ask(one, '/hold1'), ask(two, '/hold2')];
      await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
      const waiting = [ask(three), ask(one), ask(three)];
      keeper.answer('/hold1');
      keeper.answer('/hold2');
      assert.deepEqual(new Set(await inTime(Promise.all([...held, ...waiting]), 'all')), new Set([200]));
      assert.deepEqual([count.asked, keeper.connections()], [5, 5]);
    });
  });
}

describe('HttpsAgent with keepAlive and maxTotalSockets', () => {
  it('ends an idle connection for a request whose rules have another one in use', async (t) => {
    const lab = await startLab(t, 'https');
    const agent = new HttpsAgent({ keepAlive: true, maxTotalSockets: 2, rejectUnauthorized: false });
    t.after(() => agent.destroy());
    const ask = (rules: Rules, path?: string): Promise<unknown> =>
      withRules(rules, () => get(agent, lab.url(ALLOWED, path)));
    const free = once(agent, 'free');
    assert.equal(await ask(two), 200);
    await free;
    const held = ask(one, '/hang');
    while (!lab.allowed.requests.some(({ url }) => url === '/hang')) await new Promise(setImmediate);
    assert.equal(await inTime(ask(one), 'the request that waits'), 200);
    release(lab.allowed);
    assert.equal(await held, 200);
    assert.equal(lab.allowed.connections, 3);
  });
});

describe('a class on HttpAgent that opens its connections later, with maxTotalSockets', () => {
  for (const [what, waits] of [
    ['of its own rules and others', [three, one]],
    ['of rules that have none', [three, four]],
    ['of rules that have one', [two, three, two, one]],
  ] as const) {
    it(`opens one connection for one place, to requests ${what}`, async (t) => {
      const keeper = await startKeeper(t);
      const count = { asked: 0, most: 0 };
      const agent = new (laters['opens its connections']!(HttpAgent, count))({ maxTotalSockets: 2 });
      t.after(() => agent.destroy());
      agent.on('free', () => {
        const { totalSocketCount } = agent as unknown as { totalSocketCount: number };
        count.most = Math.max(count.most, totalSocketCount);
      });
      const ask = asker(agent, keeper);
      const held = [ask(one, '/hold1'), ask(two, '/hold2')];
      await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
      const waiting = waits.map((rules) => ask(rules));
      keeper.answer('/hold1');
      await inTime(Promise.all([held[0], ...waiting]), 'those that wait');
      keeper.answer('/hold2');
      await held[1];
      assert.deepEqual(count, { asked: 2 + waits.length, most: 2 });
    });
  }

  it('opens one for each of two places that become free at once', async (t) => {
    const keeper = await startKeeper(t);
    const count = { asked: 0, most: 0 };
    const agent = new (laters['opens its connections']!(HttpAgent, count))({ maxTotalSockets: 3 });
    t.after(() => agent.destroy());
    const ask = asker(agent, keeper);
    const held = ask(two, '/hold3');
    await keeper.came('/hold3');
    const lost = [ask(one, '/hold1'), ask(one, '/hold2')];
    await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
    const waiting = [ask(two), ask(two)];
    const [, ofOne] = Object.values(agent.sockets);
    for (const socket of ofOne!.slice()) socket.destroy();
    await Promise.allSettled(lost);
    await inTime(Promise.all(waiting), 'the requests that wait');
    keeper.answer('/hold3');
    await held;
    assert.equal(count.asked, 5);
  });

  it('tells the request that has waited the error that it calls back', async (t) => {
    const keeper = await startKeeper(t);
    let fails = false;
    class Failing extends HttpAgent {
      override createConnection(options: unknown, callback?: unknown): never {
        if (!fails) return super.createConnection(options, callback) as never;
        setImmediate(callback as (error: Error) => void, new Error('no socket'));
        return undefined as never;
      }
    }
    const agent = new Failing({ keepAlive: true, maxTotalSockets: 2 });
    t.after(() => agent.destroy());
    const ask = asker(agent, keeper);
    const held = [ask(one, '/hold1'), ask(two, '/hold2')];
    await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
    // Its rules have one in use: there Node looks no further.
    const waiting = ask(two);
    fails = true;
    keeper.answer('/hold1');
    await held[0];
    await assert.rejects(inTime(waiting, 'the request'), { message: 'no socket' });
    keeper.answer('/hold2');
    await held[1];
  });
});

for (const [Agent, client] of [
  [HttpAgent, http],
  [HttpsAgent, https],
] as const) {
  const secure = client === https;
  const create = (options: object): http.Agent =>
    new (Agent as typeof HttpAgent)({ keepAlive: true, rejectUnauthorized: false, ...options } as object);

  /** Both places are taken, and one request of the first of these rules waits, and one of others. */
  const taken = async (
    t: TestContext,
    options: object,
  ): Promise<{ keeper: Keeper; held: Promise<unknown>[]; waiting: Promise<unknown>[] }> => {
    const keeper = await startKeeper(t, secure);
    const agent = create(options);
    t.after(() => agent.destroy());
    const ask = asker(agent, keeper);
    const held = [ask(one, '/hold1'), ask(two, '/hold2')];
    await Promise.all([keeper.came('/hold1'), keeper.came('/hold2')]);
    return { keeper, held, waiting: [ask(one), ask(three)] };
  };

  describe(`${Agent.name} with keepAlive`, () => {
    it('gives the place of a connection that becomes idle to requests of other rules', async (t) => {
      const { keeper, held, waiting } = await taken(t, { maxTotalSockets: 2 });
      keeper.answer('/hold2');
      assert.deepEqual(await inTime(Promise.all(waiting), 'the requests that wait'), [200, 200]);
      keeper.answer('/hold1');
      assert.deepEqual(await Promise.all(held), [200, 200]);
    });

    it('looks past a rule set that has all it may have', async (t) => {
      const { keeper, held, waiting } = await taken(t, { maxSockets: 1, maxTotalSockets: 2 });
      keeper.answer('/hold2');
      assert.equal(await inTime(waiting[1]!, 'the request of other rules'), 200);
      keeper.answer('/hold1');
      assert.deepEqual(await inTime(Promise.all([...held, waiting[0]]), 'all'), [200, 200, 200]);
    });

    it('keeps what is idle as Node does: with the timeout of the agent', async (t) => {
      const keeper = await startKeeper(t, secure);
      const agent = create({ timeout: 50_000, rules: one });
      t.after(() => agent.destroy());
      const free = once(agent, 'free');
      const request = client.get(keeper.url(), { agent, timeout: 20_000 });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      const [socket] = (await free) as [Socket];
      await new Promise(setImmediate);
      assert.equal(Object.values(agent.freeSockets).flat().length, 1);
      assert.equal(socket.timeout, 50_000);
    });

    it('takes addRequest(request, host, port, localAddress)', async (t) => {
      const keeper = await startKeeper(t, secure);
      const agent = create({ rules: one }) as HttpAgent;
      t.after(() => agent.destroy());
      class Legacy extends (client.Agent as typeof http.Agent) {
        addRequest(request: http.ClientRequest, { host }: { host: string }): void {
          agent.addRequest(request, host, new URL(keeper.url()).port, '127.0.0.9');
        }
      }
      const request = client.get(keeper.url(), { agent: new Legacy() });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      assert.equal(response.socket.localAddress, '127.0.0.9');
      await once(response.resume(), 'end');
    });
  });
}
