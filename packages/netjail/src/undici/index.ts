import { EventEmitter } from 'node:events';
import type { AgentClass } from '../agent-class.ts';
import { currentRules } from '../context.ts';
import { DispatcherPools } from '../dispatcher-pools.ts';
import { misuse } from '../errors.ts';
import { isRecord, readOnce, show } from '../internal/assert.ts';
import type { ConnectOption, GuardOptions } from '../options.ts';
import { EVENTS, type AgentLike, type AgentListener } from '../pooled-agent.ts';
import { bindHandler } from './handler.ts';

export type { AgentClass } from '../agent-class.ts';
export type { AgentLike } from '../pooled-agent.ts';

type Around = 'connect' | 'factory' | 'clientFactory' | 'interceptors' | 'socketPath';
type OptionsOf<C> = C extends new (options?: infer O) => unknown ? Omit<NonNullable<O>, Around> : never;

/** Options of {@link Dispatcher}: netjail's, the Agent class, and that class's own options. */
export type DispatcherOptions<C extends AgentClass> = GuardOptions & {
  /** undici's own `Agent` class (6, 7 or 8), never an instance. */
  readonly Agent: C;
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number | undefined;
  /**
   * Options for `net.connect` and `tls.connect` (`ca`, `cert`, `timeout`, ...); no function. With
   * `socketPath` every connection goes to this Unix socket or named pipe, if an entry names it, and
   * neither host nor port are judged.
   */
  readonly connect?: ConnectOption | undefined;
} & OptionsOf<C>;

/** What a {@link Dispatcher} has besides the methods of the Agent class. */
export interface GuardedDispatcher extends AgentLike {
  /** Closes the connections that no request uses; the others close when they are done. */
  closeIdleConnections(): void;
  /** Lets requests finish, then closes; new requests fail with `ERR_NETJAIL_CLOSED`. */
  close(): Promise<void>;
  /** Destroys every connection; requests in flight fail. */
  destroy(error?: Error | null): Promise<void>;
}

/**
 * A guarded undici dispatcher, for `undici.request`, `undici.fetch` and every client that takes one.
 *
 * - It takes undici's `Agent` class and its options and builds one agent for each rule set.
 *   Ready instances, `factory`, `interceptors` and a `connect` function are refused: connections
 *   could be made past the rules. The class is tried out with an `http:` and an `https:` origin: two requests
 *   to `probe.invalid` that never end, as diagnostics channels and OpenTelemetry (`ignoreRequestHook`) see it.
 * - The rules are those given, or those in effect when the request is dispatched; retries and
 *   redirects of interceptors that are composed around it run under the same rules.
 * - A denial rejects the request with the {@link DeniedError} itself (`fetch` has it as `cause`).
 * - It emits `connect`, `disconnect`, `connectionError` and `drain` as undici does; the dispatchers
 *   they name are this one alone.
 * - `maxRedirections` of undici 6 stays with the connections of before: where these are retired
 *   between two hops (`closeIdleConnections`, `maxPools`), the request fails. Interceptors do not.
 * - What a WebSocket or an EventSource may receive is as the options `webSocket` and `eventSource` say.
 * - Under one rule set another agent takes over when one was asked for 256 origins: `connections` and
 *   `maxOrigins` count for each.
 * - HTTP/2 only with `allowH2: true`. A hostile server can end a process by the HTTP/2 of undici 6 (GOAWAY
 *   with two streams open), and by that of undici 7 and 8 an upload from a stream that is aborted can freeze it
 *   (7.30.2 and 8.13.1, guarded or not). A WebSocket over HTTP/2 (undici 8) ends where its pool is retired: by
 *   `closeIdleConnections`, `maxPools`, and rules that are replaced.
 * - `connectTimeout` is 10,000 ms by default, as in undici,
 *   0 for no limit, 2,147,483,647 at most.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION`, or `ERR_NETJAIL_UNSUPPORTED_RUNTIME` when the
 * class does not use the connector that it is given (Bun's stand-in for undici).
 *
 * @example
 * ```ts
 * import { Agent, request } from 'undici';
 * import { Rules } from 'netjail';
 * import { Dispatcher } from 'netjail/undici';
 *
 * const dispatcher = new Dispatcher({ Agent, rules: new Rules({ allow: ['public'] }) });
 * await request('http://10.0.0.1/', { dispatcher }).catch((error) => {
 *   console.log(error.message); // Cannot connect to "10.0.0.1" port 80: 10.0.0.1 is not allowed by any entry
 * });
 * await dispatcher.close();
 * ```
 */
export const Dispatcher: new <C extends AgentClass>(
  options: DispatcherOptions<C>,
) => InstanceType<C> & GuardedDispatcher = class Dispatcher extends EventEmitter {
  // Own functions, not methods with private fields: undici's `compose` calls them on a Proxy.
  readonly dispatch: (options: object, handler: object) => boolean;
  readonly close: (callback?: () => void) => Promise<void> | undefined;
  readonly destroy: (error?: unknown, callback?: () => void) => Promise<void> | undefined;
  readonly closeIdleConnections: () => void;
  closed = false;
  destroyed = false;

  constructor(options: unknown) {
    super();
    if (!isRecord(options)) {
      throw misuse(
        TypeError,
        'ERR_NETJAIL_INVALID_ARGUMENT',
        `Cannot use ${show(options)} as options: they are an object`,
      );
    }
    const { Agent, ...rest } = readOnce(options) as { Agent?: AgentClass };
    const pools = new DispatcherPools(Agent as AgentClass, rest);
    relayEvents(pools, this);

    const { settings } = pools;
    this.dispatch = (request, handler) => {
      const given = settings.rules;
      if (given !== undefined) return pools.dispatch(given, request, handler);
      // Callbacks come from the socket's context, and a retry dispatches from them.
      const rules = currentRules();
      return pools.dispatch(rules, request, bindHandler(handler, rules));
    };
    this.closeIdleConnections = () => pools.closeIdleConnections();
    this.close = (callback) => {
      this.closed = true;
      return settle(pools.close(), callback);
    };
    this.destroy = (error, callback) => {
      this.closed = true;
      this.destroyed = true;
      const given = typeof error === 'function' ? (error as () => void) : callback;
      return settle(pools.destroy(error instanceof Error ? error : null), given);
    };
    Object.defineProperty(this, 'webSocketOptions', { value: pools.webSocketOptions });
    Object.defineProperty(this, 'eventSourceOptions', { value: pools.eventSourceOptions });
    if ('stats' in Agent!.prototype) Object.defineProperty(this, 'stats', { get: () => pools.stats });
    // The class's own request, stream, pipeline, connect, upgrade and compose use `this.dispatch`.
    for (const name of ['request', 'stream', 'pipeline', 'connect', 'upgrade', 'compose']) {
      const method = (Agent as { prototype: Record<string, unknown> }).prototype[name];
      if (typeof method === 'function') Object.defineProperty(this, name, { value: method });
    }
  }
} as never;

/** A {@link Dispatcher} of an Agent class. */
export type Dispatcher<C extends AgentClass = AgentClass> = InstanceType<C> & GuardedDispatcher;

/**
 * Lets the dispatcher emit what undici's agents do, from its first listener on: undici emits `drain`
 * after almost every request, and almost nobody waits for it.
 */
function relayEvents(pools: DispatcherPools, dispatcher: EventEmitter): void {
  let relayed = false;
  const relay: AgentListener = (name, origin, error) => {
    // The clients behind it would let requests pass that nobody has judged.
    if (error === undefined) dispatcher.emit(name, origin, [dispatcher]);
    else dispatcher.emit(name, origin, [dispatcher], error);
  };
  // Whatever adds a listener calls one of these.
  for (const method of ['on', 'addListener', 'prependListener'] as const) {
    const add = dispatcher[method];
    Object.defineProperty(dispatcher, method, {
      // As a method is: whoever instruments emitters replaces it.
      writable: true,
      configurable: true,
      value(this: EventEmitter, ...args: Parameters<typeof add>): EventEmitter {
        if (!relayed && EVENTS.includes(String(args[0]))) {
          relayed = true;
          pools.listen(relay);
        }
        return add.apply(this, args);
      },
    });
  }
}

function settle(done: Promise<void>, callback: (() => void) | undefined): Promise<void> | undefined {
  if (typeof callback !== 'function') return done;
  done.then(callback, callback);
  return undefined;
}
