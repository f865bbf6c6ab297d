import type { ConnectOption, GuardOptions } from '../options.ts';

/** Options of `createFetch` and `createDispatcher`: netjail's and those of the runtime's own undici Agent. */
export interface FetchOptions extends GuardOptions, AgentOptions {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number | undefined;
  /**
   * Options for `net.connect` and `tls.connect` (`ca`, `cert`, `timeout`, ...); no function. With
   * `socketPath` every connection goes to this Unix socket or named pipe, if an entry names it, and
   * neither host nor port are judged.
   */
  readonly connect?: ConnectOption | undefined;
  /**
   * Offers HTTP/2 over TLS; default false. By undici's own faults a hostile server can end the process by it on
   * Node 20 and 22 (GOAWAY with two streams open), and an upload from a stream that is aborted can freeze it on
   * later ones. A WebSocket over HTTP/2 (Node 26) ends where
   * its pool is retired: by `closeIdleConnections`, `maxPools`, and rules that are replaced.
   */
  readonly allowH2?: boolean | undefined;
  /** Connections per origin and rule set; default: no limit. */
  readonly connections?: number | null | undefined;
}

/** Options of the runtime's undici Agent, which knows more or fewer of them; times are in milliseconds, sizes in bytes. */
interface AgentOptions {
  readonly autoSelectFamily?: boolean | undefined;
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
  readonly bodyTimeout?: number | undefined;
  readonly clientTtl?: number | null | undefined;
  readonly connectTimeout?: number | undefined;
  readonly connectionWindowSize?: number | undefined;
  readonly eventSource?: object | undefined;
  readonly h2Options?: object | undefined;
  readonly headersTimeout?: number | undefined;
  readonly initialWindowSize?: number | undefined;
  readonly keepAliveMaxTimeout?: number | undefined;
  readonly keepAliveTimeout?: number | undefined;
  readonly keepAliveTimeoutThreshold?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly maxCachedSessions?: number | undefined;
  readonly maxConcurrentStreams?: number | undefined;
  readonly maxHeaderSize?: number | undefined;
  readonly maxOrigins?: number | undefined;
  /** Of undici 6. */
  readonly maxRedirections?: number | undefined;
  readonly maxRequestsPerClient?: number | undefined;
  readonly maxResponseSize?: number | undefined;
  readonly pingInterval?: number | undefined;
  readonly pipelining?: number | undefined;
  readonly preferH2?: boolean | undefined;
  readonly strictContentLength?: boolean | undefined;
  readonly useMilo?: boolean | undefined;
  readonly webSocket?: object | undefined;
}
