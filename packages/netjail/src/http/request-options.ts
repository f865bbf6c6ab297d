// The options of a request of node:http, as far as they say where its socket goes.
import { AROUND_THE_GATE } from '../connect-options.ts';
import { misuse } from '../errors.ts';
import { isRecord, readOnce, show } from '../internal/assert.ts';
import { refuseOptions } from '../options.ts';

export type Options = Record<PropertyKey, unknown>;

/** What Node sets on every request's options and our own createConnection makes harmless. */
const IGNORED = new Set(['path', 'socketPath', 'createConnection']);
export const REFUSED_IN_REQUEST: readonly string[] = AROUND_THE_GATE.filter((name) => !IGNORED.has(name));

/** Whether there is a path: to Node an empty one is none. */
export function isGiven(socketPath: unknown): boolean {
  return socketPath !== undefined && socketPath !== null && socketPath !== '';
}

type Refused =
  | 'lookup'
  | 'fd'
  | 'handle'
  | '_handle'
  | 'socket'
  | 'pipe'
  | 'blockList'
  | 'proxy'
  | 'proxyEnv';

/** Whether there is one of {@link REFUSED_IN_REQUEST}. Written out: it is asked for each request. */
export function leadsAround(options: { readonly [name in Refused]?: unknown }): boolean {
  const { lookup, fd, handle, _handle, socket, pipe, blockList, proxy, proxyEnv } = options;
  const one = lookup ?? fd ?? handle ?? _handle ?? socket ?? pipe ?? blockList ?? proxy ?? proxyEnv;
  return one !== undefined && one !== null;
}

/** The options of a socket that a client asks an agent for, each read once. */
export function readDirect(given: unknown): Options {
  if (!isRecord(given)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot connect to ${show(given)}: options are an object`,
    );
  }
  const options = readOnce(given);
  refuseOptions(options, REFUSED_IN_REQUEST);
  options['host'] ??= options['hostname'];
  options['socketPath'] ??= options['path'];
  // A name of Node's for its TLS sessions, which are kept per rule set.
  options['_agentKey'] = undefined;
  return options;
}
