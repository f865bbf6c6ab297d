// Options that lead around the gate: each is refused, denied or made harmless.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as undici from 'undici';
import { withRules } from '../../src/context.ts';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const failure = async (request: http.ClientRequest): Promise<Error> =>
  ((await once(request.end(), 'error')) as [Error])[0];
const refusedOption = (name: string) => ({
  name: 'TypeError',
  code: 'ERR_NETJAIL_INVALID_OPTION',
  message: new RegExp(`"${name}"`),
});
const evilLookup = (
  _host: string,
  options: { all?: boolean },
  callback: (...args: unknown[]) => void,
): void => (options.all ? callback(null, [{ address: DENIED, family: 4 }]) : callback(null, DENIED, 4));

/** A Unix socket server that must see nothing. */
async function unixServer(t: TestContext): Promise<{ path: string; seen: () => number }> {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
  const path = join(folder, 'x.sock');
  let seen = 0;
  const server = net.createServer(() => seen++).listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, seen: () => seen };
}

describe('HttpAgent and HttpsAgent options', () => {
  it('throw when one of the agent leads around the rules', () => {
    for (const Agent of [HttpAgent, HttpsAgent]) {
      for (const name of [
        'lookup',
        'socketPath',
        'path',
        'host',
        'hostname',
        'port',
        'socket',
        'fd',
        'handle',
        'createConnection',
        'agent',
        'proxy',
        'proxyEnv',
        'blockList',
      ]) {
        assert.throws(
          () =>
            new Agent({ [name]: name === 'proxyEnv' ? { HTTP_PROXY: 'http://127.0.0.1' } : 'x' } as never),
          refusedOption(name),
        );
      }
    }
  });

  it('throw when lookup or socket stand in a request', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    for (const name of ['lookup', 'socket', 'fd', 'handle']) {
      assert.throws(
        () => http.get({ host: ALLOWED, port: lab.port, agent, [name]: name === 'lookup' ? evilLookup : {} }),
        refusedOption(name),
      );
    }
    assert.throws(
      () =>
        https.get({
          host: ALLOWED,
          port: lab.port,
          agent: new HttpsAgent({ rules }),
          socket: new net.Socket(),
        } as never),
      refusedOption('socket'),
    );
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it('do not use createConnection of a request, and judge hostname before host', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const request = http.get({
      host: ALLOWED,
      hostname: DENIED,
      port: String(lab.port),
      agent,
      createConnection: () => net.connect(lab.port, DENIED),
    });
    assert.equal(deniedError(await failure(request))?.reason, 'blocked');
    assert.equal(lab.denied.connections, 0);
  });

  it('deny a Unix socket', async (t) => {
    const unix = await unixServer(t);
    for (const [agent, make] of [
      [new HttpAgent({ rules }), http],
      [new HttpsAgent({ rules }), https],
    ] as const) {
      const error = deniedError(await failure(make.get({ socketPath: unix.path, path: '/', agent })));
      assert.deepEqual([error?.reason, error?.host, error?.port], ['path-not-allowed', unix.path, undefined]);
    }
    assert.equal(unix.seen(), 0);
  });

  it('deny when the host is left out, since that is localhost', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({
      rules: new Rules({ allow: [ALLOWED] }),
      resolver: async () => [DENIED, '::1'],
    });
    const error = deniedError(await failure(http.get({ port: lab.port, agent })));
    assert.deepEqual([error?.host, error?.reason], ['localhost', 'not-allowed']);
    assert.equal(lab.denied.connections, 0);
  });

  it('guard the sockets that a client asks the agent for itself', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules }) as unknown as {
      createConnection(options: object, callback?: (error: Error) => void): net.Socket;
    };
    const [error] = (await once(agent.createConnection({ host: DENIED, port: lab.port }), 'error')) as [
      Error,
    ];
    assert.equal(deniedError(error)?.reason, 'blocked');
    const given = await new Promise<Error>((resolve) =>
      agent.createConnection({ hostname: DENIED, port: lab.port }, resolve),
    );
    assert.equal(deniedError(given)?.reason, 'blocked');
    const path = await new Promise<Error>((resolve) => agent.createConnection({ path: '/x.sock' }, resolve));
    assert.equal(deniedError(path)?.reason, 'path-not-allowed');
    const secure = new HttpsAgent({ rules }) as unknown as typeof agent;
    const [tlsError] = (await once(secure.createConnection({ host: DENIED, port: lab.port }), 'error')) as [
      Error,
    ];
    assert.equal(deniedError(tlsError)?.reason, 'blocked');
    const socket = agent.createConnection({ host: ALLOWED, port: lab.port });
    await once(socket, 'connect');
    socket.destroy();
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('read each option of a request once', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    let reads = 0;
    const options = {
      port: lab.port,
      agent,
      get host() {
        return reads++ % 2 === 0 ? ALLOWED : DENIED;
      },
    };
    const request = http.get(options);
    await new Promise((resolve) =>
      request.on('response', (response) => resolve(response.resume())).on('error', resolve),
    );
    assert.equal(lab.denied.connections, 0);
    agent.destroy();
  });
});

describe('createDial() options', () => {
  const cases: [name: string, options: unknown, errorName: string, code: string][] = [
    ['no object', null, 'TypeError', 'ERR_NETJAIL_INVALID_ARGUMENT'],
    ['an unknown option', { rule: rules }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['rules that are none', { rules: { allow: [] } }, 'TypeError', 'ERR_NETJAIL_INVALID_RULES'],
    ['null rules', { rules: null }, 'TypeError', 'ERR_NETJAIL_INVALID_RULES'],
    [
      'rules made of the prototype',
      { rules: Object.create({ [Symbol.for('netjail.Rules')]: true, toString: () => 'nonsense' }) },
      'SyntaxError',
      'ERR_NETJAIL_INVALID_RULES',
    ],
    ['a resolver that is none', { resolver: 'dns' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['answers it does not know', { answers: 'some' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['a mode it does not know', { mode: 'off' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect that is none', { connect: {} }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['a time of zero', { connectTimeout: 0 }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
  ];
  for (const [name, options, errorName, code] of cases) {
    it(`throws ${code} when given ${name}`, () => {
      assert.throws(() => createDial(options as never), { name: errorName, code });
    });
  }

  const dial = createDial({ rules });
  const targets: [name: string, target: unknown, errorName: string, code: string][] = [
    ['nothing', undefined, 'TypeError', 'ERR_NETJAIL_INVALID_ARGUMENT'],
    ['no host', { port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['an empty host', { host: '', port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['a String object', { host: new String(ALLOWED), port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    [
      'an object with toString',
      { host: { toString: () => ALLOWED }, port: 1 },
      'TypeError',
      'ERR_NETJAIL_INVALID_HOST',
    ],
    ['a NUL', { host: `${ALLOWED}\0.test`, port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['no port', { host: ALLOWED }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 0', { host: ALLOWED, port: 0 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 65536', { host: ALLOWED, port: 65536 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 1.5', { host: ALLOWED, port: 1.5 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port " 80"', { host: ALLOWED, port: ' 80' }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ...[
      'lookup',
      'fd',
      'handle',
      '_handle',
      'socket',
      'socketPath',
      'blockList',
      'createConnection',
      'proxy',
    ].map((name): [string, unknown, string, string] => [
      name,
      { host: ALLOWED, port: 1, [name]: evilLookup },
      'TypeError',
      'ERR_NETJAIL_INVALID_OPTION',
    ]),
  ];
  for (const [name, target, errorName, code] of targets) {
    it(`dial() and dial.tls() throw ${code} when given ${name}`, () => {
      assert.throws(() => dial(target as never), { name: errorName, code });
      assert.throws(() => dial.tls(target as never), { name: errorName, code });
    });
  }

  it('dial() denies a path', async (t) => {
    const unix = await unixServer(t);
    const calls = [
      () => dial({ path: unix.path } as never),
      () => dial.tls({ path: unix.path } as never),
      () => dial.socket().connect(unix.path),
      () => dial.socket().connect({ path: unix.path }),
    ];
    for (const call of calls) {
      const [error] = (await once(call(), 'error')) as [Error];
      assert.equal(deniedError(error)?.reason, 'path-not-allowed');
    }
    assert.equal(unix.seen(), 0);
  });

  it('dial() returns a socket that cannot be connected again', async (t) => {
    const lab = await startLab(t);
    const sockets = [
      dial({ host: ALLOWED, port: lab.port }),
      dial.tls({ host: ALLOWED, port: lab.port }),
      dial.socket().connect(lab.port, ALLOWED),
      dial({ host: DENIED, port: lab.port }),
    ];
    for (const socket of sockets) {
      socket.on('error', () => {});
      assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' });
      socket.destroy();
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' });
    }
    assert.equal(lab.denied.connections, 0);
  });

  it('dial() destroys the socket of a connect function that lies, before a byte is written', async () => {
    let received = 0;
    const server = net
      .createServer((socket) => socket.on('data', (data) => (received += data.length)).on('error', () => {}))
      .listen(0, DENIED);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = net.connect(port, DENIED);
    await once(connected, 'connect');
    for (const connect of [
      () => net.connect(port, DENIED),
      () => connected,
      () => net.connect({ host: 'x.test', port, lookup: evilLookup as never }),
    ]) {
      const socket = createDial({ rules, resolver: async () => [ALLOWED], connect })({
        host: 'name.test',
        port,
      });
      socket.write('secret');
      const [error] = (await once(socket, 'error')) as [Error];
      const denial = deniedError(error)?.denials[0];
      assert.deepEqual([denial?.reason, denial?.address, denial?.entry], ['blocked', DENIED, '127.0.0.1']);
    }
    server.close();
    await once(server, 'close');
    assert.equal(received, 0);
    assert.throws(
      () => createDial({ rules, connect: (() => ({})) as never })({ host: ALLOWED, port }),
      refusedOption('connect'),
    );
  });

  it('dial() does not call connect when the target is denied before', () => {
    const never = createDial({ rules, connect: () => assert.fail('connect was called') });
    never({ host: DENIED, port: 1 }).on('error', (error) => assert.ok(deniedError(error)));
  });

  it('dial() reads an option that flips once', async (t) => {
    const lab = await startLab(t);
    let reads = 0;
    const socket = dial({
      port: lab.port,
      get host() {
        return reads++ === 0 ? ALLOWED : DENIED;
      },
    });
    await once(socket, 'connect');
    assert.deepEqual([reads, socket.remoteAddress, lab.denied.connections], [1, ALLOWED, 0]);
    socket.destroy();
  });

  it('dial() judges what the resolver answered when its array changes', async (t) => {
    const lab = await startLab(t);
    let reads = 0;
    const answers = new Proxy([ALLOWED], {
      get: (target, key) => (key === '0' ? (reads++ === 0 ? ALLOWED : DENIED) : Reflect.get(target, key)),
    });
    const socket = createDial({ rules, resolver: async () => answers })({
      host: 'name.test',
      port: lab.port,
    });
    await once(socket, 'connect');
    assert.deepEqual([socket.remoteAddress, lab.denied.connections], [ALLOWED, 0]);
    socket.destroy();
  });
});

describe('Dispatcher options', () => {
  const { Agent } = undici;
  const cases: [name: string, options: unknown, code: string][] = [
    ['no Agent', { rules }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['an instance', { Agent: new Agent() }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['ProxyAgent', { Agent: undici.ProxyAgent, uri: 'http://127.0.0.1:1' }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['EnvHttpProxyAgent', { Agent: undici.EnvHttpProxyAgent }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['MockAgent', { Agent: undici.MockAgent }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['Pool', { Agent: undici.Pool }, 'ERR_NETJAIL_INVALID_OPTION'],
    [
      'a subclass that goes its own way',
      {
        Agent: class extends Agent {
          constructor(_options?: unknown) {
            super();
          }
        },
      },
      'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
    ],
    [
      'a factory',
      { Agent, factory: () => new undici.Client('http://127.0.0.1') },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    ['interceptors', { Agent, interceptors: {} }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['a connect function', { Agent, connect: () => {} }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.lookup', { Agent, connect: { lookup: evilLookup } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.socketPath', { Agent, connect: { socketPath: '/x' } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.host', { Agent, connect: { host: DENIED } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['socketPath', { Agent, socketPath: '/x' }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['maxPools 0', { Agent, maxPools: 0 }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['no object', 'Agent', 'ERR_NETJAIL_INVALID_ARGUMENT'],
  ];
  for (const [name, options, code] of cases) {
    it(`throws ${code} when given ${name}`, () => {
      assert.throws(() => new Dispatcher(options as never), { name: 'TypeError', code });
    });
  }

  it('deny a request whose path names another target', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent, rules });
    const origin = lab.url(ALLOWED, '');
    await assertDenied(dispatcher.request({ origin, path: 'http://127.0.0.1/secret', method: 'GET' }), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    await assertDenied(dispatcher.request({ origin, path: 'http://inner.test/secret', method: 'GET' }), {
      host: 'inner.test',
      reason: 'proxied-name',
    });
    await assertDenied(dispatcher.connect({ origin, path: '127.0.0.1:80' }), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    await dispatcher.destroy();
  });

  it('keep interceptors that are composed around it under the rules of the caller', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent });
    const composed = dispatcher.compose(
      undici.interceptors.redirect({ maxRedirections: 3 }),
      undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 }),
    );
    const get = (url: string): Promise<unknown> => undici.request(url, { dispatcher: composed });
    const open = new Rules({ allow: ['127.0.0.0/8'] });
    // The connection was made by somebody with other rules of the same policy; nothing is his.
    await withRules(open, async () =>
      undici.request(lab.url(ALLOWED), { dispatcher }).then(({ body }) => body.text()),
    );
    const target = `/redirect?${encodeURIComponent(lab.url(DENIED))}`;
    await withRules(rules, () =>
      assertDenied(get(lab.url(ALLOWED, target)), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      }),
    );
    assert.equal(lab.denied.connections, 0);
    await dispatcher.destroy();
  });
});

describe('createFetch() options', () => {
  it('throw when one leads around the rules', () => {
    for (const options of [
      { connect: () => {} },
      { factory: () => {} },
      { dispatcher: {} },
      { socketPath: '/x' },
      { lookup: evilLookup },
      { connect: { lookup: evilLookup } },
      { proxy: 'http://127.0.0.1' },
      { uri: 'http://127.0.0.1' },
    ]) {
      assert.throws(() => createFetch(options as never), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_OPTION',
      });
    }
  });

  it('refuse a dispatcher in init, and do not use one inside a Request', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    const evil = new undici.Agent();
    await assert.rejects(fetch(lab.url(DENIED), { dispatcher: evil } as never), {
      code: 'ERR_NETJAIL_INVALID_OPTION',
    });
    const request = new Request(lab.url(DENIED), { dispatcher: evil } as never);
    await assertDenied(fetch(request), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    await assertDenied(fetch(lab.url(DENIED), Object.create({ dispatcher: evil }) as never), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    assert.equal(lab.denied.connections, 0);
    await fetch.destroy();
  });

  it('take a Request, an init of a class and a body', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    const url = lab.url(ALLOWED);
    for (const call of [
      () => fetch(new Request(url)),
      () => fetch(url, new Request(url)),
      () => fetch(new URL(url), { method: 'POST', body: 'x' }),
      () => fetch(url, null as never),
    ]) {
      assert.equal(await (await call()).text(), `hello from ${ALLOWED}`);
    }
    assert.equal(lab.allowed.requests.length, 4);
    await fetch.destroy();
  });
});
