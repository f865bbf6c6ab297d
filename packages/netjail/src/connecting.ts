import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Target } from './target.ts';

interface Attempt {
  readonly target: Target;
  /** On the clock of `performance.now()`. */
  readonly due: number;
}

/**
 * The sockets of a connector that are not connected yet, and the end of those that take too long.
 *
 * One timer serves them all: almost every connection is made long before its time is up, and a timer
 * for each is work for nothing. It keeps no process alive; what connects does that itself.
 */
export class Connecting {
  readonly #timeout: number;
  /** Oldest first: the time is the same for all. */
  readonly #attempts = new Map<Socket, Attempt>();
  #timer: NodeJS.Timeout | undefined;

  /** `timeout` in milliseconds, 0 for no limit. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  add(socket: Socket, target: Target): void {
    this.#attempts.set(socket, { target, due: performance.now() + this.#timeout });
    if (this.#timeout > 0 && this.#timer === undefined) this.#wait(this.#timeout);
  }

  delete(socket: Socket): void {
    this.#attempts.delete(socket);
  }

  /** Ends them all. */
  abandon(error: Error): void {
    for (const socket of this.#attempts.keys()) socket.destroy(error);
  }

  #wait(time: number): void {
    this.#timer = setTimeout(() => this.#endOverdue(), time).unref();
  }

  #endOverdue(): void {
    this.#timer = undefined;
    // A timer may be early by less than a millisecond.
    const now = performance.now() + 1;
    for (const [socket, { target, due }] of this.#attempts) {
      if (due > now) return this.#wait(due - now);
      this.#attempts.delete(socket);
      socket.destroy(connectTimeout(target, this.#timeout));
    }
  }
}

/** The error by which undici's users know this. */
function connectTimeout({ host, port }: Target, timeout: number): Error {
  const error = new Error(
    `Connect Timeout Error (attempted address: ${host}:${port}, timeout: ${timeout}ms)`,
  );
  return Object.assign(error, { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' });
}
