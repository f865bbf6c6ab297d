// Sockets of the dial and of agents: what can be done with them, and what they are made of.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import tls from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { evilLookup, REFUSED_OF_A_SOCKET, refusedOption, rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';
import { unixServer } from '../helpers/unix.ts';

describe('a socket on a path', () => {
  it('cannot be connected again, whoever made it', async (t) => {
    const { path } = await unixServer(t);
    const lab = await startLab(t);
    const own = new Rules({ allow: [{ path }] });
    const dial = createDial({ rules: own });
    const sockets: net.Socket[] = [
      dial({ path }),
      dial.tls({ path } as never),
      dial.socket().connect(path),
      new HttpAgent({ rules: own }).createConnection({ path }) as net.Socket,
      // Denied ones.
      createDial({ rules })({ path }),
      createDial({ rules }).socket().connect(path),
      createDial({ rules }).socket().connect(lab.port, DENIED),
      new HttpAgent({ rules }).createConnection({ path }) as net.Socket,
      new HttpAgent({ rules }).createConnection({ host: DENIED, port: lab.port }) as net.Socket,
    ];
    for (const [i, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.destroy();
      if (!socket.closed) await once(socket, 'close');
      assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' }, String(i));
    }
    assert.equal(lab.denied.connections, 0);
  });
});

describe('dial.socket()', () => {
  const dial = createDial({ rules });
  it('throws when an option of it or of connect() leads around the rules', () => {
    for (const name of REFUSED_OF_A_SOCKET) {
      assert.throws(() => dial.socket({ [name]: evilLookup }), refusedOption(name));
      assert.throws(
        () => dial.socket().connect({ host: ALLOWED, port: 1, [name]: evilLookup }),
        refusedOption(name),
      );
    }
    assert.throws(() => dial.socket('x' as never), refusedOption('socket'));
  });
  it('is connected once when whoever is told of its denial connects it', async (t) => {
    const lab = await startLab(t);
    const socket = dial.socket();
    t.after(() => socket.destroy());
    const connected = once(socket, 'connect');
    const connect = (): void => {
      unsubscribe('netjail:verdict', connect);
      socket.connect(lab.port, ALLOWED);
    };
    subscribe('netjail:verdict', connect);
    assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' });
    await inTime(connected, 'the socket');
    assert.deepEqual(
      [socket.remoteAddress, lab.allowed.connections, lab.denied.connections],
      [ALLOWED, 1, 0],
    );
  });
  it('takes a port as text, with a listener', async (t) => {
    const lab = await startLab(t);
    for (const args of [
      [lab.port, ALLOWED],
      [String(lab.port), ALLOWED],
      [{ host: ALLOWED, port: lab.port }],
    ]) {
      let called = 0;
      const socket = dial.socket();
      (socket.connect as (...all: unknown[]) => net.Socket)(...args, () => called++);
      await inTime(once(socket, 'connect'), 'the socket');
      assert.equal(called, 1);
      socket.destroy();
    }
  });
});

describe('dial()', () => {
  it('leaves no connection open when the signal was aborted before, and asks no resolver', async (t) => {
    const lab = await startLab(t);
    const dial = createDial({ rules, resolver: () => assert.fail('it was looked up') });
    for (const host of [ALLOWED, 'name.test']) {
      const socket = dial({ host, port: lab.port, signal: AbortSignal.abort() });
      const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
      assert.equal(error.name, 'AbortError');
    }
    // That nobody waits for it is said first, as of a connection that is allowed.
    const denied = dial({ host: DENIED, port: lab.port, signal: AbortSignal.abort() });
    const [abort] = (await inTime(once(denied, 'error'), 'the socket')) as [Error];
    assert.equal(abort.name, 'AbortError');
    const after = dial({ host: ALLOWED, port: lab.port });
    await once(after, 'connect');
    after.destroy();
    await inTime(lab.drained(), 'the connections');
  });
  it('takes (port, host, listener)', async (t) => {
    const lab = await startLab(t);
    for (const port of [lab.port, String(lab.port) as never as number]) {
      const socket = await new Promise<net.Socket>((resolve) =>
        createDial({ rules })(port, ALLOWED, function (this: net.Socket) {
          resolve(this);
        } as never),
      );
      assert.equal(socket.remoteAddress, ALLOWED);
      socket.destroy();
    }
    const [error] = (await once(createDial({ rules })(lab.port, DENIED), 'error')) as [Error];
    assert.equal(deniedError(error)?.reason, 'blocked');
  });
  it('throws when the listener is no function', () => {
    for (const call of [
      () => createDial({ rules })({ host: ALLOWED, port: 1 }, 'x' as never),
      () => createDial({ rules }).tls({ host: ALLOWED, port: 1 }, {} as never),
      () => createDial({ rules })(1, ALLOWED, 5 as never),
    ])
      assert.throws(call, { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_ARGUMENT' });
  });
});

describe('a denial', () => {
  const dial = createDial({ rules, resolver: async () => [DENIED] });
  const ways: [name: string, open: () => net.Socket][] = [
    ['a literal', () => dial({ host: DENIED, port: 1 })],
    ['a literal over TLS', () => dial.tls({ host: DENIED, port: 1 })],
    ['a name whose address is at hand', () => dial({ host: 'name.test', port: 1 })],
    ['a path', () => dial({ path: '/run/x.sock' })],
    ['dial.socket()', () => dial.socket().connect(1, DENIED)],
    ['an agent', () => new HttpAgent({ rules }).createConnection({ host: DENIED, port: 1 }) as net.Socket],
  ];
  for (const [name, open] of ways) {
    it(`of ${name} waits for whoever awaits the socket before he listens`, async () => {
      // As from a callback of the network: what is awaited there comes after process.nextTick().
      await new Promise(setImmediate);
      const { socket } = await new Promise<{ socket: net.Socket }>((resolve) => {
        setImmediate(() => resolve({ socket: open() }));
      });
      for (let i = 0; i < 20; i++) await Promise.resolve();
      const [error] = (await inTime(once(socket, 'error'), 'the denial')) as [Error];
      assert.match(String(deniedError(error)?.reason), /^(?:blocked|path-not-allowed)$/);
    });
  }
});

describe('an error of a request that is told without a socket', () => {
  const closed = new HttpAgent({ rules });
  closed.close();
  for (const [name, options, code] of [
    [
      'a target that its path names',
      { agent: new HttpAgent({ rules }), path: `http://${DENIED}/` },
      'ERR_NETJAIL_DENIED',
    ],
    ['an agent that is closed', { agent: closed }, 'ERR_NETJAIL_CLOSED'],
  ] as const) {
    it(`of ${name} waits for whoever awaits the request before he listens`, async () => {
      await new Promise(setImmediate);
      const { request } = await new Promise<{ request: http.ClientRequest }>((resolve) => {
        setImmediate(() => resolve({ request: http.request({ host: ALLOWED, port: 1, ...options }) }));
      });
      for (let i = 0; i < 20; i++) await Promise.resolve();
      const [error] = (await inTime(once(request, 'error'), 'the error')) as [{ code: unknown }];
      assert.equal(error.code, code);
    });
  }
});

describe('dial.socket() and dial()', () => {
  it('connect to the host when the path is empty, as in Node', async (t) => {
    const lab = await startLab(t);
    const dial = createDial({ rules });
    const target = { host: ALLOWED, port: lab.port, path: '' };
    const sockets = [dial.socket().connect(target), dial(target), net.connect(target)];
    for (const socket of sockets) {
      const [data] = await inTime(once(socket.end('GET / HTTP/1.0\r\n\r\n'), 'data'), 'the answer');
      assert.match(String(data), /^HTTP\/1\.1 200/);
    }
  });
});

describe('dial.tls()', () => {
  it('throws where a connect function opens the plain sockets', () => {
    const dial = createDial({ rules, connect: () => assert.fail('connect was called') });
    assert.throws(() => dial.tls({ host: ALLOWED, port: 1 }), refusedOption('connect'));
  });
  it('sends the name that was asked for, the given servername, none for an address', async (t) => {
    const { cert, key } = await tlsCertificate();
    const seen: unknown[] = [];
    const server = tls
      .createServer({ cert, key }, (socket) => (seen.push(socket.servername), socket.destroy()))
      .listen(0, ALLOWED);
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const dial = createDial({ rules, resolver: async () => [ALLOWED] });
    for (const [target, name] of [
      [{ host: 'name.test' }, 'name.test'],
      [{ host: 'other.test', servername: 'name.test' }, 'name.test'],
      [{ host: ALLOWED }, false],
    ] as const) {
      const socket: TLSSocket = dial.tls({ ...target, port, ca: cert });
      await inTime(once(socket, 'secureConnect'), 'the socket');
      await once(socket.resume(), 'close');
      assert.equal(seen.at(-1), name);
    }
    // The certificate is not for this name.
    const socket = dial.tls({ host: 'name.test', servername: 'other.test', port, ca: cert });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });
});
