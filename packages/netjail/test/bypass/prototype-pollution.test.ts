// A polluted Object.prototype becomes an option.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { AROUND_THE_GATE, isPolluted } from '../../src/connect-options.ts';
import { createDial } from '../../src/dial.ts';
import { rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';
import { unixServer } from '../helpers/unix.ts';

describe('every adapter in a process whose', () => {
  for (const [name, value] of Object.entries({
    // It is a listener to emitters as well: prototypes reach far.
    lookup: `(host, options, callback) => typeof callback !== 'function' ? undefined : options.all ? callback(null, [{ address: '${DENIED}', family: 4 }]) : callback(null, '${DENIED}', 4)`,
    socketPath: `'/var/run/docker.sock'`,
    path: `'/var/run/docker.sock'`,
    host: `'${DENIED}'`,
    allow: `['0.0.0.0/0']`,
    rules: 'null',
    mode: `'report'`,
    agent: 'false',
    factory: '() => { throw new Error() }',
    blockList: 'null',
  })) {
    it(`Object.prototype has ${name} reaches nothing that is denied`, async (t) => {
      const lab = await startLab(t);
      const code = `Object.defineProperty(Object.prototype, '${name}', { value: ${value}, configurable: true, writable: true });
        const results = await call(process.env.DENIED); delete Object.prototype['${name}']; console.log(JSON.stringify(results))`;
      const results = (await run(lab, code)) as unknown[];
      assert.ok(
        results.every((result) => result !== 200),
        JSON.stringify(results),
      );
      assert.equal(lab.denied.connections, 0);
    });
  }
});

describe('isPolluted()', () => {
  it('is false when Object.prototype is as the runtime made it', () => {
    assert.equal(isPolluted(), false);
  });

  for (const name of [...AROUND_THE_GATE, 'hostname']) {
    it(`is true when Object.prototype has ${name}, whatever it says`, () => {
      Object.defineProperty(Object.prototype, name, { configurable: true, get: () => undefined });
      let polluted: boolean;
      try {
        polluted = isPolluted();
      } finally {
        delete (Object.prototype as Record<string, unknown>)[name];
      }
      assert.equal(polluted, true);
    });
  }
});

describe('a polluted Object.prototype.path', () => {
  const dial = createDial({ rules });
  const ways: Record<string, (host: string, port: number) => Socket> = {
    'dial()': (host, port) => dial({ host, port }),
    'dial.tls()': (host, port) => dial.tls({ host, port, rejectUnauthorized: false }),
    'dial.socket()': (host, port) => dial.socket().connect(port, host),
  };
  for (const [name, open] of Object.entries(ways)) {
    for (const host of [ALLOWED, DENIED]) {
      it(`leads ${name} to ${host} to no Unix socket`, async (t) => {
        const lab = await startLab(t, name === 'dial.tls()' ? 'https' : 'http');
        const unix = await unixServer(t);
        const prototype = Object.prototype as { path?: string };
        prototype.path = unix.path;
        let socket: Socket;
        try {
          // Node reads the options of a socket before this returns.
          socket = open(host, lab.port);
        } finally {
          delete prototype.path;
        }
        // A Unix socket that is connected has no address, and no TLS: nothing more would come.
        t.after(() => socket.destroy());
        const event = name === 'dial.tls()' ? 'secureConnect' : 'connect';
        const outcome = await inTime(once(socket, event), name).then(
          () => socket.remoteAddress,
          (error: { reason?: string }) => error.reason ?? error,
        );
        assert.deepEqual([outcome, unix.seen()], [host === ALLOWED ? ALLOWED : 'blocked', 0]);
        assert.equal(lab.denied.connections, 0);
      });
    }
  }
});
