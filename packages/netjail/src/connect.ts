import type { EventEmitter } from 'node:events';
import type { LookupFunction, Socket } from 'node:net';
import { misuse } from './errors.ts';
import type { Guard } from './guard.ts';
import { quote } from './internal/assert.ts';
import type { Target } from './target.ts';

/** Options of a socket that would lead it around the gate: never passed on. */
export const AROUND_THE_GATE: readonly string[] = [
  'lookup',
  'path',
  'socketPath',
  'fd',
  'handle',
  '_handle',
  'socket',
  'pipe',
  'blockList',
  'createConnection',
  'proxy',
  'proxyEnv',
];

const NOTHING_AROUND: Readonly<Record<string, undefined>> = Object.freeze(
  Object.fromEntries([...AROUND_THE_GATE, 'hostname'].map((name) => [name, undefined])),
);

/** The look-up of a socket, to be given up with it. Most sockets never have one that is given up. */
export class PendingLookup {
  #controller: AbortController | undefined;
  #aborted = false;

  /** The signal for the resolver. */
  begin(): AbortSignal {
    this.#controller = new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  end(): void {
    this.#controller = undefined;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

/** Options for `net.connect` or `tls.connect` with which only judged addresses can be reached. */
export interface ConnectOptions extends Record<string, unknown> {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
}

/**
 * Makes the options of one connection. An allowed literal is given as its canonical text, which
 * Node connects to as it is; a name keeps its name, and its `lookup` answers judged addresses only.
 *
 * @throws {DeniedError} for what is denied without a look-up.
 */
export function connectOptions(
  guard: Guard,
  target: Target,
  options: Record<string, unknown>,
  pending: PendingLookup,
): ConnectOptions {
  const literal = guard.admit(target);
  return {
    ...options,
    ...NOTHING_AROUND,
    host: literal?.address ?? target.host,
    port: target.port,
    lookup: lookupFor(guard, target, pending),
  };
}

/** Options of a connection that fails with the error, through the socket's own channel. */
export function failingOptions(error: Error, options: Record<string, unknown>): ConnectOptions {
  const lookup: LookupFunction = (_host, _options, callback) => process.nextTick(callback, error, '', 0);
  const { signal } = options;
  const safe = Object.create(null) as Record<string, unknown>;
  if (signal !== undefined) safe['signal'] = signal;
  return Object.assign(safe, { host: 'denied.invalid', port: 1, lookup });
}

/** Node's look-up hook: calls back later, once, with fresh answers, never with none. */
function lookupFor(guard: Guard, target: Target, pending: PendingLookup): LookupFunction {
  return (_host, options, callback) => {
    guard.resolve(target, familyOf(options.family), pending.begin()).then(
      (addresses) => {
        pending.end();
        if (options.all === true) process.nextTick(callback, null, addresses);
        else process.nextTick(callback, null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: unknown) => {
        pending.end();
        // A rejection without an error must not look like success to Node.
        const failure =
          error instanceof Error ? error : new Error('Cannot resolve: the resolver failed', { cause: error });
        process.nextTick(callback, failure, '', 0);
      },
    );
  };
}

function familyOf(family: unknown): 0 | 4 | 6 {
  if (family === 4 || family === 'IPv4') return 4;
  if (family === 6 || family === 'IPv6') return 6;
  return 0;
}

/**
 * Puts the last gates on a socket that is about to connect: the address is judged again right
 * before connect(2) (Node 22.13 and later ask a socket's `blockList`) and once it is connected,
 * before the first byte. The socket cannot be connected a second time.
 */
export function gateSocket<S extends Socket>(
  socket: S,
  guard: Guard,
  target: Target,
  pending: PendingLookup,
): S {
  const deny = (address: string | undefined): boolean => {
    try {
      guard.confirm(address, target);
      return false;
    } catch (error) {
      socket.destroy(error as Error);
      return true;
    }
  };
  (socket as unknown as { blockList: object }).blockList = { check: deny };
  (socket as EventEmitter).prependOnceListener('connect', () => {
    if (socket.destroyed) return;
    const { remoteAddress } = socket;
    // The peer reset the connection already: there is no address to judge, and nothing to talk to.
    if (remoteAddress === undefined) socket.destroy(gone(target));
    else deny(remoteAddress);
  });
  if (target.literal === undefined) socket.once('close', () => pending.abort());
  return lockSocket(socket);
}

/** Destroys a socket that is not ready (`event`) within so many milliseconds; 0 for no limit. */
export function limitConnecting(socket: Socket, event: string, timeout: number): void {
  if (timeout === 0) return;
  const timer = setTimeout(() => {
    socket.destroy(misuse(Error, 'ERR_NETJAIL_TIMEOUT', `Cannot connect: not connected after ${timeout} ms`));
  }, timeout);
  const stop = (): void => clearTimeout(timer);
  socket.once(event, stop).once('close', stop);
}

function gone({ host, port }: Target): Error {
  const error = new Error(`Cannot use the connection to ${quote(host)} port ${port}: its peer is gone`);
  return Object.assign(error, { code: 'ECONNRESET', syscall: 'getpeername' });
}

/** Makes `connect` of a socket throw: its address was judged, another one would not be. */
export function lockSocket<S extends Socket>(socket: S): S {
  socket.connect = refuseReconnect;
  return socket;
}

function refuseReconnect(): never {
  throw misuse(Error, 'ERR_NETJAIL_SOCKET_USED', 'Cannot connect this socket again: dial a new one');
}
