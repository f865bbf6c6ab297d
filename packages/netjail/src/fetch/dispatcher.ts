import { currentRules } from '../context.ts';
import { DispatcherPools } from '../dispatcher-pools.ts';
import type { FetchOptions } from './options.ts';
import { runtimeAgent } from './runtime-agent.ts';

/** What the types of the runtime call a dispatcher, where they know one. */
type OfRuntime = RequestInit extends { readonly dispatcher?: infer D } ? NonNullable<D> : unknown;

/**
 * A dispatcher for the undici inside the runtime, under one rule set. To be given to `WebSocket` and
 * `EventSource` it has the runtime's type; of that only the methods of {@link DispatcherMethods}
 * are there.
 */
export type RuntimeDispatcher = DispatcherMethods & OfRuntime;

export interface DispatcherMethods {
  /** Called by the runtime for each connection. */
  dispatch(options: object, handler: object): boolean;
  /** Closes the connections that no request uses; the others close when they are done. */
  closeIdleConnections(): void;
  /** Lets requests finish, then closes; new requests fail with `ERR_NETJAIL_CLOSED`. */
  close(): Promise<void>;
  /** Destroys every connection. */
  destroy(error?: Error | null): Promise<void>;
  /** Read by the runtime: how large messages may be (options `webSocket` and `eventSource`). */
  readonly webSocketOptions: unknown;
  readonly eventSourceOptions: unknown;
}

// At import, as in index.ts.
const Agent = runtimeAgent();

/**
 * Makes a dispatcher for the runtime's own `WebSocket` and `EventSource` (Node 22 and later).
 *
 * - The rules are those given, or those in effect **at this call**: an EventSource connects again
 *   later, from somebody else's context. With none in effect everything is denied.
 * - Write `{ dispatcher }`. Node 22 ignores the `{ node: { dispatcher } }` that later versions of
 *   EventSource take too, and connects unguarded.
 * - A denial is an `error` event without its reason, as every network failure is there; the reason
 *   is published on `netjail:verdict`.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for options that are malformed or lead around
 * the rules.
 *
 * @example
 * ```ts
 * import { Rules } from 'netjail';
 * import { createDispatcher } from 'netjail/fetch';
 *
 * const dispatcher = createDispatcher({ rules: new Rules({ allow: ['public'] }) });
 * if (typeof WebSocket === 'function') {
 *   new WebSocket('ws://127.0.0.1:8080/', { dispatcher }); // an error event
 * }
 * console.log(typeof dispatcher.dispatch); // function
 * ```
 */
export function createDispatcher(options: FetchOptions = {}): RuntimeDispatcher {
  const pools = new DispatcherPools(Agent, options);
  const atThisCall = currentRules();
  const methods: DispatcherMethods = {
    dispatch: (request, handler) => pools.dispatch(pools.settings.rules ?? atThisCall, request, handler),
    closeIdleConnections: () => pools.closeIdleConnections(),
    close: () => pools.close(),
    destroy: (error = null) => pools.destroy(error),
    webSocketOptions: pools.webSocketOptions,
    eventSourceOptions: pools.eventSourceOptions,
  };
  return Object.freeze(methods) as RuntimeDispatcher;
}
