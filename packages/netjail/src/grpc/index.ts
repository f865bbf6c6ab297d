import { AsyncResource } from 'node:async_hooks';
import { currentRules } from '../context.ts';
import { DeniedError } from '../errors.ts';
import { Guard } from '../guard.ts';
import { quote } from '../internal/assert.ts';
import { unref } from '../internal/timer.ts';
import { invalidOption, readOptions, type GuardOptions } from '../options.ts';
import { failureOf, LookUp } from '../resolver.ts';
import { readTarget, type Target } from '../target.ts';

/** The target of a channel, as @grpc/grpc-js has parsed it. */
export interface GrpcUri {
  readonly path: string;
}

type StatusOr =
  | { readonly ok: true; readonly value: { addresses: { host: string; port: number }[] }[] }
  | { readonly ok: false; readonly error: { code: number; details: string; metadata: unknown } };

/** Takes what a resolver has found. */
export type GrpcListener = (endpoints: StatusOr, attributes: object, config: null, note: string) => boolean;

/** The class that `experimental.registerResolver` takes. */
export interface GrpcResolverClass {
  new (target: GrpcUri, listener: GrpcListener): { updateResolution(): void; destroy(): void };
  getDefaultAuthority(target: GrpcUri): string;
}

/** What this module needs of @grpc/grpc-js. */
export interface GrpcModule {
  readonly experimental: { registerResolver(scheme: string, resolver: never): void };
  readonly Metadata: new () => object;
}

/** The gRPC status for "permission denied": a denial is not worth another attempt. */
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

/**
 * In milliseconds, as in gRPC's own resolver. gRPC asks for fresh addresses whenever a connection
 * fails, and begins anew with what it is told: without a pause that is a loop.
 */
const MIN_TIME_BETWEEN_RESOLUTIONS = 30_000;

/** After a failure a resolver looks again by itself, as in gRPC: first after so long, then ever later. */
const FIRST_BACKOFF = 1000;
const LONGEST_BACKOFF = 120_000;
const BACKOFF_FACTOR = 1.6;

/**
 * Registers a scheme of targets whose addresses are judged with @grpc/grpc-js, which has no hook
 * for sockets: it connects to what the resolver of the target's scheme finds and to nothing else.
 *
 * - Targets are `scheme:///host:port`, the port is not optional. The certificate is checked against
 *   the host.
 * - The rules are those given, or those in effect when the channel is made; names are looked up again,
 *   and judged again, whenever gRPC wants fresh addresses.
 * - A denial is the status `PERMISSION_DENIED` or `UNAVAILABLE` with the denial's text; gRPC keeps no
 *   error object.
 * - Make the channel with `'grpc.enable_http_proxy': 0`: otherwise gRPC connects to a proxy that the
 *   environment names, without asking the resolver.
 * - Make it with `'grpc.use_local_subchannel_pool': 1`, too: otherwise channels with the same target,
 *   credentials and options share one connection, whatever their rules. gRPC keeps a connection whose
 *   rules a function has replaced since, until it is lost or the channel closes.
 * - The scheme is the whole program's, and of two registrations the later one counts for the channels
 *   that are made from then on: other rules take a scheme of another name, or none here and `withRules`.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for malformed options.
 *
 * @example
 * ```ts
 * import grpc from '@grpc/grpc-js';
 * import { Rules } from 'netjail';
 * import { registerGrpcScheme } from 'netjail/grpc';
 *
 * registerGrpcScheme(grpc, 'guarded', { rules: new Rules({ allow: ['public'] }) });
 * const credentials = grpc.credentials.createInsecure();
 * const channel = { 'grpc.enable_http_proxy': 0, 'grpc.use_local_subchannel_pool': 1 };
 * const client = new grpc.Client('guarded:///127.0.0.1:50051', credentials, channel);
 * client.makeUnaryRequest('/a.B/C', Buffer.from, String, 'hello', (error) => {
 *   console.log(error?.details.includes('127.0.0.1 is not allowed by any entry')); // true
 *   client.close();
 * });
 * ```
 */
export function registerGrpcScheme(grpc: GrpcModule, scheme: string, options: GuardOptions = {}): void {
  const { settings, rest } = readOptions(options);
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw invalidOption(other, 'there is no such option');
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme) || SCHEMES.has(scheme)) {
    throw invalidOption('scheme', `it is a name of our own for targets, not ${quote(String(scheme))}`);
  }

  class Resolver {
    /** Asked for at each look-up, in the context in which the channel was made: gRPC looks up in any. */
    readonly #rules = AsyncResource.bind(() => settings.rules ?? currentRules());
    readonly #target: Target;
    readonly #listener: GrpcListener;
    #pending: LookUp | undefined;
    #timer: NodeJS.Timeout | undefined;
    #notBefore = 0;
    #backoff = FIRST_BACKOFF;

    constructor({ path }: GrpcUri, listener: GrpcListener) {
      this.#target = readPath(path);
      this.#listener = listener;
    }

    updateResolution(): void {
      if (this.#pending !== undefined || this.#timer !== undefined) return;
      const wait = this.#notBefore - performance.now();
      if (wait <= 0) {
        this.#begin();
        return;
      }
      this.#wait(wait);
    }

    #wait(time: number): void {
      this.#timer = unref(
        setTimeout(() => {
          this.#timer = undefined;
          this.#begin();
        }, time),
      );
    }

    #begin(): void {
      const pending = (this.#pending = new LookUp());
      this.#resolve(pending).then((found) => {
        if (pending.abandoned) return;
        this.#pending = undefined;
        if (found.ok) {
          this.#notBefore = performance.now() + MIN_TIME_BETWEEN_RESOLUTIONS;
          this.#backoff = FIRST_BACKOFF;
        } else {
          // Before gRPC is told, which may ask again at once.
          this.#wait(this.#backoff);
          this.#backoff = Math.min(this.#backoff * BACKOFF_FACTOR, LONGEST_BACKOFF);
        }
        this.#listener(found, {}, null, '');
      });
    }

    destroy(): void {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#notBefore = 0;
      this.#backoff = FIRST_BACKOFF;
      this.#pending?.abandon();
      this.#pending = undefined;
    }

    async #resolve(lookUp: LookUp): Promise<StatusOr> {
      const { port } = this.#target;
      try {
        // Never before updateResolution has returned: gRPC does not expect that.
        await Promise.resolve();
        const guard = new Guard(this.#rules(), settings);
        const literal = guard.admit(this.#target);
        const hosts = literal === undefined ? await this.#lookUpName(guard, lookUp) : [literal];
        return { ok: true, value: hosts.map((host) => ({ addresses: [{ host, port }] })) };
      } catch (error) {
        const failure = failureOf(error);
        const code = failure instanceof DeniedError ? PERMISSION_DENIED : UNAVAILABLE;
        const details = failure.message;
        return { ok: false, error: { code, details, metadata: new grpc.Metadata() } };
      }
    }

    async #lookUpName(guard: Guard, lookUp: LookUp): Promise<string[]> {
      const answers = await guard.ask(this.#target, 0, lookUp);
      return guard.judgeAnswers(answers, this.#target, 0).map(({ address }) => address);
    }

    static getDefaultAuthority({ path }: GrpcUri): string {
      const { host, port, literal } = readPath(path);
      return literal?.family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
    }
  }
  grpc.experimental.registerResolver(scheme, Resolver as never);
}

/** Those that @grpc/grpc-js comes with: replacing one would change channels that are not ours. */
const SCHEMES = new Set(['dns', 'ipv4', 'ipv6', 'unix', 'unix-abstract', 'xds', 'http', 'https']);

function readPath(path: string): Target {
  const [, bracketed, plain, port] = /^\/?(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(path) ?? [];
  return readTarget(bracketed ?? plain, port);
}
