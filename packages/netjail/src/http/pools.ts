import http from 'node:http';
import type { Socket } from 'node:net';
import {
  AROUND_THE_GATE,
  connectOptions,
  failingOptions,
  gateSocket,
  lockSocket,
  PendingLookup,
  type ConnectOptions,
} from '../connect.ts';
import { currentRules } from '../context.ts';
import { misuse } from '../errors.ts';
import { Guard } from '../guard.ts';
import { isRecord, readOnce, show } from '../internal/assert.ts';
import { readInteger, readOptions, refuseOptions, type GuardSettings } from '../options.ts';
import { DEFAULT_MAX_POOLS, Pools } from '../pool.ts';
import { namesAnotherTarget, proxiedDenial } from '../proxied.ts';
import { readTarget } from '../target.ts';

/** The agent of one rule set. */
export interface PoolAgent extends http.Agent {
  retired: boolean;
}

type AddRequest = { addRequest(request: http.ClientRequest, options: unknown): void };

/** What Node sets on every request's options and our own createConnection makes harmless. */
const IGNORED = new Set(['path', 'socketPath', 'createConnection']);
const REFUSED_IN_REQUEST = AROUND_THE_GATE.filter((name) => !IGNORED.has(name));
const REFUSED_IN_AGENT = [...AROUND_THE_GATE, 'host', 'hostname', 'port', 'agent'];

/** What both agents are made of: the rules of each request choose the agent that serves it. */
export class AgentPools {
  readonly clientOptions: http.AgentOptions;
  readonly #settings: GuardSettings;
  readonly #pools: Pools<PoolAgent>;
  #closed = false;

  constructor(options: unknown, create: (guard: Guard, options: http.AgentOptions) => PoolAgent) {
    const { settings, rest } = readOptions(options);
    const { maxPools, ...clientOptions } = rest;
    refuseOptions(clientOptions, REFUSED_IN_AGENT);
    this.clientOptions = clientOptions as http.AgentOptions;
    this.#settings = settings;
    this.#pools = new Pools(
      readInteger('maxPools', maxPools, 1, DEFAULT_MAX_POOLS),
      (rules) => create(new Guard(rules, settings), this.clientOptions),
      retire,
    );
  }

  /** Runs synchronously inside `http.request`, so the rules in effect are the caller's. */
  addRequest(request: http.ClientRequest, given: unknown, port: unknown, localAddress: unknown): void {
    let options = isRecord(given) ? (given as Record<string, unknown>) : { host: given, port, localAddress };
    refuseOptions(options, REFUSED_IN_REQUEST);
    const rules = this.#settings.rules ?? currentRules();
    let error: Error | undefined;
    if (this.#closed) {
      error = misuse(Error, 'ERR_NETJAIL_CLOSED', 'Cannot send the request: the agent is closed');
    } else if (namesAnotherTarget(request.method, request.path)) {
      // What is compared here is what is used: Node copies the options only later.
      options = readOnce(options) as Record<string, unknown>;
      const own = { host: options['host'], port: options['port'] };
      error = proxiedDenial(new Guard(rules, this.#settings), request.method, request.path, own);
    }
    const agent = error === undefined ? this.#pools.for(rules) : new RefusingAgent(error);
    (agent as unknown as AddRequest).addRequest(request, options);
  }

  /** For clients that ask an agent for a socket themselves: guarded like a request. */
  createConnection(given: unknown, callback: unknown, open: (options: ConnectOptions) => unknown): unknown {
    if (!isRecord(given)) {
      throw misuse(
        TypeError,
        'ERR_NETJAIL_INVALID_ARGUMENT',
        `Cannot connect to ${show(given)}: options are an object`,
      );
    }
    const options = readOnce(given) as Record<string, unknown>;
    refuseOptions(options, REFUSED_IN_REQUEST);
    const rules = this.#settings.rules ?? currentRules();
    const host = options['host'] ?? options['hostname'];
    const path = options['socketPath'] ?? options['path'];
    return guardConnection(
      new Guard(rules, this.#settings),
      { ...options, host, socketPath: path },
      callback,
      open,
    );
  }

  closeIdleConnections(): void {
    for (const pool of this.#pools) closeFreeSockets(pool);
  }

  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.clear()) retire(pool);
  }

  destroy(): void {
    for (const pool of this.#pools.clear()) {
      pool.retired = true;
      pool.destroy();
    }
  }
}

function retire(pool: PoolAgent): void {
  pool.retired = true;
  closeFreeSockets(pool);
}

function closeFreeSockets(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets?.slice() ?? []) socket.destroy();
  }
}

/** Fails one request through its own channel, before any socket exists. */
class RefusingAgent extends http.Agent {
  readonly #error: Error;

  constructor(error: Error) {
    super();
    this.#error = error;
  }

  override createConnection(_options: unknown, callback: unknown): undefined {
    (callback as (error: Error) => void)(this.#error);
    return undefined;
  }
}

/**
 * Opens the socket of an agent: Node's own `open` with options that reach judged addresses only.
 * `options` is a copy of Node's or ours, so each has been read once. Errors go to the callback,
 * since one that is thrown here can surface in somebody else's request; without a callback the
 * socket has them.
 */
export function guardConnection(
  guard: Guard,
  options: Record<string, unknown>,
  callback: unknown,
  open: (options: ConnectOptions) => unknown,
): unknown {
  try {
    const { socketPath } = options;
    if (socketPath !== undefined && socketPath !== null) {
      throw guard.refuse('path-not-allowed', String(socketPath), undefined);
    }
    const target = readTarget(options['host'], options['port']);
    const pending = new PendingLookup();
    const socket = open(connectOptions(guard, target, options, pending)) as Socket;
    return gateSocket(socket, guard, target, pending);
  } catch (error) {
    if (typeof callback !== 'function')
      return lockSocket(open(failingOptions(error as Error, options)) as Socket);
    (callback as (error: unknown) => void)(error);
    return undefined;
  }
}
