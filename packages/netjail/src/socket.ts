import net, { type Socket } from 'node:net';
import { endIfAborted, Gate, limitConnecting, pinPath } from './connect.ts';
import {
  AROUND_THE_GATE,
  closeOptions,
  failingOptions,
  type ConnectOptions,
  type PathOptions,
} from './connect-options.ts';
import { DeniedError, misuse } from './errors.ts';
import type { Guard } from './guard.ts';
import { isRecord, readOnce } from './internal/assert.ts';
import { refuseOptions } from './options.ts';
import { readTarget } from './target.ts';

/** A socket that its client connects itself, once, through the guard. */
class GuardedSocket extends net.Socket {
  readonly #guard: Guard;
  readonly #timeout: number;
  readonly #signal: unknown;
  #used = false;

  constructor(guard: Guard, options: net.SocketConstructorOpts, timeout: number) {
    super(options);
    this.#guard = guard;
    this.#timeout = timeout;
    this.#signal = options.signal;
  }

  override connect(...args: unknown[]): this {
    // What is refused here has not used it; what is read may connect it.
    const { options, path, onConnect } = readConnect(args);
    const pinned = this.#used ? undefined : this.#pin(options, path);
    if (pinned === undefined || this.#used)
      throw misuse(Error, 'ERR_NETJAIL_SOCKET_USED', 'Cannot connect this socket again: make a new one');
    this.#used = true;
    super.connect(pinned as unknown as net.SocketConnectOpts);
    endIfAborted(this, this.#signal);
    // Not before: when the arguments throw, no timer may end a socket that nobody listens to.
    if (onConnect !== undefined) this.once('connect', onConnect);
    limitConnecting(this, 'connect', this.#timeout);
    return this;
  }

  /** Options that lead to judged addresses, or to the denial. */
  #pin(options: Record<string, unknown>, path: string | undefined): ConnectOptions | PathOptions {
    try {
      if (path !== undefined) return pinPath(this.#guard, path, options, false);
      const gate = new Gate(this.#guard, readTarget(options['host'], options['port']));
      const pinned = gate.pin(options);
      gate.watchClosely(this);
      return pinned;
    } catch (error) {
      if (!(error instanceof DeniedError)) throw error;
      return failingOptions(error, {});
    }
  }
}

export function guardedSocket(guard: Guard, options: Record<string, unknown>, timeout: number): Socket {
  closeOptions(options);
  return new GuardedSocket(guard, options as net.SocketConstructorOpts, timeout);
}

/** The forms of `net.Socket.connect`: (options), (port, host), (path), each with a listener. */
function readConnect(args: readonly unknown[]): {
  options: Record<string, unknown>;
  path: string | undefined;
  onConnect: (() => void) | undefined;
} {
  const last = args.at(-1);
  const onConnect = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  if (isRecord(first)) {
    const options = readOnce(first) as Record<string, unknown>;
    // To Node an empty one is none.
    const path = typeof options['path'] === 'string' && options['path'] !== '' ? options['path'] : undefined;
    delete options['path'];
    refuseOptions(options, AROUND_THE_GATE);
    return { options, path, onConnect };
  }
  const isPath = typeof first === 'string' && !/^[0-9]+$/.test(first);
  return { options: { host: second, port: first }, path: isPath ? first : undefined, onConnect };
}
