import type * as Http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { endIfAborted, Gate, lockSocket, pinPath } from '../connect.ts';
import {
  AROUND_THE_GATE,
  failingOptions,
  type ConnectOptions,
  type PathOptions,
} from '../connect-options.ts';
import { currentRules, underRulesOfCall } from '../context.ts';
import { misuse } from '../errors.ts';
import { Guard } from '../guard.ts';
import { isRecord, readOnce } from '../internal/assert.ts';
import { readInteger, readOptions, refuseOptions, type GuardSettings } from '../options.ts';
import { DEFAULT_MAX_POOLS, Pools } from '../pool.ts';
import { namesAnotherTarget, proxiedDenial } from '../proxied.ts';
import { containsScopes } from '../rules.ts';
import { readTarget } from '../target.ts';
import { callWhenOpen, closed, endForeign, failRequest, type Created } from './outcome.ts';
import { Pass, PASS, RulesPool } from './pass.ts';
import { Places } from './places.ts';
import { isGiven, leadsAround, readDirect, REFUSED_IN_REQUEST, type Options } from './request-options.ts';

type Open = (options: ConnectOptions | PathOptions) => unknown;
/** What a class on ours may have of its own. */
type Overridable = { readonly getName: unknown; readonly createSocket: unknown };
type SocketMade = (error: Error | null, socket: Socket) => void;

const REFUSED_IN_AGENT = [...AROUND_THE_GATE, 'host', 'hostname', 'port', 'agent'];

/**
 * What makes an agent guarded. The rules of each request are read when it is made and travel in its
 * options; they are part of the name by which Node's agent keeps, queues and reuses sockets and TLS
 * sessions, and they judge the connection when Node asks for one.
 */
export class AgentGate {
  /** The options for Node's agent. */
  readonly clientOptions: Http.AgentOptions;
  readonly #settings: GuardSettings;
  readonly #pools: Pools<RulesPool>;
  #agent: Http.Agent | undefined;
  #secure = false;
  #closed = false;
  /** The pass of the request that Node's `addRequest` is called for. */
  sending: Pass | undefined;
  /** The pass of the request that Node makes a socket for. */
  #creating: Pass | undefined;
  #base: Overridable | undefined;
  /** What it opened for no request that it knew of. */
  readonly #opened = new WeakMap<Socket, Guard>();
  #places: Places | undefined;

  constructor(options: unknown) {
    const { settings, rest } = readOptions(options);
    const { maxPools, ...clientOptions } = rest;
    refuseOptions(clientOptions, REFUSED_IN_AGENT);
    // Deno has every agent use the proxies of the environment, unless it is told of another environment.
    const environment = process.versions['deno'] === undefined ? {} : { proxyEnv: {} };
    this.clientOptions = { ...clientOptions, ...environment } as Http.AgentOptions;
    this.#settings = settings;
    this.#pools = new Pools(
      readInteger('maxPools', maxPools, 1, DEFAULT_MAX_POOLS),
      (rules) => new RulesPool(rules, settings, this),
      (pool) => this.#retire(pool),
    );
  }

  /** Belongs to this agent from now on. */
  attach(agent: Http.Agent, base: Overridable): this {
    this.#agent = agent;
    this.#secure = agent instanceof https.Agent;
    this.#base = base;
    this.#places = new Places(agent);
    return this;
  }

  /**
   * The options for Node's `addRequest`, and the request's pass in `sending`; `undefined` when the request
   * has been failed. Runs synchronously inside `http.request`, so the rules in effect are the caller's.
   */
  admit(
    request: Http.ClientRequest,
    given: unknown,
    port: unknown,
    localAddress: unknown,
  ): Options | undefined {
    let options = isRecord(given) ? (given as Options) : { host: given, port, localAddress };
    if (leadsAround(options)) {
      // Only what is its own counts, as for Node.
      options = readOnce(options);
      refuseOptions(options, REFUSED_IN_REQUEST);
    }
    const rules = this.#settings.rules ?? currentRules();
    if (this.#closed) {
      return failRequest(request, options, closed('send the request'));
    }
    const pool = this.#pools.for(rules);
    if (namesAnotherTarget(request.method, request.path)) {
      // Read once: a host that is judged here must not be another one for the agent.
      options = readOnce(options);
      // The connection judges its host, but not when it goes to a path.
      const own = isGiven(options['socketPath'])
        ? { host: undefined, port: undefined }
        : { host: options['host'], port: options['port'] };
      const error = proxiedDenial(pool, request.method, request.path, own);
      if (error !== undefined) return failRequest(request, options, error);
    }
    const pass = (this.sending = new Pass(pool, this.#isOverridden()));
    return pass.renamed ? this.#tag(request, options, pass) : options;
  }

  /** Whether a class on ours, or somebody for this agent, names or makes its connections. */
  #isOverridden(): boolean {
    const { getName, createSocket } = this.#agent as unknown as Overridable;
    return getName !== this.#base!.getName || createSocket !== this.#base!.createSocket;
  }

  /** Then the pass must not be lost with the options that Node makes: they may hand on others, or copies. */
  #tag(request: Http.ClientRequest, options: Options, pass: Pass): Options {
    (request as unknown as Options)[PASS] = pass;
    return { ...options, [PASS]: pass };
  }

  /**
   * Has Node make a socket for a request, under the rules of that: Node does it when another request
   * ends, in the context of that one, and a class on ours may ask for the socket with options of its own,
   * those of another request among them, or later.
   */
  create(
    request: Http.ClientRequest,
    given: unknown,
    callback: SocketMade,
    createSocket: (options: unknown, callback: SocketMade) => void,
  ): void {
    const own = this.passOf(given);
    const pass = this.passOf(request) ?? own;
    const options = own === pass ? given : { ...(given as Options), [PASS]: pass };
    const made: SocketMade = (error, socket) => {
      const isForeign = !error && pass !== undefined && this.#isForeign(pass, socket);
      callback(error, socket);
      // Not before: then the request listens, and nothing has been written yet.
      if (isForeign) endForeign(socket);
    };
    const outer = this.#creating;
    this.#creating = pass;
    try {
      this.#places!.runFor(request, () => {
        if (pass === undefined || this.#isUnder(pass)) createSocket(options, made);
        else underRulesOfCall(pass.pool.rules, () => createSocket(options, made));
      });
    } finally {
      this.#creating = outer;
    }
  }

  /** Whether this agent opened a socket under rules that may allow what those of the request do not. */
  #isForeign({ pool }: Pass, socket: Socket): boolean {
    const under = this.passOf(socket)?.pool ?? this.#opened.get(socket);
    if (under === undefined || under === pool || this.#settings.mode === 'report') return false;
    const [own, others] = [pool.rules, under.rules];
    if (own === undefined || others === undefined) return own !== others;
    return !containsScopes(others, own);
  }

  /** Whether what is opened now is under the rules of this request. */
  #isUnder({ pool }: Pass): boolean {
    return this.#settings.givenRules || currentRules() === pool.rules;
  }

  /**
   * What a request was sent with, after Node's `addRequest`. `outer` is what was being sent before it: a
   * request can be made while another one is, by whoever is told of its socket.
   */
  sent(request: Http.ClientRequest, outer: Pass | undefined): void {
    const isNamed = this.sending?.name !== undefined;
    if (isNamed) this.#places!.sent(request);
    this.sending = outer;
    if (isNamed) return;
    request.destroy(
      misuse(
        Error,
        'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
        'Cannot send the request: its agent did not ask for the name of its connections, which keeps rule sets apart',
      ),
    );
  }

  /** Has Node take a socket from its lists. */
  removed(options: unknown, remove: () => void): void {
    this.#places!.removed(options, remove);
  }

  /**
   * The pass of the options that Node asks a name for. It does so first with the copy that it has just made
   * for the request that is being sent: that gets the request's own pass, whatever it was copied from.
   */
  passFor(options: unknown): Pass | undefined {
    const { sending } = this;
    if (sending === undefined || sending.name !== undefined || !isRecord(options))
      return this.passOf(options);
    return ((options as Options)[PASS] = sending);
  }

  /** The pass in the options of a request, or of a socket; `undefined` in anybody else's. */
  passOf(holder: unknown): Pass | undefined {
    const pass = (holder as { [PASS]?: Pass } | undefined)?.[PASS];
    return pass?.pool.owner === this ? pass : undefined;
  }

  /**
   * Opens a socket: Node's own `open` with options that reach judged addresses only. Node calls it
   * with the options of a request; clients that want a socket for themselves call it with their own.
   * An error is the socket's, so that whatever queues behind it in Node's agent goes on; a client's
   * own callback has it, too.
   */
  connect(given: unknown, callback: unknown, open: Open): Socket {
    const own = this.passOf(given);
    // For a request the options are Node's own copy, made for this one connection.
    const options = own === undefined ? readDirect(given) : (given as Options);
    const creating = this.#creating;
    // A class on ours may open it with options of its own, or of another request, and under narrower rules.
    const isOfRequest = creating !== undefined && (own === creating || this.#isUnder(creating));
    const pass = isOfRequest ? creating : own;
    let guard: Guard | undefined = pass?.pool;
    let socket: Socket;
    try {
      guard ??= new Guard(this.#settings.rules ?? currentRules(), this.#settings);
      // A request that was admitted before may finish.
      if (pass === undefined && this.#closed) throw closed('open a socket');
      const { socketPath } = options as { socketPath?: unknown };
      if (isGiven(socketPath)) {
        socket = lockSocket(this.#open(guard, open, pinPath(guard, socketPath, options, this.#secure)));
      } else {
        const gate = new Gate(guard, readTarget(options['host'], options['port']));
        const pinned = this.#secure ? gate.pin(options) : gate.pinForNet(options);
        socket = gate.watch(this.#open(guard, open, pinned));
      }
      if (pass === undefined) this.#opened.set(socket, guard);
    } catch (error) {
      guard ??= new Guard(undefined, this.#settings);
      socket = lockSocket(this.#open(guard, open, failingOptions(error as Error, options)));
    }
    if (pass !== undefined) (socket as unknown as Options)[PASS] = pass;
    if (own !== undefined) return socket;
    endIfAborted(socket, options['signal']);
    if (typeof callback === 'function')
      callWhenOpen(socket, this.#secure ? 'secureConnect' : 'connect', callback as Created);
    return socket;
  }

  /** Whether a socket that no request uses may be kept. */
  keeps(socket: unknown): boolean {
    return this.passOf(socket)?.pool.retired === false && !this.#places!.isWanted;
  }

  closeIdleConnections(): void {
    this.#closeFree(() => true);
  }

  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.clear()) this.#retire(pool);
  }

  /** Forgets the rule sets; what they have open is Node's to destroy. */
  forget(): void {
    for (const pool of this.#pools.clear()) pool.retired = true;
  }

  /**
   * Opens a socket whose events have the rules of its request in effect. Node makes the socket of a
   * queued request when another request ends, in the context of that one: an error handler that
   * tries again would be under its rules.
   */
  #open({ rules }: Guard, open: Open, options: ConnectOptions | PathOptions): Socket {
    const opened =
      this.#settings.givenRules || currentRules() === rules
        ? open(options)
        : underRulesOfCall(rules, () => open(options));
    return opened as Socket;
  }

  #retire(pool: RulesPool): void {
    pool.retired = true;
    this.#closeFree((socket) => this.passOf(socket)?.pool === pool);
  }

  /** By what they were opened for: a class on ours may name them as it likes. */
  #closeFree(isMeant: (socket: Socket) => boolean): void {
    for (const list of Object.values(this.#agent!.freeSockets)) {
      for (const socket of list?.filter(isMeant) ?? []) socket.destroy();
    }
  }
}
