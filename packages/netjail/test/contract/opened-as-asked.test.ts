// Connections are opened as their options ask, and closed when nobody uses them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { currentRules, withRules } from '../../src/context.ts';
import { createFetch } from '../../src/fetch/index.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { Pools } from '../../src/pool.ts';
import { failure, get, refusedOption, rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

describe('Dispatcher over TLS', () => {
  it('asks for the server name of its options, else of the Host header, else of the URL', async (t) => {
    const lab = await startLab(t, 'https');
    const { cert: ca } = await tlsCertificate();
    for (const [connect, headers, host] of [
      [{ servername: 'name.test' }, {}, 'other.test'],
      [{}, { host: 'name.test' }, 'other.test'],
      [{}, {}, 'name.test'],
    ] as const) {
      const dispatcher = new Dispatcher({
        Agent: undici.Agent,
        rules,
        resolver: async () => [ALLOWED],
        connect: { ca, ...connect },
      });
      const { body } = await dispatcher.request({
        origin: lab.url(host, ''),
        path: '/',
        method: 'GET',
        headers,
      });
      await body.dump();
      assert.equal(lab.allowed.requests.at(-1)!.servername, 'name.test');
      await dispatcher.destroy();
    }
  });
  it('leaves from the localAddress of the client, with and without TLS', async (t) => {
    for (const kind of ['http', 'https'] as const) {
      const lab = await startLab(t, kind);
      const dispatcher = new Dispatcher({
        Agent: undici.Agent,
        rules,
        localAddress: '127.0.0.9',
        connect: { rejectUnauthorized: false },
      });
      const { body } = await dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' });
      assert.deepEqual(
        [...lab.allowed.open].map(({ remoteAddress }) => remoteAddress),
        ['127.0.0.9'],
      );
      await body.dump();
      await dispatcher.destroy();
    }
  });
});
describe('HttpAgent.closeIdleConnections()', () => {
  it('closes what no request uses, at once', async (t) => {
    const server = http.createServer((_request, response) => response.end('x'));
    server.keepAliveTimeout = 0;
    let open = 0;
    server
      .on('connection', (socket) => {
        open++;
        socket.on('close', () => {
          open--;
          server.emit('netjail:closed');
        });
      })
      .listen(0, ALLOWED);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const agent = new HttpAgent({ rules, keepAlive: true });
    const free = once(agent, 'free');
    http.get({ agent, host: ALLOWED, port: (server.address() as { port: number }).port }, (response) =>
      response.resume(),
    );
    await free;
    assert.equal(open, 1);
    agent.closeIdleConnections();
    await inTime(once(server, 'netjail:closed'), 'the connection');
    assert.equal(open, 0);
  });
});
for (const [Agent, Plain] of [
  [HttpAgent, http.Agent],
  [HttpsAgent, https.Agent],
] as const) {
  describe(`${Agent.name} getName()`, () => {
    it("is that of Node's agent when the options are of no request", () => {
      const agent = new Agent({ rules });
      const plain = new Plain();
      for (const options of [undefined, {}, { host: 'name.test', port: 81, localAddress: ALLOWED, ca: 'x' }])
        assert.equal(agent.getName(options as never), plain.getName(options as never));
    });
  });
}
describe('HttpAgent sockets', () => {
  /** What can be seen of a socket that its options decide; Node's agent of the same options has the same. */
  const seenOf = (socket: net.Socket): Record<string, unknown> => {
    const { allowHalfOpen, timeout, localAddress, readableHighWaterMark, writableHighWaterMark } = socket;
    const states = socket as unknown as Record<'_readableState' | '_writableState', Record<string, unknown>>;
    const { autoDestroy, emitClose } = states._readableState;
    const { decodeStrings } = states._writableState;
    const streams = { readableHighWaterMark, writableHighWaterMark, autoDestroy, emitClose, decodeStrings };
    return { allowHalfOpen, timeout, localAddress, ...streams };
  };
  const socketOf = async (url: string, options: http.RequestOptions): Promise<Record<string, unknown>> => {
    const request = http.get(url, options, (response) => response.resume());
    const closed = once(request, 'close');
    const [socket] = (await once(request, 'socket')) as [net.Socket];
    await once(socket, 'connect');
    const seen = seenOf(socket);
    await closed;
    return seen;
  };

  it("are those of Node's agent, by the options of the agent and by those of the request", async (t) => {
    const lab = await startLab(t);
    const given: Record<string, unknown>[] = [
      {},
      { allowHalfOpen: true },
      { allowHalfOpen: false },
      { highWaterMark: 1234 },
      { readableHighWaterMark: 1234 },
      { writableHighWaterMark: 1234 },
      { localAddress: '127.0.0.9' },
      { timeout: 54_321 },
      // Not for a caller to say: a socket says them itself.
      { emitClose: true, autoDestroy: false, decodeStrings: true },
    ];
    for (const options of given) {
      const plain = await socketOf(lab.url(ALLOWED), { agent: new http.Agent(options) });
      const byAgent = { agent: new HttpAgent({ rules, ...options }) };
      assert.deepEqual(await socketOf(lab.url(ALLOWED), byAgent), plain, JSON.stringify(options));
      const byRequest = { agent: new HttpAgent({ rules }), ...options };
      assert.deepEqual(await socketOf(lab.url(ALLOWED), byRequest), plain, JSON.stringify(options));
      for (const name of [
        'allowHalfOpen',
        'timeout',
        'localAddress',
        'readableHighWaterMark',
        'writableHighWaterMark',
      ])
        if (options[name] !== undefined) assert.equal(plain[name], options[name]);
    }
    assert.equal(lab.allowed.connections, 3 * given.length);
  });
});
describe('HttpAgent destroy()', () => {
  it('keeps no connection of a request that was queued before, and can be used again', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules, keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const held = failure(http.get(lab.url(ALLOWED, '/hang'), { agent }));
    while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
    const queued = get(agent, lab.url(ALLOWED));
    agent.destroy();
    await inTime(held, 'the request that is under way');
    assert.equal(await inTime(queued, 'the request that was queued'), 200);
    await inTime(lab.drained(), 'the connections');
    for (let i = 0; i < 2; i++) {
      const free = once(agent, 'free');
      assert.equal(await inTime(get(agent, lab.url(ALLOWED)), 'the next request'), 200);
      await free;
    }
    assert.equal(lab.allowed.connections, 3);
  });
});
describe('Pools', () => {
  const sets = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => new Rules({ allow: [address] }));
  interface Made {
    readonly rules: Rules | undefined;
  }
  const create = (max: number): { pools: Pools<Made>; retired: Made[] } => {
    const retired: Made[] = [];
    return {
      pools: new Pools<Made>(
        max,
        (rules) => ({ rules }),
        (pool) => retired.push(pool),
      ),
      retired,
    };
  };

  it('retires the one that was not used for longest', () => {
    const { pools, retired } = create(2);
    for (const i of [0, 1, 0, 2]) pools.for(sets[i]);
    assert.deepEqual(
      retired.map(({ rules: own }) => own === sets[1]),
      [true],
    );
  });
  it('keeps that of no rules apart from those of rules', () => {
    const { pools } = create(2);
    for (const own of [sets[0], undefined, sets[0], undefined]) assert.equal(pools.for(own).rules, own);
  });
  it('gives a new one, and keeps it, after renew(), withdrawn() and clear()', () => {
    const { pools, retired } = create(3);
    const ends: [name: string, retire: () => unknown][] = [
      ['renew()', () => pools.renew(sets[0])],
      ['withdrawn()', () => pools.withdrawn(sets[0]!)],
      ['clear()', () => retired.push(...pools.clear())],
    ];
    for (const [name, retire] of ends) {
      const before = pools.for(sets[0]);
      retired.length = 0;
      retire();
      assert.deepEqual([retired.length, retired[0] === before], [1, true], name);
      const after = pools.for(sets[0]);
      assert.notEqual(after, before, name);
      assert.equal(pools.for(sets[0]), after, name);
      assert.deepEqual([...pools], [after], name);
    }
    const renewed = pools.renew(sets[0]);
    assert.equal(pools.for(sets[0]), renewed);
  });
  it('retires those of rules that are withdrawn, alone and in a scope, and no other', () => {
    const { pools, retired } = create(4);
    const scope = withRules(sets[0]!, () => withRules(sets[1]!, () => currentRules()));
    const made = [undefined, sets[0], sets[1], scope].map((own) => pools.for(own));
    pools.withdrawn(sets[0]!);
    assert.deepEqual(retired, [made[1], made[3]]);
    assert.deepEqual([...pools], [made[0], made[2]]);
  });
});
describe('createFetch()', () => {
  it('sends what an init says that is no plain object', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    t.after(() => fetch.destroy());
    class Accessors {
      get method(): string {
        return 'PUT';
      }
    }
    const request = new Request(lab.url(ALLOWED), {
      method: 'POST',
      headers: { 'x-own': '1' },
      body: 'text',
    });
    const given = [new Accessors(), request, Object.assign(() => {}, { method: 'DELETE' }), null, undefined];
    for (const init of given) await (await fetch(lab.url(ALLOWED), init as never)).text();
    assert.deepEqual(
      lab.allowed.requests.map(({ method }) => method),
      ['PUT', 'POST', 'DELETE', 'GET', 'GET'],
    );
    for (const init of [1, 'x', Symbol('x')])
      await assert.rejects(fetch(lab.url(ALLOWED), init as never), { name: 'TypeError' });
  });

  it('heeds the signal of an init that is no plain object after garbage was collected', async (t) => {
    const lab = await startLab(t);
    // What holds a signal weakly shows in a process that can be told to collect.
    const code = `
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc');
      class Init { constructor(signal) { this.signal = signal; } }
      const controller = new AbortController();
      const failed = (() => fetch(process.env.ALLOWED + 'hang', new Init(controller.signal)).then((response) => response.text()).then(() => 'answered', ({ name }) => name))();
      for (let i = 0; i < 10; i++) { gc(); await new Promise(setImmediate); }
      controller.abort();
      const late = new Promise((resolve) => setTimeout(resolve, 5000, 'not aborted'));
      console.log(JSON.stringify(await Promise.race([failed, late])));`;
    assert.equal(await run(lab, code), 'AbortError');
  });

  it('refuses a dispatcher of an init that is no plain object', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    t.after(() => fetch.destroy());
    class Init {
      dispatcher = new undici.Agent();
    }
    class Inherits extends Init {}
    const inherited = Object.create({ dispatcher: new undici.Agent() }) as object;
    for (const init of [new Init(), new Inherits(), inherited])
      await assert.rejects(fetch(lab.url(DENIED), init as never), refusedOption('dispatcher'));
    assert.equal(lab.denied.connections, 0);
  });
});
