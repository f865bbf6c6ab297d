// What undici's own connector does with its options, and ours in its place.
import '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, it, type TestContext } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { createDial } from '../src/dial.ts';
import { Dispatcher } from '../src/undici/index.ts';
import { rules } from './helpers/attack.ts';
import { hangingFirst } from './helpers/hanging.ts';
import { inTime } from './helpers/in-time.ts';
import { ALLOWED, release, startLab, tlsCertificate } from './helpers/lab.ts';

type Undici = typeof undici7;
const versions: Record<string, Undici> = { 'undici 6': undici6 as unknown as Undici, 'undici 7': undici7 };
// Node 20 cannot load it.
const undici8 =
  Number(process.versions.node.split('.')[0]) >= 22
    ? ((await import('undici8')) as unknown as Undici)
    : undefined;
if (undici8 !== undefined) versions['undici 8'] = undici8;

/** A server that notes the protocols that it is offered, and ends the connection. */
async function startListener(t: TestContext): Promise<{ url: string; offered: string[][] }> {
  const offered: string[][] = [];
  const server = tls.createServer({
    ...(await tlsCertificate()),
    ALPNCallback: ({ protocols }) => (offered.push(protocols), protocols[0]),
  });
  server.on('secureConnection', (socket) => socket.destroy());
  server.listen(0, ALLOWED);
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `https://${ALLOWED}:${(server.address() as AddressInfo).port}`, offered };
}

for (const [name, { Agent, errors }] of Object.entries(versions)) {
  describe(`Dispatcher with ${name}`, () => {
    const options: [given: object, offered: string[]][] = [
      [{}, ['http/1.1']],
      [{ allowH2: true }, ['http/1.1', 'h2']],
      [{ connect: { allowH2: true } }, ['http/1.1', 'h2']],
      [{ allowH2: true, connect: { allowH2: false } }, ['http/1.1']],
      [{ allowH2: true, preferH2: true }, ['h2', 'http/1.1']],
      [{ allowH2: true, connect: { preferH2: true } }, ['h2', 'http/1.1']],
      [{ preferH2: true }, ['http/1.1']],
    ];
    for (const [given, expected] of options) {
      it(`offers ${expected.join(' and ')} when given ${JSON.stringify(given)}`, async (t) => {
        const { url, offered } = await startListener(t);
        const { connect } = given as { connect?: object };
        const merged = { ...given, connect: { rejectUnauthorized: false, ...connect } };
        const dispatcher = new Dispatcher({ Agent, rules, ...merged });
        t.after(() => dispatcher.destroy());
        await assert.rejects(dispatcher.request({ origin: url, path: '/', method: 'GET' }));
        assert.deepEqual(offered[0], expected);
      });
    }

    it('tells undici whether there may be HTTP/2, for which it sends one connection ahead', async () => {
      const told: unknown[] = [];
      class Told extends Agent {
        constructor(given: { allowH2?: boolean }) {
          super(given as never);
          told.push(given.allowH2);
        }
      }
      for (const given of [{}, { allowH2: true }, { connect: { allowH2: true } }]) {
        const dispatcher = new Dispatcher({ Agent: Told as never, rules, ...given } as never);
        await (dispatcher as { destroy(): Promise<void> }).destroy();
      }
      // Each class is tried out with two agents.
      assert.deepEqual(told, [false, false, true, true, true, true]);
    });

    it('tries the class out with connections that never come, and destroys what is not used as its Agent', async () => {
      // After a failure V8 compiles code of undici more often, in the whole process.
      const ended: string[] = [];
      class Watched extends Agent {
        override dispatch(request: never, handler: Record<string, (...args: unknown[]) => unknown>): boolean {
          for (const name of ['onError', 'onResponseError'])
            if (name in handler) Object.assign(handler, { [name]: () => ended.push(name) });
          return super.dispatch(request, handler as never);
        }
        override destroy(...args: never[]): Promise<void> {
          ended.push('destroy');
          return super.destroy(...(args as []));
        }
      }
      const dispatcher = new Dispatcher({ Agent: Watched as never, rules } as never);
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      assert.equal(ended.length, 0, String(ended));
      await (dispatcher as { destroy(): Promise<void> }).destroy();
      assert.equal(ended.length, 0, String(ended));
      class Around extends Watched {
        override dispatch(): boolean {
          return true;
        }
      }
      assert.throws(() => new Dispatcher({ Agent: Around as never, rules } as never), {
        code: 'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
      });
      assert.ok(ended.includes('destroy'), String(ended));
    });

    it('throws when allowH2 or preferH2 is neither true nor false', () => {
      for (const option of ['allowH2', 'preferH2'])
        for (const given of [{ [option]: 1 }, { connect: { [option]: 'yes' } }])
          assert.throws(() => new Dispatcher({ Agent, rules, ...given } as never), {
            name: 'TypeError',
            code: 'ERR_NETJAIL_INVALID_OPTION',
            message: new RegExp(`"${option}": it is true or false`),
          });
    });

    it('connects to one address or tries all of them as autoSelectFamily says, that of connect first', async (t) => {
      const lab = await startLab(t);
      const one = { autoSelectFamily: false };
      const all = { autoSelectFamily: true };
      for (const [given, expected] of [
        [{ ...one }, 'ECONNREFUSED'],
        [{ ...all }, 200],
        [{ ...all, connect: one }, 'ECONNREFUSED'],
        [{ ...one, connect: all }, 200],
      ] as const) {
        // Nobody listens on the first one.
        const resolver = async (): Promise<string[]> => ['127.0.0.3', ALLOWED];
        const dispatcher = new Dispatcher({ Agent, rules, resolver, ...given });
        t.after(() => dispatcher.destroy());
        const sent = dispatcher.request({ origin: lab.url('name.test', ''), path: '/', method: 'GET' });
        const outcome = sent.then(
          ({ statusCode, body }) => body.dump().then(() => statusCode),
          ({ code }: NodeJS.ErrnoException) => code,
        );
        assert.equal(await inTime(outcome, 'the request'), expected, JSON.stringify(given));
      }
    });

    it('hands autoSelectFamilyAttemptTimeout on, that of connect first', async (t) => {
      const lab = await startLab(t);
      const told: unknown[] = [];
      const { connect } = net;
      t.mock.method(net, 'connect', (given: net.TcpNetConnectOpts) => {
        told.push(given.autoSelectFamilyAttemptTimeout);
        return connect(given);
      });
      const attempt = (time: number): object => ({ autoSelectFamilyAttemptTimeout: time });
      for (const given of [attempt(1234), { ...attempt(1234), connect: attempt(4321) }]) {
        const dispatcher = new Dispatcher({ Agent, rules, ...given });
        const { body } = await dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' });
        await body.dump();
        await dispatcher.destroy();
      }
      assert.deepEqual(told, [1234, 4321]);
    });

    it('takes the time of connect before its own', async (t) => {
      const resolver = (): Promise<string[]> => new Promise(() => {});
      const given = { connectTimeout: 0, connect: { timeout: 20 }, resolver };
      const dispatcher = new Dispatcher({ Agent, rules, ...given });
      t.after(() => dispatcher.destroy());
      const failed = dispatcher.request({ origin: 'http://name.test', path: '/', method: 'GET' });
      await assert.rejects(inTime(failed, 'the request'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
    });

    it('has another agent take over when one was asked for 256 origins', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, rules, connections: 1 });
      t.after(() => dispatcher.destroy());
      const send = (host: string, path = '/') =>
        dispatcher.request({ origin: lab.url(host, ''), path, method: 'GET' });
      const held = await send(ALLOWED, '/hang');
      for (let i = 0; i < 255; i++)
        await assert.rejects(send(`10.0.0.${i}`), { code: 'ERR_NETJAIL_DENIED', reason: 'not-allowed' });
      // Its one connection is in use: that of the other agent is not.
      const get = async (): Promise<string> => (await send(ALLOWED)).body.text();
      for (let i = 0; i < 2; i++) assert.equal(await inTime(get(), 'a request'), `hello from ${ALLOWED}`);
      release(lab.allowed);
      assert.equal(await inTime(held.body.text(), 'the request of before'), 'begun ended');
      await get();
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [2, 0]);
    });

    it("throws undici's own error for what undici refuses with its first request", () => {
      for (const given of [{ keepAliveTimeout: -1 }, { headersTimeout: 'x' }])
        assert.throws(
          () => new Dispatcher({ Agent, rules, ...given } as never),
          (error: Error) => error instanceof errors.InvalidArgumentError,
        );
    });

    it("fails with undici's own error when a connection takes too long", async (t) => {
      const given = { connectTimeout: 20, resolver: () => new Promise<string[]>(() => {}) };
      const dispatcher = new Dispatcher({ Agent, rules, ...given });
      t.after(() => dispatcher.destroy());
      const failed = dispatcher.request({ origin: 'http://name.test', path: '/', method: 'GET' });
      const error: unknown = await inTime(failed, 'the request').catch((reason: unknown) => reason);
      assert.equal((error as { code?: string }).code, 'UND_ERR_CONNECT_TIMEOUT');
      assert.ok(error instanceof errors.ConnectTimeoutError && error instanceof errors.UndiciError);
    });
  });
}

if (undici8 !== undefined) {
  const { Agent, request } = undici8;
  describe('Dispatcher with undici 8', () => {
    it('offers HTTP/1.1 alone for a request that wants no HTTP/2', async (t) => {
      const { url, offered } = await startListener(t);
      const options = { rules, allowH2: true, connect: { rejectUnauthorized: false } };
      const dispatcher = new Dispatcher({ Agent, ...options });
      t.after(() => dispatcher.destroy());
      const one = { origin: url, path: '/', method: 'GET' } as const;
      await assert.rejects(dispatcher.request({ ...one, allowH2: false } as never));
      assert.deepEqual(offered[0], ['http/1.1']);
      await assert.rejects(dispatcher.request(one));
      assert.deepEqual(offered.at(-1), ['http/1.1', 'h2']);
    });

    it('serves the next request when the one that waited for a connection was given up', async (t) => {
      const lab = await startLab(t);
      const hanging = hangingFirst();
      const dispatcher = new Dispatcher({ Agent, rules, resolver: hanging.resolver, connections: 1 });
      t.after(() => dispatcher.destroy());
      const url = `http://name.test:${lab.port}/`;
      const controller = new AbortController();
      const given = request(url, { dispatcher, signal: controller.signal });
      await hanging.begun;
      controller.abort();
      await assert.rejects(given);
      const { statusCode, body } = await inTime(request(url, { dispatcher }), 'the second request');
      await body.dump();
      assert.deepEqual([statusCode, hanging.lookUps, lab.allowed.connections], [200, 2, 1]);
    });
  });
}

describe('the resolver of the system', () => {
  it('hands the hints of the caller on', async (t) => {
    const told: unknown[] = [];
    t.mock.method(dns, 'lookup', (_host: string, options: dns.LookupOptions, callback: Function) => {
      told.push(options.hints);
      process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }]);
    });
    await once(createDial({ rules })({ host: 'name.test', port: 1, hints: dns.ALL }), 'error');
    assert.deepEqual(told, [dns.ALL]);
  });
});

describe('a resolver', () => {
  it('is told the hints of the caller, and of Node where there are none', async () => {
    const told: number[] = [];
    const dial = createDial({ rules, resolver: async (_host, { hints }) => (told.push(hints), []) });
    await once(dial({ host: 'name.test', port: 1, hints: dns.ALL }), 'error');
    await once(dial({ host: 'name.test', port: 1, family: 4 }), 'error');
    const plain = new Promise<number>((resolve) => {
      const lookup = (_host: string, { hints }: { hints?: number }): void => resolve(hints ?? 0);
      net.connect({ host: 'name.test', port: 1, lookup: lookup as never }).on('error', () => {});
    });
    await once(dial({ host: 'name.test', port: 1 }), 'error');
    assert.deepEqual(told, [dns.ALL, 0, await plain]);
  });
});
