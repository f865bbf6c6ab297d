import type { LookupFunction, Socket } from 'node:net';
import {
  AN_OPTION,
  closeOptions,
  familyOf,
  isPolluted,
  READ_BY_NET,
  tellLater,
  type ConnectOptions,
  type PathOptions,
} from './connect-options.ts';
import { misuse } from './errors.ts';
import type { Guard, JudgedAddress } from './guard.ts';
import { quote, show } from './internal/assert.ts';
import { LookUp } from './resolver.ts';
import type { Target } from './target.ts';

type GatedSocket = Socket & { blockList?: { check(address: string): boolean } };

/**
 * Node 22.13 and later ask a socket's `blockList` right before connect(2) and take a veto. Before,
 * Node only tells: the event `connectionAttempt` has the address that connect(2) is about to get.
 */
const ASKS_FIRST = ((): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13);
})();

/**
 * Whether the runtime has shown in this process that it names the literal it connects to: until
 * then, and for ever where it does not (Bun, Deno), the address of the connected socket is judged.
 * For a name it is looked at each time: Node has more than one way to connect to its addresses.
 */
let namesLiterals = false;

/**
 * The gate of one connection, from its options to its first byte.
 *
 * `pin` makes options that lead to judged addresses only; `watch` judges the address that the socket
 * really uses: the one that Node is about to give to connect(2) and, where the runtime did not say
 * or the socket is not ours alone, the one that it is connected to, before anything is written.
 */
export class Gate {
  readonly #guard: Guard;
  readonly #target: Target;
  #socket: GatedSocket | undefined;
  /** All look-ups of the connection: Node makes one. */
  readonly #lookUp = new LookUp();
  /** The literal that was judged, as it goes to connect(2). */
  #admitted: string | undefined;
  /** The first address that the name may be connected to, as it was judged. */
  #answered: string | undefined;
  /** Whether the runtime named an address before it connected to it. */
  #asked = false;
  /** The denial that ended the connection: no further address is tried. */
  #vetoed: Error | undefined;

  constructor(guard: Guard, target: Target) {
    this.#guard = guard;
    this.#target = target;
  }

  /**
   * Judges what can be judged without a look-up, and turns these options, which must be a copy of
   * nobody else's, into those of the connection. An allowed literal is given as its canonical text,
   * which Node connects to as it is; a name keeps its name, and its `lookup` answers judged addresses.
   *
   * @throws {DeniedError}
   */
  pin(options: Record<string, unknown>): ConnectOptions {
    const where = this.#admit();
    closeOptions(options);
    return Object.assign(options, where);
  }

  /**
   * As {@link pin}, for `net.connect`: new options, with only those of the given ones that it reads. Node
   * copies and searches them for each socket, and a request has thirty others.
   */
  pinForNet(
    options: Readonly<Record<string, unknown>>,
    names: readonly string[] = READ_BY_NET,
  ): ConnectOptions {
    const { host, port, lookup } = this.#admit();
    const { keepAlive, keepAliveInitialDelay, noDelay, highWaterMark, allowHalfOpen } = options;
    // What an agent or a connector always says is written out: options that are added one by one take as long
    // as all of this.
    const pinned: Record<string, unknown> = {
      host,
      port,
      lookup,
      keepAlive,
      keepAliveInitialDelay,
      noDelay,
      highWaterMark,
      // What a socket sets in its copy of these, whatever they say here. Where they are missing Node 20 makes a
      // new hidden class for each copy, and all that reads it misses its inline cache.
      allowHalfOpen,
      emitClose: false,
      autoDestroy: true,
      decodeStrings: false,
    };
    for (const name of names) {
      const value = options[name];
      if (value === undefined) continue;
      // A setter of a polluted prototype would have it instead, and these options to write to.
      if (name in pinned) Object.defineProperty(pinned, name, { ...AN_OPTION, value });
      else pinned[name] = value;
    }
    if (isPolluted()) {
      closeOptions(pinned);
      Object.defineProperty(pinned, 'lookup', { ...AN_OPTION, value: lookup });
    }
    return pinned as ConnectOptions;
  }

  #admit(): ConnectOptions {
    const { host, port } = this.#target;
    const admitted = (this.#admitted = this.#guard.admit(this.#target));
    return admitted === undefined
      ? { host, port, lookup: this.#lookup() }
      : { host: admitted, port, lookup: lookUpNothing };
  }

  /** Puts the last gates on the socket that these options opened; it cannot connect a second time. */
  watch<S extends Socket>(socket: S): S {
    const gated: GatedSocket = socket;
    this.#socket = gated;
    // Listeners of this gate's own: a connect function may hand the same socket to two dials, and both judge it.
    if (ASKS_FIRST) gated.blockList = this;
    else gated.on('connectionAttempt', (address) => this.#attempt(address));
    const literal = this.#admitted !== undefined;
    if (!literal || !namesLiterals) {
      gated.prependListener('connect', () => {
        if (!this.#asked) this.confirmPeer();
        else if (literal) namesLiterals = true;
      });
    }
    if (!literal) this.#lookUp.endWith(gated);
    return lockSocket(socket);
  }

  /**
   * The gates of a socket that its owner handles itself: the address it is connected to is judged
   * always.
   */
  watchClosely<S extends Socket>(socket: S): S {
    this.watch(socket);
    return socket.prependListener('connect', () => this.confirmPeer());
  }

  /** Node asks this about each address that it is about to connect to: true is a veto. */
  check(address: string | undefined): boolean {
    this.#asked = true;
    if (this.#vetoed !== undefined) return true;
    const error = (this.#vetoed = this.#denial(address));
    if (error === undefined) return false;
    // Node is in the middle of its addresses and must find the socket as it was. It goes on to the next
    // one, each is vetoed, and then it destroys the socket with an error of its own.
    const socket = this.#socket!;
    const destroy = (): Socket => {
      delete (socket as Partial<Socket>).destroy;
      return socket.destroy(error);
    };
    socket.destroy = destroy;
    process.nextTick(destroy);
    return true;
  }

  /** Too late for a veto: connect(2) follows this event. The socket ends before it is connected. */
  #attempt(address: string): void {
    this.#asked = true;
    const error = this.#denial(address);
    if (error !== undefined) process.nextTick(() => this.#socket!.destroy(error));
  }

  /** Judges the address that the socket is connected to. */
  confirmPeer(): void {
    const socket = this.#socket!;
    if (socket.destroyed) return;
    const { remoteAddress } = socket;
    // An end of one's own but no other: the peer reset the connection already, and there is nothing to
    // talk to. Without either it is no connection to an address.
    const reset = remoteAddress === undefined && socket.localAddress !== undefined;
    // Its address was judged before it was connected to, nothing can be sent any more, and Node tells of
    // the reset itself: later, when the owner of the socket listens.
    if (reset && this.#asked) return;
    const error = reset ? gone(this.#target) : this.#denial(remoteAddress);
    if (error !== undefined) socket.destroy(error);
  }

  #denial(address: string | undefined): Error | undefined {
    if (address !== undefined && (address === this.#admitted || address === this.#answered)) return undefined;
    try {
      this.#guard.confirm(address, this.#target);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** Gives the look-up up, now and later. */
  abandon(): void {
    this.#lookUp.abandon();
  }

  /** Node's look-up hook: calls back later, once, with fresh answers, never with none. */
  #lookup(): LookupFunction {
    return (_host, options = {}, callback) => void this.#answer(options, callback);
  }

  async #answer(
    { all, family: wanted, hints }: Parameters<LookupFunction>[1],
    callback: Parameters<LookupFunction>[2],
  ): Promise<void> {
    try {
      const family = familyOf(wanted);
      const answers = await this.#guard.ask(this.#target, family, this.#lookUp, hints);
      const addresses = this.#guard.judgeAnswers(answers, this.#target, family);
      const [{ address, family: its }] = addresses as [JudgedAddress];
      this.#answered = address;
      if (all === true) process.nextTick(callback, null, addresses);
      else process.nextTick(callback, null, address, its);
    } catch (error) {
      tellLater(callback, this.#guard.failureOf(error));
    } finally {
      this.#lookUp.finish();
    }
  }
}

/**
 * Turns options, which must be a copy of nobody else's, into those of a connection to a Unix socket
 * or named pipe, as far as the rules name it. There is no address behind it that could be judged.
 *
 * @throws {DeniedError}
 */
export function pinPath(
  guard: Guard,
  path: unknown,
  options: Record<string, unknown>,
  secure: boolean,
): PathOptions {
  if (typeof path !== 'string') throw guard.refuse('path-not-allowed', show(path), undefined);
  guard.admitPath(path);
  closeOptions(options);
  // With TLS the certificate is checked against the host; without a host, against "localhost".
  if (!secure) options['host'] = undefined;
  options['port'] = undefined;
  options['path'] = path;
  return options as PathOptions;
}

/** The look-up of an address literal, which has none: Node must not find another address for it. */
const lookUpNothing: LookupFunction = (host, _options, callback) => {
  const error = new Error(`netjail: unreachable look-up of the address ${quote(String(host))}`);
  tellLater(callback, error);
};

/** Node says of a signal that it was aborted before, and connects all the same where there is nothing to look up. */
export function endIfAborted(socket: Socket, signal: unknown): void {
  if ((signal as AbortSignal | undefined)?.aborted === true) socket.once('connect', () => socket.destroy());
}

/** Destroys a socket that is not ready (`event`) within so many milliseconds; 0 for no limit. */
export function limitConnecting(socket: Socket, event: string, timeout: number): void {
  if (timeout === 0) return;
  const timer = setTimeout(() => {
    // Whoever owns it may have taken the listeners off that would have ended this.
    const { pending, secureConnecting } = socket as Socket & { secureConnecting?: boolean };
    if (event === 'connect' ? !pending : secureConnecting === false) return;
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
