// A connect function that connects elsewhere.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { evilLookup, refusedOption, rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

function atLeast(major: number, minor: number): boolean {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number) as [number, number];
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

describe('dial()', () => {
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

  it('dial() destroys a socket that is connected to a Unix socket, before a byte is written', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'netjail-lying-'));
    const path = join(folder, 'x.sock');
    let received = '';
    const server = net
      .createServer((socket) => socket.on('data', (data) => (received += String(data))).on('error', () => {}))
      .listen(path);
    await once(server, 'listening');
    t.after(() => rmSync(folder, { recursive: true }));
    const connected = net.connect(path);
    await once(connected, 'connect');
    for (const connect of [() => net.connect(path), () => connected]) {
      const socket = createDial({ rules, connect })({ host: ALLOWED, port: 80 });
      socket.write('secret');
      const [error] = (await once(socket, 'error')) as [Error];
      assert.equal(deniedError(error)?.reason, 'not-judged');
    }
    server.close();
    await once(server, 'close');
    assert.equal(received, '');
  });

  it('dial() judges a socket that is handed out twice under the rules of both, before a byte is written', async (t) => {
    const lab = await startLab(t);
    const open = new Rules({ allow: ['127.0.0.0/8'] });
    for (const order of [
      [rules, open],
      [open, rules],
    ]) {
      const one = net.connect(lab.port, DENIED);
      for (const own of order)
        createDial({ rules: own, connect: () => one })({ host: ALLOWED, port: lab.port });
      one.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      const [error] = (await inTime(once(one, 'error'), 'the socket')) as [Error];
      const denial = deniedError(error)?.denials[0];
      assert.deepEqual([denial?.reason, denial?.address, denial?.entry], ['blocked', DENIED, '127.0.0.1']);
    }
    assert.deepEqual(lab.denied.requests, []);
  });

  it('dial() tries no further address when one is denied, first or last, and the process lives', async (t) => {
    const lab = await startLab(t);
    for (const list of [
      [DENIED, ALLOWED],
      [DENIED, DENIED, ALLOWED],
      ['127.0.0.3', DENIED],
    ]) {
      const answers = list.map((address) => ({ address, family: 4 }));
      const connect = (): net.Socket =>
        net.connect({
          host: 'x.test',
          port: lab.port,
          autoSelectFamily: true,
          lookup: (_host, _options, callback) => setImmediate(callback, null, answers as never),
        });
      const socket = createDial({ rules, connect })({ host: ALLOWED, port: lab.port });
      socket.write('secret');
      const [error] = (await inTime(once(socket, 'error'), 'the socket')) as [Error];
      // The first one that is tried: nobody listens on 127.0.0.3, which is allowed.
      const denial = deniedError(error)?.denials[0];
      assert.deepEqual([denial?.reason, denial?.address], ['blocked', DENIED], String(list));
    }
    assert.equal(lab.allowed.connections, 0);
    assert.deepEqual(lab.denied.requests, []);
    // Before, Node says which address it connects to, and cannot be kept from it.
    if (atLeast(22, 13)) assert.equal(lab.denied.connections, 0);
  });

  it('dial() calls back and sets no limit when connect hands out a socket that is connected', async (t) => {
    const lab = await startLab(t);
    const connected = net.connect(lab.port, ALLOWED);
    await once(connected, 'connect');
    const dial = createDial({ rules, connect: () => connected, connectTimeout: 1 });
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const called = new Promise<net.Socket>((resolve) =>
      dial({ host: ALLOWED, port: lab.port }, function (this: unknown) {
        resolve(this as net.Socket);
      }),
    );
    assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, timers);
    assert.equal(await inTime(called, 'the callback'), connected);
    connected.destroy();

    const other = net.connect(lab.port, DENIED);
    await once(other, 'connect');
    const denied = createDial({ rules, connect: () => other })({ host: ALLOWED, port: lab.port }, () =>
      assert.fail('it is connected elsewhere'),
    );
    const [error] = (await once(denied, 'error')) as [Error];
    assert.equal(deniedError(error)?.reason, 'blocked');
  });

  it('dial() does not call connect when the target is denied before', () => {
    const never = createDial({ rules, connect: () => assert.fail('connect was called') });
    never({ host: DENIED, port: 1 }).on('error', (error) => assert.ok(deniedError(error)));
  });
});
