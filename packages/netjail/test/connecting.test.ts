import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
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
class FakeSocket extends EventEmitter {
  destroyed = false;
  error: Ended['error'] | undefined;
  readonly ended: Promise<Ended>;
  readonly #ended = deferred<Ended>();

  constructor() {
    super();
    this.ended = this.#ended.promise;
  }

  destroy(error: Ended['error']): void {
    this.destroyed = true;
    this.error = error;
    this.#ended.resolve({ error, at: performance.now() });
  }
}

/** Adds a socket that connects, and what its callback was called with. */
function add(
  connecting: Connecting,
  to = target,
  event: 'connect' | 'secureConnect' = 'connect',
): { socket: FakeSocket; calls: [Error | null, Socket | null][] } {
  const socket = new FakeSocket();
  const calls: [Error | null, Socket | null][] = [];
  connecting.add(socket as unknown as Socket, event, to, (...call) => calls.push(call));
  return { socket, calls };
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
    const start = performance.now();
    const { socket: first } = add(connecting);
    const { socket: second } = add(connecting, readTarget('other.test', 81));
    const ended = await inTime(first.ended, 'the first');
    const { socket: third } = add(connecting);
    const added = performance.now();
    const { error } = await inTime(second.ended, 'the second');
    assert.equal(third.error, undefined);
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
    const connected = add(connecting);
    const late = add(connecting);
    connected.socket.emit('connect');
    await inTime(late.socket.ended, 'the late one');
    assert.equal(connected.socket.error, undefined);
    assert.deepEqual(connected.calls, [[null, connected.socket]]);
  });

  it('onceEmpty() calls back when the last socket has closed, at once when there is none', () => {
    const connecting = new Connecting(0);
    const told: string[] = [];
    connecting.onceEmpty(() => told.push('none'));
    assert.deepEqual(told, ['none']);
    const [first, second] = [add(connecting), add(connecting)];
    first.socket.emit('connect');
    connecting.onceEmpty(() => told.push('empty'));
    first.socket.emit('close');
    assert.deepEqual(told, ['none']);
    second.socket.emit('close');
    assert.deepEqual(told, ['none', 'empty']);
  });

  it('lets go of its timer, and of the context that it was set in, when it is done with', (t) => {
    const cleared: unknown[] = [];
    t.mock.method(globalThis, 'setTimeout', () => 'the timer');
    t.mock.method(globalThis, 'clearTimeout', (timer: unknown) => cleared.push(timer));
    const connecting = new Connecting(TIMEOUT);
    const { socket } = add(connecting);
    socket.emit('connect');
    socket.emit('close');
    assert.deepEqual(cleared, [], 'more may come');
    connecting.onceEmpty(() => {});
    assert.deepEqual(cleared, ['the timer']);
    const { socket: last } = add(connecting);
    connecting.onceEmpty(() => {});
    assert.deepEqual(cleared, ['the timer']);
    last.emit('close');
    assert.deepEqual(cleared, ['the timer', 'the timer']);
  });

  it('lets go of them when all are ended, whatever has closed by then', (t) => {
    const cleared: unknown[] = [];
    t.mock.method(globalThis, 'setTimeout', () => 'the timer');
    t.mock.method(globalThis, 'clearTimeout', (timer: unknown) => cleared.push(timer));
    const connecting = new Connecting(TIMEOUT);
    const { socket } = add(connecting);
    const error = new Error('destroyed');
    connecting.end(error);
    assert.deepEqual(cleared, ['the timer']);
    assert.equal(socket.error, error);
  });

  it('takes timers that are numbers, as in jsdom', (t) => {
    t.mock.method(globalThis, 'setTimeout', () => 5);
    const connecting = new Connecting(TIMEOUT);
    const { socket, calls } = add(connecting);
    socket.emit('connect');
    assert.deepEqual(calls, [[null, socket]]);
  });

  it('calls back once, with the socket when its event has come, whatever comes then', () => {
    const { socket, calls } = add(new Connecting(0), target, 'secureConnect');
    socket.emit('connect');
    assert.deepEqual(calls, []);
    socket.emit('secureConnect');
    socket.emit('error', new Error('reset'));
    socket.emit('close');
    assert.deepEqual(calls, [[null, socket]]);
  });

  it('end() ends what is connected, too, but not what has closed', () => {
    const connecting = new Connecting(0);
    const [waiting, connected, closed] = [add(connecting), add(connecting), add(connecting)];
    connected.socket.emit('connect');
    closed.socket.emit('connect');
    closed.socket.emit('close');
    const error = new Error('destroyed');
    connecting.end(error);
    assert.equal(waiting.socket.error, error);
    assert.equal(connected.socket.error, error);
    assert.equal(closed.socket.error, undefined);
  });

  it('calls back once with the error of a socket that fails, also of one that its last gate has ended', () => {
    const connecting = new Connecting(0);
    const refused = add(connecting);
    const vetoed = add(connecting);
    const error = new Error('refused');
    refused.socket.emit('error', error);
    refused.socket.emit('close');
    vetoed.socket.destroy(error);
    vetoed.socket.emit('connect');
    assert.deepEqual(vetoed.calls, []);
    vetoed.socket.emit('error', error);
    vetoed.socket.emit('close');
    assert.deepEqual(refused.calls, [[error, null]]);
    assert.deepEqual(vetoed.calls, [[error, null]]);
  });

  it('calls back with ERR_NETJAIL_CLOSED when a socket closes that says nothing else', () => {
    const { socket, calls } = add(new Connecting(0));
    socket.emit('close');
    assert.equal(calls.length, 1);
    assert.equal((calls[0]![0] as Error & { code?: string }).code, 'ERR_NETJAIL_CLOSED');
    assert.equal(calls[0]![1], null);
  });

  it('shares its listeners among the sockets', () => {
    const connecting = new Connecting(0);
    const { socket } = add(connecting);
    const { socket: other } = add(connecting);
    for (const event of ['connect', 'error', 'close'])
      assert.deepEqual(socket.listeners(event), other.listeners(event), event);
  });
});
