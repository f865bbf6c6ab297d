import { types } from 'node:util';
import { isRecord, quote, readOnce, show } from './internal/assert.ts';
import { explainDenial, isDenial, type Denial, type Reason } from './verdict.ts';

/** The codes of the errors that netjail itself creates. */
export type ErrorCode =
  | 'ERR_NETJAIL_DENIED'
  | 'ERR_NETJAIL_INVALID_ADDRESS'
  | 'ERR_NETJAIL_INVALID_PREFIX'
  | 'ERR_NETJAIL_INVALID_ENTRY'
  | 'ERR_NETJAIL_INVALID_RULES'
  | 'ERR_NETJAIL_INVALID_POLICY'
  | 'ERR_NETJAIL_INVALID_HOST'
  | 'ERR_NETJAIL_INVALID_PORT'
  | 'ERR_NETJAIL_INVALID_OPTION'
  | 'ERR_NETJAIL_INVALID_ARGUMENT'
  | 'ERR_NETJAIL_TIMEOUT'
  | 'ERR_NETJAIL_CLOSED'
  | 'ERR_NETJAIL_SOCKET_USED'
  | 'ERR_NETJAIL_UNSUPPORTED_RUNTIME';

const BRAND = Symbol.for('netjail.DeniedError');

/** Whether this module runs in a context of its own (jest, vm): functions of Node are of another realm then. */
const IN_OWN_REALM: boolean = Object.getPrototypeOf(types.isNativeError) !== Function.prototype;

/** At most this many denials are spelled out in a message; the rest are counted. */
const MAX_SPELLED_OUT = 4;

/** What a {@link DeniedError} is made of. */
export interface DeniedErrorInit {
  readonly host: string;
  readonly port?: number | undefined;
  readonly denials: readonly Denial[];
}

/**
 * A connection that the rules refused.
 *
 * It reaches the caller through the client's own channel (rejection, callback, `error` event);
 * clients wrap it, so look for it with {@link deniedError}. It holds facts only: no rules object,
 * no request, no headers. Trying again without other rules gives the same answer, so `retryable`
 * is `false`. The message names addresses of your network: log it, do not show it to the user who
 * sent the URL.
 *
 * @example
 * ```ts
 * import { deniedError } from 'netjail';
 *
 * const error = deniedError(new TypeError('fetch failed'));
 * console.log(error === undefined); // true: this failure is not a denial
 * ```
 */
export class DeniedError extends Error {
  readonly code: 'ERR_NETJAIL_DENIED';
  /** What the caller asked for: a name or an address literal. */
  readonly host: string;
  /** The port asked for, or `undefined` where there is none (a path). */
  readonly port: number | undefined;
  /** One for each address (or the name) that was denied, at least one. */
  readonly denials: readonly Denial[];
  /** The reason of the first denial. */
  readonly reason: Reason;
  readonly retryable: false;

  /** @throws {TypeError} `ERR_NETJAIL_INVALID_ARGUMENT` when there is no denial, or something else is malformed. */
  constructor(init: DeniedErrorInit) {
    const { host, port, denials } = readInit(init);
    super(describe(host, port, denials));
    this.code = 'ERR_NETJAIL_DENIED';
    this.host = host;
    this.port = port;
    this.denials = denials;
    this.reason = denials[0].reason;
    this.retryable = false;
    knownToFetch(this);
  }

  static {
    // On the prototype, so that printing the error stays short.
    Object.defineProperty(this.prototype, 'name', {
      value: 'DeniedError',
      configurable: true,
      writable: true,
    });
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
}

/** Node's fetch keeps an error as a cause that it knows by its class, or by the name of its constructor. */
function knownToFetch<E extends Error>(error: E): E {
  if (IN_OWN_REALM) Object.defineProperty(error, 'constructor', { value: Error, enumerable: false });
  return error;
}

interface Facts {
  readonly host: string;
  readonly port: number | undefined;
  readonly denials: readonly [Denial, ...Denial[]];
}

function readInit(init: unknown): Facts {
  const refuse = (reason: string): never => {
    throw misuse(TypeError, 'ERR_NETJAIL_INVALID_ARGUMENT', `Cannot create a DeniedError: ${reason}`);
  };
  if (!isRecord(init)) return refuse(`${show(init)} is no object with host, port and denials`);
  const { host, port, denials } = readOnce(init);
  if (typeof host !== 'string') return refuse(`its host is a string, not ${show(host)}`);
  if (port !== undefined && !(typeof port === 'number' && Number.isInteger(port)))
    return refuse(`its port is a number, not ${show(port)}`);
  if (!Array.isArray(denials)) return refuse(`its denials are an array, not ${show(denials)}`);
  const all: readonly unknown[] = [...(denials as unknown[])];
  const valid = all.filter(isDenial);
  if (valid.length < all.length) return refuse('each denial is a negative verdict');
  const [first, ...others] = valid;
  if (first === undefined) return refuse('it has no denial');
  return { host, port, denials: Object.freeze([first, ...others] as const) };
}

function describe(host: string, port: number | undefined, denials: readonly Denial[]): string {
  const target = port === undefined ? quote(host) : `${quote(host)} port ${port}`;
  const clauses = denials.slice(0, MAX_SPELLED_OUT).map(explainDenial);
  const rest = denials.length - clauses.length;
  if (rest > 0) clauses.push(`${rest} more`);
  return `Cannot connect to ${target}: ${clauses.join('; ')}`;
}

/**
 * Finds the {@link DeniedError} behind an error: the error itself, or one inside its `cause`, the `errors`
 * of an AggregateError, or the properties in which Sequelize, mssql, Stripe, mongoose and socket.io keep
 * what they were told, at any depth.
 *
 * Returns `undefined` when there is none, for any value at all. An error of another installed
 * copy of netjail is found too. Cycles and getters that throw are no harm. It looks at 10,000 values at
 * most, the nearest ones.
 *
 * @example
 * ```ts
 * import { deniedError, Rules } from 'netjail';
 * import { createFetch } from 'netjail/fetch';
 *
 * const fetch = createFetch({ rules: new Rules({ allow: ['public'] }) });
 * try {
 *   await fetch('http://169.254.169.254/latest/meta-data/');
 * } catch (error) {
 *   console.log(deniedError(error)?.reason); // not-allowed
 * }
 * ```
 */
export function deniedError(error: unknown): DeniedError | undefined {
  // A set is walked in the order of its values, those that come while it is walked too.
  const found = new Set<unknown>([error]);
  let left = MAX_SEARCHED;
  for (const current of found) {
    if (typeof current !== 'object' || current === null) continue;
    if (read(current, BRAND) === true) return current as DeniedError;
    for (const key of KEPT_AS) {
      if (left <= 0) break;
      const value = read(current, key);
      if (typeof value !== 'object' || value === null) continue;
      found.add(value);
      left--;
    }
    const errors = read(current, 'errors');
    for (let i = 0, length = lengthOf(errors); i < length && left > 0; i++, left--) {
      found.add(read(errors as unknown[], i));
    }
    // Of mongoose: by the names of the servers.
    const servers = read(current, 'servers');
    if (!types.isMap(servers)) continue;
    for (const server of Map.prototype.values.call(servers)) {
      if (left-- <= 0) break;
      found.add(server);
    }
  }
  return undefined;
}

/** Where an error may have another one: by the language, and as clients do it. */
const KEPT_AS: readonly string[] = [
  'cause',
  'original', // Sequelize
  'originalError', // mssql
  'detail', // Stripe
  'reason', // mongoose
  'error', // mongoose, and an ErrorEvent
  'description', // socket.io, an ErrorEvent
  'context', // socket.io, an XMLHttpRequest
  'statusText', // what that has of it
];

/** More than any failure has: a getter may answer another object each time it is asked, without end. */
const MAX_SEARCHED = 10_000;

function read(object: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

/** Of an array, else 0. */
function lengthOf(errors: unknown): number {
  try {
    return Array.isArray(errors) ? errors.length : 0;
  } catch {
    return 0; // A proxy: even to ask whether it is an array may throw.
  }
}

/** A built-in error with one of our codes: what misuse of the library throws. */
export type CodedError<E extends Error = Error> = E & { readonly code: ErrorCode };

export function misuse<E extends Error>(
  type: new (message: string) => E,
  code: ErrorCode,
  message: string,
): CodedError<E> {
  const error = new type(message);
  Object.defineProperty(error, 'code', { value: code, enumerable: true, configurable: true, writable: true });
  return knownToFetch(error) as CodedError<E>;
}

/**
 * Whether a value is an error that can be read, as whoever is told of it does. What a resolver throws may be
 * anything: a proxy, or an accessor, that throws when asked.
 */
export function isError(value: unknown): value is Error {
  try {
    // Those of Node's own modules are of another realm in a vm context (jest).
    if (!(value instanceof Error) && !types.isNativeError(value)) return false;
    const { message, stack } = value;
    return message !== undefined || stack !== undefined;
  } catch {
    return false;
  }
}
