// Where undici itself would go on: after errors that it takes for its own, and with what it has forgotten.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { createDial } from '../../src/dial.ts';
import { tolerateLateClose } from '../../src/pooled-agent.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { rules } from '../helpers/attack.ts';
import { deferred } from '../helpers/deferred.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, startLab, tlsCertificate, type Lab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

type Undici = typeof undici7;
const versions: Record<string, Undici> = { 'undici 6': undici6 as unknown as Undici, 'undici 7': undici7 };
const MAJOR = Number(process.versions.node.split('.')[0]);
if (MAJOR >= 22) versions['undici 8'] = (await import('undici8')) as unknown as Undici;

type Send = (url: string, headers?: Record<string, string>) => Promise<unknown>;

/** A request by each client whose resolver is this one. */
function sends(t: TestContext, resolver: () => Promise<string[]>): Record<string, Send> {
  const options = { rules: new Rules({ allow: ['public'] }), resolver };
  const fetch = createFetch(options);
  t.after(() => fetch.destroy());
  const all: Record<string, Send> = { fetch: (url) => fetch(url) };
  for (const [name, { Agent, request }] of Object.entries(versions)) {
    const dispatcher = new Dispatcher({ Agent, ...options });
    t.after(() => dispatcher.destroy());
    all[name] = (url, headers = {}) => request(url, { dispatcher, headers });
  }
  return all;
}

function causes(error: unknown): unknown[] {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? [error] : [error, ...causes(cause)];
}

const NAMES = ['fetch', ...Object.keys(versions)];
const trap = (): Error =>
  Object.defineProperty(new Error('trap'), 'code', {
    get: () => {
      throw new Error('it was read');
    },
  });
const errors: Record<string, () => Error> = {
  trap,
  ...Object.fromEntries(
    ['UND_ERR_SOCKET', 'UND_ERR_INFO', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ENOTFOUND'].map((code) => [
      code,
      () => Object.assign(new Error('of the resolver'), { code }),
    ]),
  ),
};

describe('a resolver that fails', () => {
  for (const name of NAMES) {
    for (const [code, make] of Object.entries(errors)) {
      it(`is asked once by ${name} when its error is ${code === 'trap' ? 'one whose code throws' : code}`, async (t) => {
        const error = make();
        let asked = 0;
        const send = sends(t, async () => {
          asked++;
          throw error;
        })[name]!;
        // A Host header makes undici look at errors of certificates.
        const headers = name === 'fetch' ? {} : { host: 'other.test' };
        for (const scheme of ['http', 'https']) {
          const failed = await inTime(
            send(`${scheme}://name.test/`, headers).then(
              () => assert.fail('it was let through'),
              (reason: unknown) => reason,
            ),
            'the request',
          );
          assert.ok(causes(failed).includes(error), 'the error of the resolver is a cause');
        }
        for (let i = 0; i < 10; i++) await new Promise(setImmediate);
        assert.equal(asked, 2);
      });
    }
  }
});

describe('a resolver that fails where undici is not told', () => {
  for (const [code, make] of Object.entries(errors))
    it(`has its error passed on as it is when it is ${code === 'trap' ? 'one whose code throws' : code}`, async (t) => {
      const lab = await startLab(t);
      const error = make();
      const socket = createDial({ rules, resolver: () => Promise.reject(error) })({
        host: 'name.test',
        port: lab.port,
      });
      const told = deferred<Error>();
      socket.on('error', told.resolve);
      assert.equal(await inTime(told.promise, 'the error'), error);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
});

describe('destroy()', () => {
  for (const name of MAJOR >= 22 ? ['undici6', 'undici', 'undici8'] : ['undici6', 'undici']) {
    it(`with an error of ${name} ends what is queued behind a retired pool, and the process goes on`, async (t) => {
      const lab = await startLab(t);
      const code = `
        const { Agent: Class, errors, request: send } = await import('${name}');
        const own = new Dispatcher({ Agent: Class, rules, connections: 1 });
        const url = process.env.ALLOWED + 'hang';
        const first = await send(url, { dispatcher: own });
        const queued = [1, 2].map(() => send(url, { dispatcher: own }).catch(({ code }) => code));
        own.closeIdleConnections();
        const destroyed = own.destroy(new errors.SocketError('gone')).then(() => 'destroyed');
        const body = first.body.text().catch(({ code }) => code);
        await new Promise((resolve) => setTimeout(resolve, 1));
        console.log(JSON.stringify([...(await Promise.all(queued)), await body, await destroyed]));`;
      assert.deepEqual(await run(lab, code), [
        'ERR_NETJAIL_CLOSED',
        'ERR_NETJAIL_CLOSED',
        'UND_ERR_SOCKET',
        'destroyed',
      ]);
    });
  }

  for (const [name, { Agent, upgrade }] of Object.entries(versions)) {
    const open = async (t: TestContext): Promise<{ lab: Lab; dispatcher: Dispatcher; socket: Duplex }> => {
      const lab = await startLab(t, 'http', {
        upgrade: (_request, socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
          socket.pipe(socket);
        },
      });
      const dispatcher = new Dispatcher({ Agent, rules }) as unknown as Dispatcher;
      const { socket } = await upgrade(lab.url(ALLOWED), {
        dispatcher: dispatcher as never,
        protocol: 'echo',
      });
      return { lab, dispatcher, socket };
    };

    it(`ends a socket that was upgraded by ${name}`, async (t) => {
      const { lab, dispatcher, socket } = await open(t);
      socket.on('error', () => {});
      await inTime(dispatcher.destroy(), 'destroy()');
      await inTime(lab.drained(), 'the connections');
      assert.equal(socket.destroyed, true);
    });

    it(`ends one of a pool that is retired, which lived on until then, by ${name}`, async (t) => {
      const { lab, dispatcher, socket } = await open(t);
      dispatcher.closeIdleConnections();
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      const echoed = once(socket, 'data') as Promise<[Buffer]>;
      socket.write('still here');
      assert.equal(String((await inTime(echoed, 'the echo'))[0]), 'still here');
      socket.on('error', () => {});
      await inTime(dispatcher.destroy(), 'destroy()');
      await inTime(lab.drained(), 'the connections');
      assert.equal(lab.allowed.connections, 1);
    });
  }

  // undici 6 and 7 end such a session themselves.
  const h2: Record<string, (options: object) => [get: Send, destroy: () => Promise<void>]> = {};
  if (Number.parseInt(process.versions['undici']!, 10) >= 8) {
    h2['fetch'] = (options) => {
      const fetch = createFetch(options);
      return [async (url) => (await fetch(url)).body, () => fetch.destroy()];
    };
  }
  const { 'undici 8': undici8 } = versions;
  if (undici8 !== undefined) {
    h2['undici 8'] = (options) => {
      const dispatcher = new Dispatcher({ Agent: undici8.Agent, ...options });
      return [async (url) => (await undici8.request(url, { dispatcher })).body, () => dispatcher.destroy()];
    };
  }
  for (const [name, create] of Object.entries(h2)) {
    it(`ends a session over which ${name} still reads after the server has said that it goes away`, async (t) => {
      const { cert, key } = await tlsCertificate();
      const server = http2.createSecureServer({ cert, key });
      const away = deferred();
      const closed = deferred();
      server.on('session', (session) => session.on('close', closed.resolve).on('error', () => {}));
      server.on('stream', (stream) => {
        stream.on('error', () => {});
        stream.respond({ ':status': 200 });
        stream.write('begun');
        stream.session!.goaway(0);
      });
      server.listen(0, ALLOWED);
      await once(server, 'listening');
      t.after(() => server.close());
      const [get, destroy] = create({ rules, allowH2: true, connect: { ca: cert } });
      const { port } = server.address() as AddressInfo;
      const body = (await get(`https://${ALLOWED}:${port}/`)) as AsyncIterable<Uint8Array>;
      const read = (async () => {
        for await (const chunk of body) if (chunk.length > 0) away.resolve();
      })().catch(() => {});
      await inTime(away.promise, 'the first bytes');
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      await inTime(destroy(), 'destroy()');
      await inTime(closed.promise, 'the end of the session');
      await inTime(read, 'the end of the body');
    });
  }
});

for (const [name, { Agent, request }] of Object.entries(versions)) {
  describe(`Dispatcher of ${name} with several connections and pipelining`, () => {
    // undici 6 closes what is destroyed once more, and nobody catches that: node:test fails on it.
    it('fails nothing when its connections are retired while requests are queued', async (t) => {
      const held: http.ServerResponse[] = [];
      const server = http.createServer((_request, response) => held.push(response));
      await once(server.listen(0, ALLOWED), 'listening');
      t.after(() => (server.closeAllConnections(), server.close()));
      const url = `http://${ALLOWED}:${(server.address() as AddressInfo).port}/`;
      for (let round = 0; round < 10; round++) {
        const dispatcher = new Dispatcher({ Agent, rules, connections: 2, pipelining: 3 });
        const sent = Array.from({ length: 7 + (round % 3) }, async () =>
          (await request(url, { dispatcher })).body.text(),
        );
        const all = Promise.all(sent);
        let left = sent.length;
        const answer = async (): Promise<void> => {
          while (left > 0) {
            await new Promise(setImmediate);
            for (const one of held.splice(round % 2 === 0 ? 0 : -1, 1)) {
              one.end('hello');
              left--;
            }
          }
        };
        dispatcher.closeIdleConnections();
        await inTime(answer(), `the requests, of which ${left} did not come`);
        assert.deepEqual(new Set(await inTime(all, 'the requests')), new Set(['hello']));
        await inTime(dispatcher.close(), 'the dispatcher');
      }
    });
  });
}

describe('tolerateLateClose()', () => {
  it('wraps a client once when it connects again, and closes it when it is not destroyed', async () => {
    const agent = new EventEmitter();
    tolerateLateClose(agent as never);
    let closed = 0;
    class Client {
      destroyed = false;
      close(callback?: unknown): unknown {
        closed++;
        return callback ?? 'closed';
      }
    }
    const client = new Client();
    agent.emit('connect', new URL('http://name.test'), [agent, client]);
    const { close } = client;
    agent.emit('connect', new URL('http://name.test'), [agent, client]);
    assert.equal(client.close, close);
    assert.deepEqual([client.close(), client.close('callback'), closed], ['closed', 'callback', 2]);
    client.destroyed = true;
    // Whoever has a callback is told the error there.
    assert.equal(client.close('callback'), 'callback');
    assert.equal(await client.close(), undefined);
    assert.equal(closed, 3);
    assert.equal(agent.emit('connect', new URL('http://name.test'), []), true);
  });
});
