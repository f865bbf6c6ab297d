import type { LookupFunction } from 'node:net';
import timers from 'node:timers';
import { show } from './internal/assert.ts';
import { invalidOption } from './options.ts';

/** Options of a socket that would lead it around the gate: never passed on. */
export const AROUND_THE_GATE: readonly string[] = [
  'lookup',
  'path',
  'socketPath',
  'fd',
  'handle',
  '_handle',
  'socket',
  'pipe',
  'blockList',
  'createConnection',
  'proxy',
  'proxyEnv',
];

/** What is closed besides: `host` is what Node reads, and we set it. */
const CLOSED = [...AROUND_THE_GATE, 'hostname'];

/**
 * Closes every option that leads around the gate. Node copies options to objects that have a
 * prototype: through an option that is absent a polluted `Object.prototype` would show.
 */
export function closeOptions(options: Record<string, unknown>): void {
  for (const name of CLOSED) {
    // Defined, not assigned: a setter of a polluted prototype must not have it instead.
    if (options[name] !== undefined || name in Object.prototype)
      Object.defineProperty(options, name, { ...AN_OPTION, value: undefined });
  }
}

const NOTHING = {};

/** Whether options that are absent would show something all the same. Written out: each connection asks. */
export function isPolluted(): boolean {
  return (
    'lookup' in NOTHING ||
    'path' in NOTHING ||
    'socketPath' in NOTHING ||
    'fd' in NOTHING ||
    'handle' in NOTHING ||
    '_handle' in NOTHING ||
    'socket' in NOTHING ||
    'pipe' in NOTHING ||
    'blockList' in NOTHING ||
    'createConnection' in NOTHING ||
    'proxy' in NOTHING ||
    'proxyEnv' in NOTHING ||
    'hostname' in NOTHING
  );
}

export const AN_OPTION: PropertyDescriptor = { writable: true, enumerable: true, configurable: true };

/** What `net.connect` reads of its options and leads nowhere else, besides what {@link Gate.pinForNet} writes out. */
export const READ_BY_NET: readonly string[] = [
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'family',
  'hints',
  'localAddress',
  'localPort',
  'onread',
  'readable',
  'readableHighWaterMark',
  'signal',
  'timeout',
  'typeOfService',
  'writable',
  'writableHighWaterMark',
];

/** Those of the options that {@link Gate.pinForNet} would take over: for who opens many sockets with the same ones. */
export function readByNet(options: Readonly<Record<string, unknown>>): readonly string[] {
  return READ_BY_NET.filter((name) => options[name] !== undefined);
}

/** Options for `net.connect` or `tls.connect` with which only judged addresses can be reached. */
export interface ConnectOptions extends Record<string, unknown> {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
}

/** Options for `net.connect` or `tls.connect` with which only one path can be reached. */
export interface PathOptions extends Record<string, unknown> {
  readonly path: string;
}

/** Of Node itself: a test may fake that of its globals later, and jsdom has none. */
const { setImmediate } = timers;

/**
 * Fails a look-up when whoever asked for the socket had the time to listen to it, behind an `await` too:
 * an error comes from the network no sooner.
 */
export function tellLater(callback: Parameters<LookupFunction>[2], error: Error): void {
  setImmediate(callback, error, '', 0);
}

/** Options of a connection that fails with the error, through the socket's own channel. */
export function failingOptions(error: Error, options: Record<string, unknown>): ConnectOptions {
  const lookup: LookupFunction = (_host, _options, callback) => tellLater(callback, error);
  const { signal } = options;
  const safe = Object.create(null) as Record<string, unknown>;
  closeOptions(safe);
  if (signal !== undefined) safe['signal'] = signal;
  return Object.assign(safe, { host: 'denied.invalid', port: 1, lookup });
}

/**
 * The family that a look-up is asked for, by number or by name as in `dns.lookup`; 0 for both.
 *
 * @throws {TypeError} for anything else, as Node does: connected by another family it would be a surprise.
 */
export function familyOf(family: unknown): 0 | 4 | 6 {
  if (family === 4 || family === 'IPv4') return 4;
  if (family === 6 || family === 'IPv6') return 6;
  if (family === 0 || family === undefined || family === null) return 0;
  throw invalidOption('family', `it is 4, 6 or 0 for both, not ${show(family)}`);
}
