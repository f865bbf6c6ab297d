import type * as Net from 'node:net';
import net from 'node:net';
import type * as Tls from 'node:tls';
import tls from 'node:tls';
import { endIfAborted, Gate, limitConnecting, lockSocket, pinPath } from './connect.ts';
import { AROUND_THE_GATE, failingOptions, type ConnectOptions, type PathOptions } from './connect-options.ts';
import { currentRules } from './context.ts';
import { DeniedError, misuse } from './errors.ts';
import { Guard } from './guard.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import {
  invalidOption,
  LONGEST_TIME,
  readInteger,
  readOptions,
  refuseOptions,
  type GuardOptions,
  type GuardSettings,
} from './options.ts';
import { guardedSocket } from './socket.ts';
import { readTarget } from './target.ts';

/** Options of {@link createDial}. */
export interface DialOptions extends GuardOptions {
  /**
   * Opens the plain socket; default `net.connect`. It gets the options of `net.connect` with a
   * `lookup` that answers judged addresses only and must use them: a socket that turns out to be
   * connected elsewhere is destroyed. Not used by `dial.tls` and `dial.socket`, nor for a `path`.
   */
  readonly connect?: (options: ConnectOptions & Net.TcpNetConnectOpts) => Net.Socket;
  /** Milliseconds from the call until connected (TLS included), 1 to 2,147,483,647; default: no limit. */
  readonly connectTimeout?: number;
}

type Around = 'lookup' | 'path' | 'fd' | 'handle' | 'socket' | 'blockList';

/** What to dial, and the options of `net.connect` that do not lead around the rules. */
export interface DialTarget extends Omit<Net.TcpNetConnectOpts & Net.SocketConstructorOpts, Around> {
  /** A name or an address literal; must be given. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What to dial, and the options of `tls.connect` that do not lead around the rules. */
export interface TlsDialTarget extends Omit<Tls.ConnectionOptions, Around | 'host' | 'port'> {
  readonly host: string;
  readonly port: number;
  readonly autoSelectFamily?: boolean;
  readonly autoSelectFamilyAttemptTimeout?: number;
  readonly family?: number;
  readonly localAddress?: string;
  readonly signal?: AbortSignal;
}

/** A Unix socket or named pipe to dial, which an allow entry with this `path` must name. */
export interface DialPath extends Omit<Net.IpcNetConnectOpts & Net.SocketConstructorOpts, 'fd' | 'handle'> {
  readonly path: string;
  readonly host?: never;
  readonly port?: never;
}

/** A guarded `net.connect`; see {@link createDial}. */
export interface Dial {
  (target: DialTarget | DialPath, onConnect?: () => void): Net.Socket;
  (port: number, host: string, onConnect?: () => void): Net.Socket;
  /**
   * A guarded `tls.connect`: connects to a judged address, with SNI and certificate checks on the
   * name that was asked for (or on `servername`, where it is given).
   */
  tls(target: TlsDialTarget, onSecureConnect?: () => void): Tls.TLSSocket;
  /**
   * A socket that is not connected, for clients that call `connect` themselves (pg, nodemailer):
   * its `connect` is guarded and works once. The rules are those in effect at this call; the time
   * for connecting begins with `connect`.
   */
  socket(options?: Omit<Net.SocketConstructorOpts, 'fd' | 'handle'>): Net.Socket;
}

/**
 * Makes a guarded `net.connect` for any protocol.
 *
 * - The socket is returned at once, like that of `net.connect`; a denial is its `error` event.
 * - A literal is judged before anything else, a name is resolved and every answer is judged; only
 *   allowed addresses are attempted, with Happy Eyeballs over them.
 * - The rules are those given, or those in effect when `dial` is called.
 * - Options that lead around the rules (`lookup`, `fd`, `handle`, `socket`) throw.
 * - The `path` of a Unix socket is denied unless an entry with this very `path` allows it.
 *
 * @throws {TypeError | RangeError} `ERR_NETJAIL_INVALID_OPTION` or `ERR_NETJAIL_INVALID_RULES` here,
 * `ERR_NETJAIL_INVALID_HOST` and `ERR_NETJAIL_INVALID_PORT` from the call, for malformed options.
 *
 * @example
 * ```ts
 * import { createDial, deniedError, Rules } from 'netjail';
 *
 * const dial = createDial({ rules: new Rules({ allow: ['public'] }) });
 * const socket = dial({ host: '127.0.0.1', port: 5432 });
 * socket.on('error', (error) => {
 *   console.log(deniedError(error)?.message); // Cannot connect to "127.0.0.1" port 5432: 127.0.0.1 is not allowed by any entry
 * });
 * ```
 */
export function createDial(options: DialOptions = {}): Dial {
  const { settings, rest } = readOptions(options);
  const { connect, connectTimeout, ...unknown } = rest;
  const other = Object.keys(unknown)[0];
  if (other !== undefined) throw invalidOption(other, 'there is no such option');
  if (connect !== undefined && typeof connect !== 'function') {
    throw invalidOption('connect', `it is a function, not ${show(connect)}`);
  }
  const timeout = readInteger('connectTimeout', connectTimeout, 1, 0, LONGEST_TIME);
  const open = (connect ?? net.connect) as (options: ConnectOptions) => Net.Socket;
  const guard = (): Guard => new Guard(settings.rules ?? currentRules(), settings);

  const dial = (...args: unknown[]): Net.Socket => {
    const { target, onReady } = readArguments(args);
    const socket = openSocket(
      guard(),
      target,
      open,
      net.connect as (options: ConnectOptions | PathOptions) => Net.Socket,
      false,
    );
    return ready(socket, 'connect', onReady, timeout);
  };
  dial.tls = (...args: unknown[]): Tls.TLSSocket => {
    if (connect !== undefined)
      throw invalidOption('connect', 'it opens plain sockets, and dial.tls cannot use it');
    const { target, onReady } = readArguments(args);
    const openTls = (given: ConnectOptions | PathOptions): Net.Socket => {
      // Node 26 throws on an address as the server name, and older ones send it.
      const host = (given['host'] as string | undefined) ?? '';
      const name = given['servername'] ?? (net.isIP(host) === 0 ? host : '');
      return tls.connect({ ...given, servername: name } as Tls.ConnectionOptions);
    };
    const socket = openSocket(guard(), target, openTls, openTls, true) as Tls.TLSSocket;
    return ready(socket, 'secureConnect', onReady, timeout);
  };
  dial.socket = (socketOptions: unknown = {}): Net.Socket => {
    if (!isRecord(socketOptions))
      throw invalidOption('socket', `its options are an object, not ${show(socketOptions)}`);
    const own = readOnce(socketOptions) as Record<string, unknown>;
    refuseOptions(own, AROUND_THE_GATE);
    return guardedSocket(guard(), own, timeout);
  };
  return Object.freeze(dial) as unknown as Dial;
}

function openSocket(
  guard: Guard,
  options: Record<string, unknown>,
  open: (options: ConnectOptions) => Net.Socket,
  openPlainly: (options: ConnectOptions | PathOptions) => Net.Socket,
  secure: boolean,
): Net.Socket {
  const { path } = options;
  if (path !== undefined && path !== null && path !== '')
    return openPath(guard, path, options, openPlainly, secure);
  const gate = new Gate(guard, readTarget(options['host'], options['port']));
  let pinned: ConnectOptions;
  try {
    pinned = gate.pin(options);
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    return lockSocket(openPlainly(failingOptions(error, options)));
  }
  const { signal } = options as { signal?: AbortSignal };
  if (signal?.aborted === true) gate.abandon();
  const socket: unknown = open(pinned);
  if (!(socket instanceof net.Socket)) {
    throw invalidOption('connect', `it returned ${show(socket)}, not a net.Socket`);
  }
  gate.watchClosely(socket);
  endIfAborted(socket, signal);
  // An own connect function may hand out a socket that is connected already.
  if (isConnected(socket)) gate.confirmPeer();
  return socket;
}

function openPath(
  guard: Guard,
  path: unknown,
  options: Record<string, unknown>,
  open: (options: ConnectOptions | PathOptions) => Net.Socket,
  secure: boolean,
): Net.Socket {
  let pinned: PathOptions;
  try {
    pinned = pinPath(guard, path, options, secure);
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    return lockSocket(open(failingOptions(error, options)));
  }
  const socket = lockSocket(open(pinned));
  endIfAborted(socket, options['signal']);
  return socket;
}

function readArguments(args: readonly unknown[]): {
  target: Record<string, unknown>;
  onReady: (() => void) | undefined;
} {
  const [first, second, third] = args;
  const byPort = typeof first === 'number' || typeof first === 'string';
  const onReady = byPort ? third : second;
  if (onReady !== undefined && typeof onReady !== 'function') {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot call ${show(onReady)} when connected: it is not a function`,
    );
  }
  if (byPort) return { target: { host: second, port: first }, onReady: onReady as (() => void) | undefined };
  if (!isRecord(first)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot dial ${show(first)}: a target is { host, port }`,
    );
  }
  const target = readOnce(first) as Record<string, unknown>;
  refuseOptions(
    target,
    AROUND_THE_GATE.filter((name) => name !== 'path'),
  );
  return { target, onReady: onReady as (() => void) | undefined };
}

function ready<S extends Net.Socket>(
  socket: S,
  event: string,
  onReady: (() => void) | undefined,
  timeout: number,
): S {
  if (isConnected(socket)) {
    // No event says so any more.
    if (onReady !== undefined) process.nextTick(() => socket.destroyed || onReady.call(socket));
    return socket;
  }
  if (onReady !== undefined) socket.once(event, onReady);
  limitConnecting(socket, event, timeout);
  return socket;
}

/** Whether a socket is connected already: one that an own `connect` function had at hand. */
function isConnected(socket: Net.Socket): boolean {
  return !socket.pending && !socket.destroyed;
}

export type { GuardSettings };
