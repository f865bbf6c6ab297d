import { AsyncResource } from 'node:async_hooks';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { limitConnecting } from '../connect.ts';
import { createDial, type DialOptions } from '../dial.ts';
import { deniedError } from '../errors.ts';
import { show } from '../internal/assert.ts';
import { unref } from '../internal/timer.ts';
import { invalidOption, LONGEST_TIME } from '../options.ts';
import { readTarget } from '../target.ts';

/** What ioredis hands to a connector: its own options. */
export interface RedisConnectorOptions {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly path?: string | undefined;
  readonly family?: number | undefined;
  /** Nothing that is falsy asks for TLS. */
  readonly tls?: ConnectionOptions | false | null | undefined;
  /** Which role the Redis must have that `locate` finds; `master` unless given. */
  readonly role?: string | undefined;
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
  check(info?: { readonly role?: string | undefined }): boolean;
}

/**
 * A {@link RedisConnector} class, as ioredis takes it. The type says nothing: that of ioredis has
 * private members, so that no class but its own fits it.
 */
export type RedisConnectorClass = new (options: any) => any;

/** How long a connection may take to end before it is cut, in milliseconds, as in ioredis. */
const DISCONNECT_TIMEOUT = 2000;

/**
 * Makes a `Connector` for ioredis, through which every connection of a client is dialled, those
 * after a loss too.
 *
 * - The rules are those given, or those in effect at this call.
 * - A denial ends the client, which reports it. After any other failure, of `locate` as well, the client
 *   tries again as its `retryStrategy` says.
 * - `locate` says where to connect instead of the client's `host` and `port`, at each connection:
 *   what Sentinel answers is judged like any other target.
 * - The `path` of a Unix socket is denied, unless an entry names it.
 * - Of a `Cluster` it does not guard the subscriber, for which ioredis takes no connector.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for malformed options.
 *
 * @example
 * ```ts
 * import { deniedError, Rules } from 'netjail';
 * import { createRedisConnector } from 'netjail/db';
 *
 * const Connector = createRedisConnector({ rules: new Rules({ allow: ['10.1.0.0/16'] }) });
 * // new Redis({ host: 'cache.internal', Connector })
 * try {
 *   await new Connector({ host: '127.0.0.1', port: 6379 }).connect();
 * } catch (error) {
 *   console.log(deniedError(error)?.reason); // not-allowed
 * }
 * ```
 */
export function createRedisConnector(
  options: DialOptions = {},
  locate?: () => RedisLocation | Promise<RedisLocation>,
): RedisConnectorClass {
  const dial = createDial(options);
  if (locate !== undefined && typeof locate !== 'function')
    throw invalidOption('locate', `it is a function, not ${show(locate)}`);
  // ioredis connects again from whatever context lost the connection.
  const open = AsyncResource.bind((target: object, tls: RedisConnectorOptions['tls']) =>
    tls ? dial.tls({ ...tls, ...target } as never) : dial(target as never),
  );

  return class implements RedisConnector {
    readonly #options: RedisConnectorOptions;
    #socket: Socket | undefined;
    /**
     * Ends the attempt that is under way: ioredis knows whether it is to try again. Another one may begin
     * before what it waits for has settled.
     */
    #giveUp: (() => void) | undefined;
    /** ioredis reads both. */
    connecting = false;
    firstError: Error | undefined;

    constructor(clientOptions: RedisConnectorOptions) {
      this.#options = clientOptions;
    }

    connect(): Promise<Socket> {
      this.connecting = true;
      this.firstError = undefined;
      return new Promise((resolve, reject) => {
        const giveUp = (this.#giveUp = () => resolve(ended()));
        const isOurs = (): boolean => this.#giveUp === giveUp;
        // Before anybody has the socket, who may disconnect at once.
        this.#connect(isOurs)
          .finally(() => {
            if (isOurs()) this.#giveUp = undefined;
          })
          .then(resolve, reject);
      });
    }

    async #connect(isOurs: () => boolean): Promise<Socket> {
      const { path, family, tls, connectTimeout } = this.#options;
      let { host, port }: { host?: unknown; port?: unknown } = this.#options;
      if (locate !== undefined) {
        try {
          ({ host, port } = await locate());
          // What Sentinel says is no option of the client: it may say another thing the next time.
          readTarget(host, port);
        } catch (error) {
          if (deniedError(error) !== undefined || !isOurs()) throw error;
          return this.#failed(error as Error);
        }
      }
      if (!isOurs()) throw closed();
      const isPath = typeof path === 'string' && path !== '';
      const socket = open(
        isPath ? { path } : { host, port, ...(family === undefined ? {} : { family }) },
        tls,
      );
      this.#socket = socket;
      const event = tls ? 'secureConnect' : 'connect';
      limitConnecting(socket, event, Math.min(connectTimeout ?? 0, LONGEST_TIME));
      const failure = await new Promise<Error | undefined>((settle) => {
        socket.once(event, () => settle(undefined)).once('close', () => settle(closed()));
        socket.once('error', settle);
      });
      if (failure === undefined) return socket;
      if (deniedError(failure) !== undefined || !isOurs()) throw failure;
      return this.#failed(failure);
    }

    /** What ioredis tries again after: a socket that has ended, and why. A rejection would end the client. */
    #failed(error: Error): Socket {
      this.firstError = error;
      return ended();
    }

    disconnect(): void {
      this.connecting = false;
      const socket = this.#socket;
      if (this.#giveUp !== undefined) {
        this.#giveUp();
        this.#giveUp = undefined;
        socket?.destroy();
      }
      if (socket === undefined || socket.destroyed) return;
      const timer = unref(
        setTimeout(() => socket.destroy(), this.#options.disconnectTimeout ?? DISCONNECT_TIMEOUT),
      );
      socket.once('close', () => clearTimeout(timer)).end();
    }

    /** What Sentinel names may be a master no more: ioredis connects again then. */
    check(info?: { readonly role?: string | undefined }): boolean {
      return locate === undefined || !info?.role || info.role === (this.#options.role ?? 'master');
    }
  };
}

function ended(): Socket {
  return new Socket().destroy();
}

/** The error that ioredis itself uses. */
function closed(): Error {
  return new Error('Connection is closed.');
}
