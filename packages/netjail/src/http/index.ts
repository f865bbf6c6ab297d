import { Agent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent, type AgentOptions as SecureAgentOptions } from 'node:https';
import type { GuardOptions } from '../options.ts';
import { guarded, type Guarded } from './guarded.ts';

type Around = 'host' | 'hostname' | 'port' | 'path' | 'socketPath' | 'lookup' | 'proxyEnv' | 'socket';

/** Options of {@link HttpAgent}: netjail's and those of `http.Agent`. */
export interface HttpAgentOptions extends GuardOptions, Omit<AgentOptions, Around> {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number;
}

/** Options of {@link HttpsAgent}: netjail's and those of `https.Agent`. */
export interface HttpsAgentOptions extends GuardOptions, Omit<SecureAgentOptions, Around> {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number;
}

const GuardedHttp: new (options: HttpAgentOptions) => Guarded<Agent> = guarded(Agent);
const GuardedHttps: new (options: HttpsAgentOptions) => Guarded<SecureAgent> = guarded(SecureAgent);

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
export class HttpAgent extends GuardedHttp {
  constructor(options: HttpAgentOptions = {}) {
    super(options);
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
export class HttpsAgent extends GuardedHttps {
  constructor(options: HttpsAgentOptions = {}) {
    super(options);
  }
}
