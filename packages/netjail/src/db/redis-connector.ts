import { AsyncResource } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { limitConnecting } from '../connect.ts';
import { createDial, type DialOptions } from '../dial.ts';

/** What ioredis hands to a connector: its own options. */
export interface RedisConnectorOptions {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly path?: string | undefined;
  readonly tls?: ConnectionOptions | undefined;
  readonly connectTimeout?: number | undefined;
  readonly disconnectTimeout?: number | undefined;
}

/** Where a Redis is, as Sentinel tells it. */
export interface RedisLocation {
  readonly host: string;
  readonly port: number | string;
}

/** What ioredis calls. */
export interface RedisConnector {
  connect(): Promise<Socket>;
  disconnect(): void;
  check(): boolean;
}

/** How long a connection may take to end before it is cut, in milliseconds, as in ioredis. */
const DISCONNECT_TIMEOUT = 2000;

/**
 * Makes a `Connector` for ioredis, through which every connection of a client is dialled, those
 * after a loss too.
 *
 * - The rules are those given, or those in effect at this call.
 * - `locate` says where to connect instead of the client's `host` and `port`, at each connection:
 *   what Sentinel answers is judged like any other target.
 * - The `path` of a Unix socket is denied.
 * - Of a `Cluster` it does not guard the subscriber, for which ioredis takes no connector.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for malformed options.
 *
 * @example
 * ```ts
 * import { Rules } from 'netjail';
 * import { createRedisConnector } from 'netjail/db';
 *
 * const Connector = createRedisConnector({ rules: new Rules({ allow: ['10.1.0.0/16'] }) });
 * // new Redis({ host: 'cache.internal', Connector })
 * await new Connector({ host: '127.0.0.1', port: 6379 }).connect().catch((error) => {
 *   console.log(error.reason); // not-allowed
 * });
 * ```
 */
export function createRedisConnector(
  options: DialOptions = {},
  locate?: () => RedisLocation | Promise<RedisLocation>,
): new (options: RedisConnectorOptions) => RedisConnector {
  const dial = createDial(options);
  // ioredis connects again from whatever context lost the connection.
  const open = AsyncResource.bind((target: RedisLocation & { path?: string }, tls?: ConnectionOptions) =>
    tls === undefined ? dial(target as never) : dial.tls({ ...tls, ...target } as never),
  );

  return class implements RedisConnector {
    readonly #options: RedisConnectorOptions;
    #socket: Socket | undefined;
    /** ioredis reads both. */
    connecting = false;
    firstError: Error | undefined;

    constructor(clientOptions: RedisConnectorOptions) {
      this.#options = clientOptions;
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      const { path, tls, connectTimeout } = this.#options;
      const { host, port } = locate === undefined ? this.#options : await locate();
      if (!this.connecting) throw new Error('Connection is closed.');
      const target = { host: host as string, port: port as number };
      const socket = open(typeof path === 'string' && path !== '' ? { ...target, path } : target, tls);
      this.#socket = socket;
      const event = tls === undefined ? 'connect' : 'secureConnect';
      limitConnecting(socket, event, connectTimeout ?? 0);
      await once(socket, event).catch((error: unknown) => {
        this.firstError = error as Error;
        throw error;
      });
      return socket;
    }

    disconnect(): void {
      this.connecting = false;
      const socket = this.#socket;
      if (socket === undefined) return;
      if (socket.connecting) {
        socket.destroy();
        return;
      }
      const timer = setTimeout(
        () => socket.destroy(),
        this.#options.disconnectTimeout ?? DISCONNECT_TIMEOUT,
      ).unref();
      socket.once('close', () => clearTimeout(timer)).end();
    }

    check(): boolean {
      return true;
    }
  };
}
