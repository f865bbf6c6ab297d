import { currentRules } from '../context.ts';
import { DispatcherPools } from '../dispatcher-pools.ts';
import { invalidOption } from '../options.ts';
import type { FetchOptions } from './options.ts';
import { runtimeAgent, runtimeFetch } from './runtime-agent.ts';
import { tryOutFetch } from './trial.ts';

export { createDispatcher, type DispatcherMethods, type RuntimeDispatcher } from './dispatcher.ts';
export type { FetchOptions } from './options.ts';

/** A guarded `fetch`, and the end of its connections. */
export interface GuardedFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes the connections that no request uses; the others close when they are done. */
  closeIdleConnections(): void;
  /** Lets requests finish, then closes; new requests fail with `ERR_NETJAIL_CLOSED` as the cause. */
  close(): Promise<void>;
  /** Destroys every connection; requests in flight fail. */
  destroy(error?: Error | null): Promise<void>;
}

// At import, before anything else can put another dispatcher in its place.
const Agent = runtimeAgent();

/**
 * Makes a guarded copy of the built-in `fetch`.
 *
 * - The rules are those given, or those in effect when `fetch` is called; each rule set has
 *   connections of its own. Each hop of a redirect is judged.
 * - A denial rejects with `TypeError: fetch failed`, as every network failure; `deniedError(error)`
 *   finds the reason.
 * - `dispatcher` in `init` is refused, one inside a `Request` is not used.
 * - It is built on the Agent that the runtime's own fetch uses, so that the versions always fit: the
 *   runtime's, or that of an undici that was loaded before this module. Bun and Deno have another
 *   `fetch` that cannot be guarded this way: importing this module throws there.
 * - Where something has taken the place of `globalThis.fetch` before this module is imported (a mock,
 *   a wrapper, happy-dom), that is tried out before the first request: unless it uses the dispatcher that it
 *   is given, every request fails with `ERR_NETJAIL_UNSUPPORTED_RUNTIME`.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for options that are malformed or lead around
 * the rules.
 *
 * @example
 * ```ts
 * import { deniedError, Rules, withRules } from 'netjail';
 * import { createFetch } from 'netjail/fetch';
 *
 * const fetch = createFetch();
 * const rules = new Rules({ allow: ['public'] });
 * await withRules(rules, () => fetch('http://localhost:8080/')).catch((error) => {
 *   console.log(deniedError(error)?.code); // ERR_NETJAIL_DENIED
 * });
 * ```
 */
export function createFetch(options: FetchOptions = {}): GuardedFetch {
  const pools = new DispatcherPools(Agent, options);

  /** `init` with our dispatcher, each of its properties read once. */
  const readInit = (input: string | URL | Request, init: unknown): [typeof input, RequestInit] => {
    // Before anything is awaited: the rules are the caller's.
    const dispatcher = pools.dispatcherFor(pools.settings.rules ?? currentRules());
    if (init === undefined || init === null) return [input, { dispatcher } as RequestInit];
    // No object: let the runtime say so.
    if (typeof init !== 'object' && typeof init !== 'function')
      return [new Request(input, init as RequestInit), { dispatcher } as RequestInit];
    // Its own from the start: an accessor of a polluted prototype must not have ours instead.
    const own: Record<string, unknown> = {
      dispatcher: undefined,
      ...(isPlain(init) ? init : readMembers(init)),
    };
    if (own['dispatcher'] !== undefined) throw invalidOption('dispatcher', 'it would lead around the rules');
    own['dispatcher'] = dispatcher;
    return [input, own];
  };
  const guarded = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    try {
      const read = readInit(input, init);
      return tryOutFetch(Agent)?.then(() => runtimeFetch(...read)) ?? runtimeFetch(...read);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return Object.assign(guarded, {
    closeIdleConnections: () => pools.closeIdleConnections(),
    close: () => pools.close(),
    destroy: (error: Error | null = null) => pools.destroy(error),
  });
}

/** What the runtime reads of an init. */
const MEMBERS = [
  'body',
  'cache',
  'credentials',
  'dispatcher',
  'duplex',
  'headers',
  'integrity',
  'keepalive',
  'method',
  'mode',
  'priority',
  'redirect',
  'referrer',
  'referrerPolicy',
  'signal',
  'window',
];

/**
 * What an init says that has more than properties of its own (a Request, a class of the caller's). Not a
 * Request made of it: that would follow the signal only for as long as somebody has it.
 */
function readMembers(init: object): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const name of MEMBERS) {
    const value = (init as Record<string, unknown>)[name];
    if (value !== undefined) members[name] = value;
  }
  return members;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
