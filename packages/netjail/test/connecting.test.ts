import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { Connecting } from '../src/connecting.ts';
import { readTarget } from '../src/target.ts';
import { deferred } from './helpers/deferred.ts';
import { inTime } from './helpers/in-time.ts';

const TIMEOUT = 40;
const target = readTarget('name.test', 80);

interface Ended {
  error: Error & { code?: string };
  at: number;
}

/** Only what a set of sockets does with one. */
function fakeSocket(): { socket: Socket; ended: Promise<Ended>; error: () => Ended['error'] | undefined } {
  const { promise, resolve } = deferred<Ended>();
  let seen: Ended['error'] | undefined;
  const destroy = (error: Ended['error']): void => {
    seen = error;
    resolve({ error, at: performance.now() });
  };
  return { socket: { destroy } as unknown as Socket, ended: promise, error: () => seen };
}

/** The timer of Connecting keeps no process alive, nor does a test without handles. */
function alive(): () => void {
  const timer = setInterval(() => {}, 1000);
  return () => clearInterval(timer);
}

describe('Connecting', () => {
  it('ends each socket when its own time is up, with the error that undici has for it', async (t) => {
    t.after(alive());
    const connecting = new Connecting(TIMEOUT);
    const [first, second, third] = [fakeSocket(), fakeSocket(), fakeSocket()];
    const start = performance.now();
    connecting.add(first.socket, target);
    connecting.add(second.socket, readTarget('other.test', 81));
    const ended = await inTime(first.ended, 'the first');
    connecting.add(third.socket, target);
    const added = performance.now();
    const { error } = await inTime(second.ended, 'the second');
    assert.equal(third.error(), undefined);
    const last = await inTime(third.ended, 'the third');
    assert.equal(ended.error.name, 'ConnectTimeoutError');
    assert.equal(ended.error.code, 'UND_ERR_CONNECT_TIMEOUT');
    assert.equal(
      ended.error.message,
      'Connect Timeout Error (attempted address: name.test:80, timeout: 40ms)',
    );
    assert.equal(error.message, 'Connect Timeout Error (attempted address: other.test:81, timeout: 40ms)');
    assert.ok(ended.at - start >= TIMEOUT - 1.5, `after ${ended.at - start} ms`);
    assert.ok(last.at - added >= TIMEOUT - 1.5, `after ${last.at - added} ms`);
  });

  it('leaves a socket alone that was connected in time', async (t) => {
    t.after(alive());
    const connecting = new Connecting(TIMEOUT);
    const [connected, late] = [fakeSocket(), fakeSocket()];
    connecting.add(connected.socket, target);
    connecting.add(late.socket, target);
    connecting.delete(connected.socket);
    await inTime(late.ended, 'the late one');
    assert.equal(connected.error(), undefined);
  });

  it('abandon() ends what is not connected, with its error', () => {
    const connecting = new Connecting(0);
    const [connected, other] = [fakeSocket(), fakeSocket()];
    connecting.add(connected.socket, target);
    connecting.add(other.socket, target);
    connecting.delete(connected.socket);
    const error = new Error('closed');
    connecting.abandon(error);
    assert.equal(connected.error(), undefined);
    assert.equal(other.error(), error);
  });
});
