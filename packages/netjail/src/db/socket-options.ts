import type { LookupFunction } from 'node:net';
import { Gate } from '../connect.ts';
import { failingOptions } from '../connect-options.ts';
import { currentRules } from '../context.ts';
import { DeniedError, misuse, type CodedError } from '../errors.ts';
import { Guard } from '../guard.ts';
import { invalidOption, readOptions, type GuardOptions } from '../options.ts';
import { canonicalHost } from '../host.ts';
import { show } from '../internal/assert.ts';
import { readTarget, Target } from '../target.ts';

/** What a client is given instead of a host and a port. All three belong together. */
export interface SocketOptions {
  /** An allowed literal or the name, in canonical form; or a name that `lookup` fails for. */
  readonly host: string;
  readonly port: number;
  /** Answers judged addresses only, each time it is asked. */
  readonly lookup: LookupFunction;
}

/**
 * Makes the host, port and `lookup` for clients that open their sockets themselves and take nothing
 * but options of `net.connect`: node-redis, amqplib, mongodb.
 *
 * - A guard that is only a `lookup` leaks: Node calls none for an address literal. So the literal is
 *   judged here, at the call; where it is denied, the host becomes a name whose `lookup` fails with
 *   the denial, which then reaches the caller through the client.
 * - A host is an address or a name, which comes back in canonical form: a client may put it into a URL, so
 *   what could be read as another host there (`x@127.0.0.1`, `%31%32%37.0.0.1`) is refused. Such text and
 *   a port that is none fail as what is denied does: a server may have named them.
 * - A name is judged at each look-up, reconnections included, under the rules of this call.
 * - The client must use all three, for this one target: what it is told to connect to later (members
 *   of a cluster or a replica set) has to come through here as well, or must be switched off.
 * - The socket is the client's own, so the address it is connected to is not judged once more.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_OPTION` for malformed options; the function throws
 * `ERR_NETJAIL_INVALID_HOST` and `ERR_NETJAIL_INVALID_PORT` for what is not even text.
 *
 * @example
 * ```ts
 * import { Rules } from 'netjail';
 * import { createSocketOptions } from 'netjail/db';
 *
 * const socketOptions = createSocketOptions({ rules: new Rules({ allow: ['public'] }) });
 * console.log(socketOptions('127.0.0.1', 6379).host); // denied.invalid
 * ```
 */
export function createSocketOptions(
  options: GuardOptions = {},
): (host: string, port: number | string) => SocketOptions {
  const { settings, rest } = readOptions(options);
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw invalidOption(other, 'there is no such option');
  return (host, port) => {
    const rules = settings.rules ?? currentRules();
    try {
      const target = readPlainTarget(host, port);
      return pick(new Gate(new Guard(rules, settings), target).pin({}));
    } catch (error) {
      // Text may be what a server has named, read while a client is in the middle of something.
      const isText = typeof host === 'string' && (typeof port === 'string' || typeof port === 'number');
      if (error instanceof DeniedError || (isText && isMisuse(error))) return pick(failingOptions(error, {}));
      throw error;
    }
  };
}

/**
 * The host as an address, or as a name in canonical form. Other text than these two is no host to one reader
 * and another host to the next: a client decodes `%31%32%37.0.0.1`, and of a URL that is made of
 * `x@127.0.0.1` it takes what is behind the `@`, past every look-up.
 */
function readPlainTarget(host: string, port: number | string): Target {
  const target = readTarget(host, port);
  if (target.literal !== undefined) return target;
  const name = canonicalHost(target.host);
  if (name === undefined) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_HOST',
      `Cannot connect to host ${show(host)}: it is neither a name nor an address`,
    );
  }
  // With its dot at the end, a resolver does not try names below its own.
  return new Target(host.endsWith('.') ? `${name}.` : name, target.port);
}

function pick({ host, port, lookup }: SocketOptions): SocketOptions {
  return Object.freeze({ host, port, lookup });
}

/** Whether it is what {@link readPlainTarget} throws. */
function isMisuse(error: unknown): error is Error {
  const { code } = error as CodedError;
  return code === 'ERR_NETJAIL_INVALID_HOST' || code === 'ERR_NETJAIL_INVALID_PORT';
}
