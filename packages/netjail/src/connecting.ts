import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { misuse } from './errors.ts';
import { unref } from './internal/timer.ts';
import type { Target } from './target.ts';

/** undici's way to be told of a connection, once. */
export type ConnectorCallback = (error: Error | null, socket: Socket | null) => void;

interface Attempt {
  readonly target: Target;
  readonly callback: ConnectorCallback;
  /** On the clock of `performance.now()`. */
  readonly due: number;
}

/**
 * The sockets of a connector, who waits for those that are not connected yet, and the end of those that
 * take too long.
 *
 * What all of them can share is made once. One timer serves them: almost every connection is made long
 * before its time is up, and it keeps no process alive; what connects does that itself. So do the
 * listeners, which find what belongs to their socket here: each socket is the connector's own.
 *
 * It knows nothing of its connector: a timer would keep that in memory after its agent was retired.
 */
export class Connecting {
  readonly #timeout: number;
  /** All that have not closed, and who waits for them: oldest first, since the time is the same for all. */
  readonly #sockets = new Map<Socket, Attempt | undefined>();
  readonly #onReady: (this: Socket) => void;
  readonly #onError: (this: Socket, error: Error) => void;
  readonly #onClose: (this: Socket) => void;
  #timer: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  /** `timeout` in milliseconds, 0 for no limit. */
  constructor(timeout: number) {
    this.#timeout = timeout;
    const sockets = this.#sockets;
    const settle = (socket: Socket, error: Error | null): void => {
      const attempt = sockets.get(socket);
      if (attempt === undefined) return;
      sockets.set(socket, undefined);
      attempt.callback(error, error === null ? socket : null);
    };
    this.#onReady = function () {
      // The last gate may have ended it: then its error follows.
      if (!this.destroyed) settle(this, null);
    };
    this.#onError = function (error) {
      settle(this, error);
    };
    const tellWhenEmpty = (): void => {
      if (sockets.size === 0 && this.#onEmpty !== undefined) this.#tellEmpty(this.#onEmpty);
    };
    this.#onClose = function () {
      const attempt = sockets.get(this);
      sockets.delete(this);
      attempt?.callback(closed(), null);
      tellWhenEmpty();
    };
  }

  /** Calls back once, when the socket has emitted `event`, or has failed. */
  add(socket: Socket, event: 'connect' | 'secureConnect', target: Target, callback: ConnectorCallback): void {
    this.#sockets.set(socket, { target, callback, due: performance.now() + this.#timeout });
    socket.on(event, this.#onReady).on('error', this.#onError).on('close', this.#onClose);
    if (this.#timeout > 0 && this.#timer === undefined) this.#wait(this.#timeout);
  }

  /** Ends them all; asked by whoever opens no more. */
  end(error: Error): void {
    this.#forgetTime();
    for (const socket of this.#sockets.keys()) socket.destroy(error);
  }

  /** Calls back when there is none; asked by whoever opens no more. */
  onceEmpty(callback: () => void): void {
    if (this.#sockets.size === 0) this.#tellEmpty(callback);
    else this.#onEmpty = callback;
  }

  #tellEmpty(callback: () => void): void {
    this.#onEmpty = undefined;
    this.#forgetTime();
    callback();
  }

  /** The timer keeps the asynchronous context that it was set in, with all that a caller has there. */
  #forgetTime(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(time: number): void {
    this.#timer = unref(setTimeout(() => this.#endOverdue(), time));
  }

  #endOverdue(): void {
    this.#timer = undefined;
    // A timer may be early by less than a millisecond.
    const now = performance.now() + 1;
    for (const [socket, attempt] of this.#sockets) {
      if (attempt === undefined) continue;
      const { target, due } = attempt;
      if (due > now) return this.#wait(due - now);
      socket.destroy(connectTimeout(target, this.#timeout));
    }
  }
}

function closed(): Error {
  return misuse(Error, 'ERR_NETJAIL_CLOSED', 'Cannot connect: the socket was closed');
}

/** By these undici tells whether an error is one of theirs (`instanceof`). */
const UNDICI_BRANDS = ['UND_ERR', 'UND_ERR_CONNECT_TIMEOUT'].map((code) =>
  Symbol.for(`undici.error.${code}`),
);

/** The error by which undici's users know this. */
function connectTimeout({ host, port }: Target, timeout: number): Error {
  const error = new Error(
    `Connect Timeout Error (attempted address: ${host}:${port}, timeout: ${timeout}ms)`,
  );
  for (const brand of UNDICI_BRANDS) Object.defineProperty(error, brand, { value: true });
  return Object.assign(error, { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' });
}
