import { probe, type AgentClass } from './agent-class.ts';
import { createConnector, DEFAULT_MAX_SESSIONS, type Connector } from './connector.ts';
import { hostOf, isForOrigin, NO_HOST, readRequest } from './dispatched-request.ts';
import { misuse } from './errors.ts';
import { Guard } from './guard.ts';
import { isRecord } from './internal/assert.ts';
import { AROUND_THE_CONNECTOR, readConnect, readProtocols, readSocketPath } from './dispatcher-options.ts';
import { Drains } from './drains.ts';
import {
  invalidOption,
  LONGEST_TIME,
  readInteger,
  readOptions,
  refuseOptions,
  type GuardSettings,
} from './options.ts';
import { DEFAULT_MAX_POOLS, Pools } from './pool.ts';
import {
  listen,
  PooledAgent,
  tolerateLateClose,
  type AgentLike,
  type AgentListener,
} from './pooled-agent.ts';
import { proxiedDenial } from './proxied.ts';
import type { Rules } from './rules.ts';

/** undici's own default. */
const CONNECT_TIMEOUT = 10_000;

/** One undici agent for each rule set, built here so that its connector is ours. */
export class DispatcherPools {
  readonly settings: GuardSettings;
  readonly #pools: Pools<PooledAgent>;
  readonly #build: (connector: Connector) => AgentLike;
  /** Never connected; has the settings that all agents have. */
  readonly #probed: AgentLike;
  /** Pools that serve no further request and still finish what they are doing. */
  readonly #retired = new Set<PooledAgent>();
  /** The Unix socket or named pipe of all connections, if there is one. */
  readonly #socketPath: string | undefined;
  /** The agent of the latest request, for as long as it may serve the next one under the same rules. */
  #usual: { readonly rules: Rules | undefined; readonly agent: AgentLike } | undefined;
  /** The dispatcher of the latest call of fetch: the next one often has the same rules. */
  #latest: { readonly rules: Rules | undefined; readonly dispatcher: AgentLike } | undefined;
  /** Who is told of what the agents emit, if there is anybody. */
  #onEvent: AgentListener | undefined;
  readonly #drains = new Drains();
  #closed = false;

  constructor(Agent: AgentClass, options: unknown) {
    const { settings, rest } = readOptions(options);
    const { maxPools, connect, ...clientOptions } = rest;
    this.settings = settings;
    refuseOptions(clientOptions, AROUND_THE_CONNECTOR);
    const h2Options = clientOptions['h2Options'];
    if (isRecord(h2Options) && h2Options['useH2c'] === true)
      throw invalidOption('h2Options.useH2c', 'it would replace the connector');
    const connectOptions = readConnect(connect);
    const {
      timeout: ofConnect,
      maxCachedSessions,
      socketPath,
      allowH2,
      preferH2,
      ...socketOptions
    } = connectOptions;
    const protocols = readProtocols(
      allowH2 ?? clientOptions['allowH2'] ?? false,
      preferH2 ?? clientOptions['preferH2'] ?? false,
    );
    const timeout = readInteger(
      'connectTimeout',
      ofConnect ?? clientOptions['connectTimeout'],
      0,
      CONNECT_TIMEOUT,
      LONGEST_TIME,
    );
    const maxSessions = readInteger(
      'maxCachedSessions',
      maxCachedSessions ?? clientOptions['maxCachedSessions'],
      0,
      DEFAULT_MAX_SESSIONS,
    );
    this.#socketPath = readSocketPath(socketPath);
    const family = {
      autoSelectFamily: clientOptions['autoSelectFamily'],
      autoSelectFamilyAttemptTimeout: clientOptions['autoSelectFamilyAttemptTimeout'],
    };
    for (const [name, value] of Object.entries(family)) {
      if (value !== undefined && socketOptions[name] === undefined) socketOptions[name] = value;
    }

    const { resolver, answers, mode } = settings;
    const ofConnections = { rules: undefined, givenRules: false, resolver, answers, mode, forUndici: true };
    // undici 8 sends one connection ahead where there may be HTTP/2, and lets all else wait for it.
    const own: Record<string, unknown> = { ...clientOptions, allowH2: protocols.length > 1 };
    this.#build = (connector) => new Agent({ ...own, connect: connector } as never);
    this.#pools = new Pools(
      readInteger('maxPools', maxPools, 1, DEFAULT_MAX_POOLS),
      (rules) => {
        const guard = new Guard(rules, ofConnections);
        const connector = createConnector(guard, {
          options: socketOptions,
          protocols,
          timeout,
          maxSessions,
          socketPath: this.#socketPath,
          onCrowded: () => (this.#usual = undefined),
        });
        const agent = this.#build(connector.connect);
        // Only a pool of a limited number of clients has a queue.
        if (own['connections'] !== undefined) tolerateLateClose(agent);
        if (this.#onEvent !== undefined) listen(agent, this.#onEvent);
        return new PooledAgent(agent, connector);
      },
      (pool) => this.#retire(pool),
    );
    this.#probed = probe(Agent, this.#build);
  }

  /**
   * What undici asks a dispatcher of a WebSocket and of an EventSource, of which it does not ask the agents
   * behind: without an answer undici 6 and 7 take messages of any length.
   */
  get webSocketOptions(): unknown {
    return this.#probed.webSocketOptions;
  }

  get eventSourceOptions(): unknown {
    return this.#probed.eventSourceOptions;
  }

  /** The connections and requests of all rule sets by origin, as undici counts them. */
  get stats(): Record<string, Record<string, number | boolean>> {
    const total: Record<string, Record<string, number | boolean>> = {};
    // A retired agent has none: undici's forgets its clients when it is closed.
    for (const { agent } of this.#pools) {
      for (const [origin, counts] of Object.entries((agent.stats ?? {}) as typeof total)) {
        const sums = (total[origin] ??= {});
        for (const [name, count] of Object.entries(counts)) {
          // Of one connection it says whether it is there.
          const sum = sums[name] ?? 0;
          sums[name] = typeof count === 'number' ? Number(sum) + count : count || sum === true;
        }
      }
    }
    return total;
  }

  /** Tells `onEvent` of all that the agents emit from now on, those that are there and those to come. */
  listen(onEvent: AgentListener): void {
    this.#onEvent = onEvent;
    for (const { agent } of [...this.#pools, ...this.#retired]) listen(agent, onEvent);
  }

  /** Sends a request under the rules: by their own agent, or to its failure. */
  dispatch(rules: Rules | undefined, options: object, handler: object): boolean {
    // Read once: a path that is judged here must not be another one for the agent.
    const request = isRecord(options) ? readRequest(options) : {};
    const agent = this.#agentFor(rules, request);
    const goesOn = agent.dispatch(request, handler);
    if (!goesOn) this.#drains.await(agent, request['origin']);
    return goesOn;
  }

  /**
   * A dispatcher for calls of the runtime's own fetch under these rules. It asks for their agent with
   * each request, since the hops of a redirect come later, when an agent of before may have been
   * retired. The requests are fetch's own objects, so they are not copied.
   */
  dispatcherFor(rules: Rules | undefined): AgentLike {
    if (this.#latest === undefined || this.#latest.rules !== rules) {
      const dispatcher: AgentLike = {
        dispatch: (options, handler) =>
          this.#agentFor(rules, options as Record<string, unknown>).dispatch(options, handler),
        close: () => this.close(),
        destroy: (error) => this.destroy(error),
      };
      this.#latest = { rules, dispatcher };
    }
    return this.#latest.dispatcher;
  }

  /** The agent that may serve a request under these rules; one that refuses where none may. */
  #agentFor(rules: Rules | undefined, request: Record<string, unknown>): AgentLike {
    const usual = this.#usual;
    if (usual !== undefined && usual.rules === rules && isForOrigin(request)) return usual.agent;
    return this.#choose(rules, request);
  }

  /** The same by all that there is to ask, where the agent of the request before will not do. */
  #choose(rules: Rules | undefined, request: Record<string, unknown>): AgentLike {
    if (this.#closed || !isForOrigin(request)) {
      const error = this.#refusal(rules, request);
      if (error !== undefined) return this.#refusing(error);
    }
    const found = this.#pools.for(rules);
    const { agent } = found.crowded ? this.#pools.renew(rules) : found;
    this.#usual = { rules, agent };
    return agent;
  }

  closeIdleConnections(): void {
    for (const pool of this.#pools.clear()) this.#retire(pool);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const pool of this.#pools.clear()) this.#retire(pool);
    await Promise.all(Array.from(this.#retired, (pool) => pool.close()));
  }

  async destroy(error: Error | null = null): Promise<void> {
    this.#closed = true;
    this.#usual = undefined;
    for (const pool of this.#pools.clear()) this.#retired.add(pool);
    await Promise.all(Array.from(this.#retired, (pool) => pool.destroy(error)));
  }

  /** Lets a pool finish what it is doing. */
  #retire(pool: PooledAgent): void {
    this.#usual = undefined;
    this.#retired.add(pool);
    // Later, as an event comes: whoever retires it may be about to dispatch.
    for (const origin of this.#drains.of(pool.agent))
      queueMicrotask(() => this.#onEvent?.('drain', new URL(origin), undefined));
    // Sockets that were upgraded belong to their users, and are ended when the dispatcher is destroyed.
    pool.close().then(() => pool.onceEmpty(() => this.#retired.delete(pool)));
  }

  /** Why a request may not be sent, if it is so: for one that is for somebody else, and when closed. */
  #refusal(rules: Rules | undefined, { method, path, origin }: Record<string, unknown>): Error | undefined {
    if (this.#closed)
      return misuse(Error, 'ERR_NETJAIL_CLOSED', 'Cannot send the request: the dispatcher is closed');
    // The connection judges the host of the origin, but not when it goes to a path.
    const own = this.#socketPath === undefined ? hostOf(origin) : NO_HOST;
    const guard = new Guard(rules, this.settings);
    return proxiedDenial(
      guard,
      typeof method === 'string' ? method : undefined,
      typeof path === 'string' ? path : undefined,
      own,
    );
  }

  /** An agent for one request that fails through the client's own channel. */
  #refusing(error: Error): AgentLike {
    const agent = this.#build((_target, callback) => {
      queueMicrotask(() => callback(error, null));
      return undefined;
    });
    return {
      dispatch: (options, handler) => {
        const sent = agent.dispatch(options, handler);
        agent.close().catch(() => {});
        return sent;
      },
      close: () => agent.close(),
      destroy: (reason) => agent.destroy(reason),
    };
  }
}
