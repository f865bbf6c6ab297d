import dns from 'node:dns';
import type { Socket } from 'node:net';
import { isError } from './errors.ts';

/** What a resolver is told besides the name. */
export interface ResolverOptions {
  /** 4 or 6 where the caller wants one family only; 0 for both. A hint: answers are filtered. */
  readonly family: 0 | 4 | 6;
  /**
   * What the caller wants of `dns.lookup`, as its option `hints`; Node mostly asks for `ADDRCONFIG`. With
   * `V4MAPPED` nothing more is found: a mapped address is judged and dialled as the IPv4 address it is.
   */
  readonly hints: number;
  /**
   * Aborted when nobody waits for the answer any more. Made when it is read, and not an own property:
   * name it (`{ signal: options.signal }`), since `{ ...options }` does not have it.
   */
  readonly signal: AbortSignal;
}

/** One look-up as whoever waits for it has it: it can be given up. */
export class LookUp {
  #abandoned = false;
  #controller: AbortController | undefined;
  #socket: Socket | undefined;

  get abandoned(): boolean {
    return this.#abandoned || this.#socket?.destroyed === true;
  }

  /** Made when it is asked for: it takes longer than all else, and most resolvers cannot heed it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#listen();
    }
    if (this.abandoned) this.#controller.abort();
    return this.#controller.signal;
  }

  /** It is given up when this socket closes. */
  endWith(socket: Socket): void {
    this.#socket = socket;
    if (this.#controller !== undefined) this.#listen();
  }

  abandon(): void {
    this.#abandoned = true;
    this.#controller?.abort();
  }

  /**
   * The answer is there: giving up what came of it later is not the resolver's business, and a resolver that
   * keeps what it was told keeps no socket.
   */
  finish(): void {
    this.#controller = undefined;
    this.#socket = undefined;
  }

  #listen(): void {
    this.#socket?.once('close', () => this.abandon());
  }
}

/** What the resolver is told of a look-up: not how to give it up. */
export class AskedFor implements ResolverOptions {
  readonly family: 0 | 4 | 6;
  readonly hints: number;
  readonly #lookUp: LookUp;

  constructor(family: 0 | 4 | 6, hints: number, lookUp: LookUp) {
    this.family = family;
    this.hints = hints;
    this.#lookUp = lookUp;
  }

  // A method of the class: an accessor in an object literal takes as long as a whole look-up.
  get signal(): AbortSignal {
    return this.#lookUp.signal;
  }
}

/**
 * Finds the addresses of a name. The answers are not trusted: each is parsed and judged, and what
 * is not an address is denied.
 */
export type Resolver = (host: string, options: ResolverOptions) => Promise<readonly string[]>;

/**
 * By these codes undici tells events of a connection that it has, and connects again, without end: a
 * resolver has them when it asks by undici, or over TLS.
 */
const NOT_OF_A_LOOK_UP = new Set<unknown>(['UND_ERR_INFO', 'UND_ERR_SOCKET', 'ERR_TLS_CERT_ALTNAME_INVALID']);

/**
 * The failure of a look-up as it is told: no error, as a resolver may throw, must not look like success.
 * `forUndici`: one that undici takes for what it is, whatever the resolver's own was.
 */
export function failureOf(error: unknown, forUndici = false): Error {
  if (isError(error) && !(forUndici && NOT_OF_A_LOOK_UP.has(codeOf(error)))) return error;
  return new Error('Cannot resolve: the resolver failed', { cause: error });
}

/** An error whose code cannot be read is not to be handed on: others would read it as well. */
function codeOf(error: Error): unknown {
  try {
    return (error as { code?: unknown }).code;
  } catch {
    return 'UND_ERR_INFO';
  }
}

/** The operating system's resolver (`dns.lookup`). getaddrinfo cannot be aborted, only ignored. */
export const systemResolver: Resolver = (host, { family, hints }) =>
  new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, family, hints }, (error, answers) => {
      if (error) return reject(error);
      try {
        resolve(answers.map((answer) => answer.address));
      } catch (cause) {
        // One that somebody has patched may answer anything: that fails this look-up only.
        reject(new Error('Cannot resolve: dns.lookup answered no list of addresses', { cause }));
      }
    });
  });
