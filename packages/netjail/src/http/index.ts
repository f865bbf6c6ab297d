import type * as Http from 'node:http';
import { Agent } from 'node:http';
import type * as Https from 'node:https';
import { Agent as SecureAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { GuardOptions } from '../options.ts';
import { AgentGate } from './gate.ts';

type Around = 'host' | 'hostname' | 'port' | 'path' | 'socketPath' | 'lookup' | 'proxyEnv' | 'socket';

/** Options of {@link HttpAgent}: netjail's and those of `http.Agent`. */
export interface HttpAgentOptions extends GuardOptions, Omit<Http.AgentOptions, Around> {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number;
}

/** Options of {@link HttpsAgent}: netjail's and those of `https.Agent`. */
export interface HttpsAgentOptions extends GuardOptions, Omit<Https.AgentOptions, Around> {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number;
}

/**
 * A guarded `http.Agent`, for `node:http` and every client that takes an agent (axios, got, ws,
 * node-fetch, the AWS SDK, ...).
 *
 * - The rules are those given, or those in effect when `http.request` is called; each rule set has
 *   connections of its own. `maxSockets` and `maxFreeSockets` count per origin and rule set,
 *   `maxTotalSockets` counts all, and who waits longest gets the next place: a connection of other rules,
 *   or to another origin, is closed for it.
 * - A denial is the request's `error` event. A redirect is a request of its own, so it is judged.
 * - Requests to a proxy (absolute-form path, CONNECT) are judged by their real target as well;
 *   names in them are denied. With axios set `proxy: false`. Environment proxies are not used.
 * - A Unix socket (`socketPath`) is denied unless an entry with this very `path` allows it. The request options `lookup` and `socket` throw.
 * - A request with `agent: false` makes an agent of its own and is not guarded by this one.
 * - A class on this one that overrides `getName` calls it: rule sets would share connections otherwise, so
 *   its requests fail with `ERR_NETJAIL_UNSUPPORTED_RUNTIME`. So do those for which it opens a connection
 *   under other rules, by `createConnection` when the request's are in effect no more; narrower ones will do.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for options that are malformed or lead around
 * the rules.
 *
 * @example
 * ```ts
 * import http from 'node:http';
 * import { Rules } from 'netjail';
 * import { HttpAgent } from 'netjail/http';
 *
 * const agent = new HttpAgent({ rules: new Rules({ allow: ['public'] }), keepAlive: true });
 * http.get('http://127.0.0.1:8080/', { agent }).on('error', (error) => {
 *   console.log(error.message); // Cannot connect to "127.0.0.1" port 8080: 127.0.0.1 is not allowed by any entry
 * });
 * ```
 */
export class HttpAgent extends Agent {
  readonly #gate: AgentGate;
  readonly #open = (options: object): unknown => super.createConnection(options as never);

  constructor(options: HttpAgentOptions = {}) {
    const gate = new AgentGate(options);
    super(gate.clientOptions);
    this.#gate = gate.attach(this, HttpAgent.prototype);
  }

  /** Called by Node when a request is made. */
  addRequest(request: Http.ClientRequest, options: unknown, port?: unknown, localAddress?: unknown): void {
    const gate = this.#gate;
    const outer = gate.sending;
    const admitted = gate.admit(request, options, port, localAddress);
    if (admitted === undefined) return;
    try {
      // @ts-expect-error -- the types leave it out
      super.addRequest(request, admitted);
    } finally {
      gate.sent(request, outer);
    }
  }

  /** Called by Node when a request needs a socket, at once or when another request has ended. */
  createSocket(request: Http.ClientRequest, options: unknown, callback: unknown): void {
    this.#gate.create(request, options, callback as never, (own, made) => {
      // @ts-expect-error -- the types leave it out
      super.createSocket(request, own, made);
    });
  }

  /** Called by Node when a socket is closed, or handed over to whoever has upgraded it. */
  removeSocket(socket: unknown, options: unknown): void {
    this.#gate.removed(options, () => {
      // @ts-expect-error -- the types leave it out
      super.removeSocket(socket, options);
    });
  }

  /** As in Node; for a request also with the number of its rule set, which changes from run to run. */
  override getName(options?: Http.ClientRequestArgs): string {
    const pass = this.#gate.passFor(options);
    if (pass === undefined) return super.getName(options);
    if (pass.name !== undefined && !pass.renamed) return pass.name;
    const name = super.getName(options) + pass.pool.suffix;
    pass.name ??= name;
    return name;
  }

  /**
   * Opens a guarded socket, for Node and for clients that ask an agent for one. A denial is the
   * error of the socket. A client's callback is called once, with the open socket or with the error.
   */
  override createConnection(options: unknown, callback?: unknown): Created {
    return this.#gate.connect(options, callback, this.#open);
  }

  /** Called by Node when no request uses a socket any more. */
  override keepSocketAlive(socket: never): boolean {
    // The types say void; Node wants to know whether to keep it.
    return this.#gate.keeps(socket) && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Closes the connections that no request uses. */
  closeIdleConnections(): void {
    this.#gate.closeIdleConnections();
  }

  /** Lets requests finish, closes their connections and refuses new requests (`ERR_NETJAIL_CLOSED`). */
  close(): void {
    this.#gate.close();
  }

  /** Destroys every connection, in use or not. As in Node, the agent can be used again. */
  override destroy(): void {
    this.#gate.forget();
    super.destroy();
  }
}

/**
 * A guarded `https.Agent`: {@link HttpAgent} with TLS. The certificate is checked against the name
 * that was asked for while the socket goes to the judged address; TLS sessions are kept per rule
 * set.
 *
 * @example
 * ```ts
 * import https from 'node:https';
 * import { deniedError, Rules } from 'netjail';
 * import { HttpsAgent } from 'netjail/http';
 *
 * const agent = new HttpsAgent({ rules: new Rules({ allow: ['public'] }) });
 * https.get('https://[::1]/', { agent }).on('error', (error) => {
 *   console.log(deniedError(error)?.reason); // not-allowed
 * });
 * ```
 */
export class HttpsAgent extends SecureAgent {
  readonly #gate: AgentGate;
  readonly #open = (options: object): unknown => super.createConnection(options as never);

  constructor(options: HttpsAgentOptions = {}) {
    const gate = new AgentGate(options);
    super(gate.clientOptions);
    this.#gate = gate.attach(this, HttpsAgent.prototype);
  }

  /** Called by Node when a request is made. */
  addRequest(request: Http.ClientRequest, options: unknown, port?: unknown, localAddress?: unknown): void {
    const gate = this.#gate;
    const outer = gate.sending;
    const admitted = gate.admit(request, options, port, localAddress);
    if (admitted === undefined) return;
    try {
      // @ts-expect-error -- the types leave it out
      super.addRequest(request, admitted);
    } finally {
      gate.sent(request, outer);
    }
  }

  /** Called by Node when a request needs a socket, at once or when another request has ended. */
  createSocket(request: Http.ClientRequest, options: unknown, callback: unknown): void {
    this.#gate.create(request, options, callback as never, (own, made) => {
      // @ts-expect-error -- the types leave it out
      super.createSocket(request, own, made);
    });
  }

  /** Called by Node when a socket is closed, or handed over to whoever has upgraded it. */
  removeSocket(socket: unknown, options: unknown): void {
    this.#gate.removed(options, () => {
      // @ts-expect-error -- the types leave it out
      super.removeSocket(socket, options);
    });
  }

  /** As in Node; for a request also with the number of its rule set, which changes from run to run. */
  override getName(options?: Https.RequestOptions): string {
    const pass = this.#gate.passFor(options);
    if (pass === undefined) return super.getName(options);
    if (pass.name !== undefined && !pass.renamed) return pass.name;
    const name = super.getName(options) + pass.pool.suffix;
    pass.name ??= name;
    return name;
  }

  /**
   * Opens a guarded socket, for Node and for clients that ask an agent for one. A denial is the
   * error of the socket. A client's callback is called once, with the open socket or with the error.
   */
  override createConnection(options: unknown, callback?: unknown): Created {
    return this.#gate.connect(options, callback, this.#open);
  }

  /** Called by Node when no request uses a socket any more. */
  override keepSocketAlive(socket: never): boolean {
    // The types say void; Node wants to know whether to keep it.
    return this.#gate.keeps(socket) && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Closes the connections that no request uses. */
  closeIdleConnections(): void {
    this.#gate.closeIdleConnections();
  }

  /** Lets requests finish, closes their connections and refuses new requests (`ERR_NETJAIL_CLOSED`). */
  close(): void {
    this.#gate.close();
  }

  /** Destroys every connection, in use or not. As in Node, the agent can be used again. */
  override destroy(): void {
    this.#gate.forget();
    super.destroy();
  }
}

/** As in the types of the Node that this is compiled with: older ones leave the method out. */
type Created = Agent extends { createConnection(...args: never): infer Socket } ? Socket : Duplex;
