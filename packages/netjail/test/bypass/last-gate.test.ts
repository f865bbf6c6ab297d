// The last gates of a connection: what they stop, and what they leave alone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import net from 'node:net';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { createConnector } from '../../src/connector.ts';
import { Guard } from '../../src/guard.ts';
import { readOptions } from '../../src/options.ts';
import { rules } from '../helpers/attack.ts';
import { blackHole, HOLE } from '../helpers/black-hole.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';
import { unixServer } from '../helpers/unix.ts';

describe('the last gate', () => {
  it('denies a socket without an address for a name, too', async (t) => {
    const { path, received } = await unixServer(t);
    const connected = net.connect(path);
    await once(connected, 'connect');
    for (const connect of [() => net.connect(path), () => connected]) {
      const socket = createDial({ rules, resolver: async () => [ALLOWED], connect })({
        host: 'name.test',
        port: 80,
      });
      socket.write('secret');
      const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
      assert.equal(deniedError(error)?.reason, 'not-judged');
    }
    assert.equal(received(), '');
  });

  it('publishes one verdict for a socket that lies', async (t) => {
    const lab = await startLab(t);
    const verdicts: unknown[] = [];
    const listen = (message: unknown): void => void verdicts.push(message);
    subscribe('netjail:verdict', listen);
    t.after(() => unsubscribe('netjail:verdict', listen));
    const connected = net.connect(lab.port, DENIED);
    await once(connected, 'connect');
    for (const connect of [() => net.connect(lab.port, DENIED), () => connected]) {
      verdicts.length = 0;
      const socket = createDial({ rules, connect })({ host: ALLOWED, port: lab.port });
      await inTime(once(socket, 'error'), 'the socket');
      if (!socket.closed) await once(socket, 'close');
      const denials = verdicts.filter((one) => !(one as { allowed: boolean }).allowed);
      assert.deepEqual(
        denials.map((one) => [(one as { address: string }).address, (one as { reason: string }).reason]),
        [[DENIED, 'blocked']],
      );
    }
  });

  it('takes a peer that is gone for no denial: an error of the network, or none where the address was named before', async (t) => {
    const lab = await startLab(t);
    const reset = (socket: net.Socket): net.Socket =>
      Object.defineProperty(socket, 'remoteAddress', { get: () => undefined });
    // Handed out when it was connected: it is told.
    const connected = net.connect(lab.port, ALLOWED);
    await once(connected, 'connect');
    const socket = createDial({ rules, connect: () => reset(connected) })({ host: ALLOWED, port: lab.port });
    const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [NodeJS.ErrnoException];
    assert.deepEqual(
      [error.code, error.syscall, deniedError(error)],
      ['ECONNRESET', 'getpeername', undefined],
    );
    // Named before: Node tells of the reset itself.
    const other = createDial({ rules, connect: (options) => reset(net.connect(options)) })({
      host: ALLOWED,
      port: lab.port,
    });
    await inTime(once(other, 'connect'), 'the connection');
    assert.equal(other.destroyed, false);
    other.destroy();
  });

  it('denies a socket of dial.socket() that the runtime connects to another address', async (t) => {
    const lab = await startLab(t);
    const { connect } = net.Socket.prototype;
    t.mock.method(net.Socket.prototype, 'connect', function (this: net.Socket) {
      return connect.call(this, { host: DENIED, port: lab.port } as never);
    });
    const dial = createDial({ rules, resolver: async () => [ALLOWED] });
    for (const host of [ALLOWED, 'name.test']) {
      const socket = dial.socket().connect(lab.port, host);
      socket.write('GET /secret HTTP/1.1\r\nHost: x\r\n\r\n');
      const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
      const denied = deniedError(error);
      const { reason, address, entry } = denied!.denials.at(-1)!;
      assert.deepEqual(
        [denied!.code, denied!.host, reason, address, entry],
        ['ERR_NETJAIL_DENIED', host, 'blocked', DENIED, '127.0.0.1'],
      );
    }
    assert.deepEqual([lab.denied.connections, lab.denied.requests], [0, []]);
  });

  it('denies a path that is no text', async () => {
    for (const path of [5, {}, Buffer.from('/x.sock')]) {
      const socket = createDial({ rules: new Rules({ allow: [{ path: '/x.sock' }] }) })({ path } as never);
      const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
      assert.equal(deniedError(error)?.reason, 'path-not-allowed');
    }
  });

  it('leaves a connection alone once it is there, however long it lives', async (t) => {
    const lab = await startLab(t);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const dial = createDial({ rules, connectTimeout: 50 });
    const sockets = [dial({ host: ALLOWED, port: lab.port }), dial.socket().connect(lab.port, ALLOWED)];
    for (const socket of sockets) socket.on('error', (error) => assert.fail(error));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    t.mock.timers.tick(60);
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [false, false],
    );
    for (const socket of sockets) socket.destroy();
  });

  it('ends a connection at once when one of its addresses is denied, though another one is being tried', async (t) => {
    const lab = await startLab(t);
    // Elsewhere there is no way to have an address that drops packets without the firewall's help.
    if ((await blackHole(t, lab.port)) === undefined) return t.skip('a black hole: it takes Linux');
    const answers = [HOLE, DENIED].map((address) => ({ address, family: 4 }));
    const connect = (): net.Socket =>
      net.connect({
        host: 'x.test',
        port: lab.port,
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: 20,
        lookup: (_host, _options, callback) => setImmediate(callback, null, answers as never),
      });
    const socket = createDial({ rules, connect })({ host: ALLOWED, port: lab.port });
    const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
    assert.deepEqual([deniedError(error)?.reason, lab.denied.requests], ['blocked', []]);
  });
});

describe('a name in a runtime that has named a literal before', () => {
  it('is denied where the runtime says nothing and connects elsewhere', async (t) => {
    const lab = await startLab(t);
    const code = `
      const dns = (await import('node:dns')).default;
      dns.lookup = (_host, _options, callback) => callback(null, [{ address: '${ALLOWED}', family: 4 }]);
      const literal = await call(process.env.ALLOWED);
      fetch.closeIdleConnections(); agent.closeIdleConnections(); dispatcher.closeIdleConnections();
      const net = (await import('node:net')).default;
      const { emit, connect } = net.Socket.prototype;
      net.Socket.prototype.emit = function (event, ...args) { return event === 'connectionAttempt' ? false : emit.call(this, event, ...args); };
      Object.defineProperty(net.Socket.prototype, 'blockList', { configurable: true, get: () => undefined, set() {} });
      net.Socket.prototype.connect = function (...args) {
        const options = Array.isArray(args[0]) ? args[0][0] : args[0];
        if (options.host === 'name.test') { options.host = '${DENIED}'; options.lookup = undefined; }
        return connect.apply(this, args);
      };
      const named = await Promise.all([
        outcome(fetch(process.env.ALLOWED.replace('${ALLOWED}', 'name.test')).then(({ status }) => status)),
        outcome(request(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'), { dispatcher }).then(({ statusCode }) => statusCode)),
        outcome(new Promise((resolve, reject) => http.get(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'), { agent }, (response) => resolve(response.resume().statusCode)).on('error', reject))),
      ]);
      console.log(JSON.stringify([literal, named]));`;
    assert.deepEqual(await run(lab, code), [Array(4).fill(200), Array(3).fill('blocked')]);
    assert.deepEqual(lab.denied.requests, []);
  });
});

describe('createConnector()', () => {
  const { settings } = readOptions({ rules });
  const { connect } = createConnector(new Guard(rules, settings), {
    options: {},
    protocols: ['http/1.1'],
    timeout: 0,
    maxSessions: 0,
    socketPath: undefined,
    onCrowded: () => {},
  });

  it('refuses a socket of a proxy', async (t) => {
    const lab = await startLab(t);
    const proxy = net.connect(lab.port, DENIED);
    t.after(() => proxy.destroy());
    const error = await new Promise<Error | null>((resolve) =>
      connect(
        { protocol: 'https:', hostname: ALLOWED, port: String(lab.port), httpSocket: proxy },
        (failure) => resolve(failure),
      ),
    );
    assert.match(String(error?.message), /"httpSocket"/);
    assert.equal(lab.allowed.connections, 0);
  });
});
