import type { GuardOptions } from '../options.ts';

/** Options of `createFetch` and `createDispatcher`: netjail's and those of the runtime's own undici Agent. */
export interface FetchOptions extends GuardOptions {
  /** How many rule sets keep connections, 1 or more; default 256. */
  readonly maxPools?: number;
  /**
   * Options for `net.connect` and `tls.connect` (`ca`, `cert`, `timeout`, ...); no function. With
   * `socketPath` every connection goes to this Unix socket or named pipe, if an entry names it, and
   * neither host nor port are judged.
   */
  readonly connect?: Record<string, unknown>;
  /** Offers HTTP/2 over TLS; default false. */
  readonly allowH2?: boolean;
  /** Connections per origin and rule set; default: no limit. */
  readonly connections?: number;
  /** Any other option of undici's Agent (`keepAliveTimeout`, `headersTimeout`, ...). */
  readonly [option: string]: unknown;
}
