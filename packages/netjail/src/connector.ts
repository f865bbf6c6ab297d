import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { Gate, lockSocket, pinPath } from './connect.ts';
import { readByNet, type PathOptions } from './connect-options.ts';
import { Connecting, type ConnectorCallback } from './connecting.ts';
import { misuse } from './errors.ts';
import type { Guard } from './guard.ts';
import { readOnce } from './internal/assert.ts';
import { invalidOption } from './options.ts';
import { readTarget, type Target } from './target.ts';

/** What undici asks a connector for. */
interface ConnectorTarget {
  readonly hostname: string;
  readonly host?: string;
  readonly protocol: string;
  readonly port?: string;
  readonly servername?: string | null;
  readonly localAddress?: string | null;
  readonly httpSocket?: unknown;
  /** From undici 7 on: that of the client, or of the request (a WebSocket asks for HTTP/1.1). */
  readonly allowH2?: boolean;
}

/**
 * undici's connector: opens one connection of a client and calls back once. undici 8 destroys the socket
 * that it gives back when nobody waits for it any more.
 */
export type Connector = (target: ConnectorTarget, callback: ConnectorCallback) => Socket | undefined;

/** What the connector does besides connecting, from the client's options. */
export interface ConnectorSettings {
  /** Options of `net.connect` and `tls.connect`: `ca`, `cert`, `family`, ... */
  readonly options: Record<string, unknown>;
  /** What is offered over TLS. */
  readonly protocols: readonly string[];
  /** Milliseconds until connected, 0 for no limit. */
  readonly timeout: number;
  /** How many TLS sessions are kept, 0 for none. */
  readonly maxSessions: number;
  /** The Unix socket or named pipe that all connections go to, whatever their origin. */
  readonly socketPath: string | undefined;
  /** Is told when so many origins were asked for that the agent should make place for a new one. */
  readonly onCrowded: () => void;
}

/** As in undici's own connector. */
export const DEFAULT_MAX_SESSIONS = 100;
const KEEP_ALIVE_DELAY = 60_000;

/** undici 6 keeps every origin that it was ever asked for, denied ones too, for as long as its agent lives. */
const MAX_ORIGINS = 256;

/** The connector of one rule set, and the end of what it is still connecting. */
export interface GuardedConnector {
  readonly connect: Connector;
  /** Ends all sockets: undici does not end all when it is destroyed, and none when it is closed already. */
  end(error: Error | null): void;
  /** Calls back when no socket is open, at once where there is none. */
  onceEmpty(callback: () => void): void;
  /** Whether so many origins were asked for that the agent should make place for a new one. */
  readonly crowded: boolean;
}

/** Makes the connector of one rule set. TLS sessions are kept per connector, so per rule set. */
export function createConnector(
  guard: Guard,
  { options, protocols, timeout, maxSessions, socketPath, onCrowded }: ConnectorSettings,
): GuardedConnector {
  const sessions = new Sessions(maxSessions);
  const connecting = new Connecting(timeout);
  let ended: Error | undefined;
  const origins = new Origins();
  const plainOptions = readOnce({ highWaterMark: 65_536, ...options });
  const plainNames = readByNet(plainOptions);
  const tlsOptions = {
    highWaterMark: 16_384,
    ...options,
    ALPNProtocols: protocols,
  };
  const keepAlive = options['keepAlive'] !== false;
  const keepAliveDelay = (options['keepAliveInitialDelay'] as number | undefined) ?? KEEP_ALIVE_DELAY;

  /** Opens the socket of one connection; throws what is refused without a look-up. */
  const open = (asked: ConnectorTarget, secure: boolean, target: Target): Socket => {
    const gate = socketPath === undefined ? new Gate(guard, target) : new PathGate(guard, socketPath);
    const { localAddress } = asked;
    if (!secure) {
      const pinned = localAddress
        ? gate.pinForNet(readOnce({ ...plainOptions, localAddress }))
        : gate.pinForNet(plainOptions, plainNames);
      return gate.watch(net.connect(pinned as unknown as net.NetConnectOpts));
    }
    const own = readOnce(localAddress ? { ...tlsOptions, localAddress } : tlsOptions);
    if (asked.allowH2 === false) own['ALPNProtocols'] = ['http/1.1'];
    const pinned = gate.pin(own);
    const name =
      asked.servername ||
      options['servername'] ||
      (asked.host === undefined ? '' : nameOf(asked.host)) ||
      nameOf(target.host);
    own['servername'] = name;
    const key = `${String(name)} ${target.host}:${target.port}`;
    const session = options['session'] ?? sessions.get(key);
    if (session !== undefined) own['session'] = session;
    const socket = tls.connect(pinned as tls.ConnectionOptions);
    socket.on('session', (fresh: Buffer) => sessions.keep(key, fresh));
    return gate.watch(socket);
  };

  const connect: Connector = (asked, callback) => {
    const origin = origins.of(asked);
    if (origins.crowded) onCrowded();
    try {
      // What still queued behind a socket that was ended asks for another one.
      if (ended !== undefined) throw ended;
      if (asked.httpSocket !== undefined && asked.httpSocket !== null) {
        throw invalidOption('httpSocket', 'a connection through a proxy would lead around the rules');
      }
      const { secure, target } = origin;
      const socket = open(asked, secure, target);
      if (keepAlive) socket.setKeepAlive(true, keepAliveDelay);
      connecting.add(socket.setNoDelay(true), secure ? 'secureConnect' : 'connect', target, callback);
      return socket;
    } catch (error) {
      // Not from inside undici's own call: it has not stored the client yet.
      queueMicrotask(() => callback(error as Error, null));
      return undefined;
    }
  };
  return {
    connect,
    get crowded() {
      return origins.crowded;
    },
    end: (error: Error | null) => {
      // Of our own: after some of its own undici would ask for another socket, without end.
      ended = misuse(Error, 'ERR_NETJAIL_CLOSED', 'Cannot connect: the dispatcher is destroyed');
      if (error !== null) ended.cause = error;
      connecting.end(error ?? ended);
    },
    onceEmpty: (callback) => connecting.onceEmpty(callback),
  };
}

/** What {@link Gate} is to an address, for the one path of a connector: there is nothing more to judge. */
class PathGate {
  readonly #guard: Guard;
  readonly #path: string;

  constructor(guard: Guard, path: string) {
    this.#guard = guard;
    this.#path = path;
  }

  pin(options: Record<string, unknown>): PathOptions {
    return pinPath(this.#guard, this.#path, options, false);
  }

  pinForNet(options: Readonly<Record<string, unknown>>): PathOptions {
    return this.pin(readOnce(options));
  }

  watch<S extends Socket>(socket: S): S {
    return lockSocket(socket);
  }
}

/** One origin that a connector was asked for. */
class Origin {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string | undefined;
  #target: Target | undefined;

  constructor(protocol: string, hostname: string, port: string | undefined) {
    this.protocol = protocol;
    this.hostname = hostname;
    this.port = port;
  }

  get secure(): boolean {
    return this.protocol === 'https:';
  }

  /** Read when it is asked for, which throws where it is none; the same for each connection. */
  get target(): Target {
    return (this.#target ??= readTarget(bare(this.hostname), this.port || (this.secure ? 443 : 80)));
  }
}

/** The host of a URL without the brackets of an IPv6 address. */
function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.replace(/^\[|\]$/g, '') : hostname;
}

/** The origins that a connector was asked for. */
class Origins {
  readonly #seen = new Set<string>();
  #latest: Origin | undefined;

  get crowded(): boolean {
    return this.#seen.size >= MAX_ORIGINS;
  }

  /** The origin that is asked for, which is most often that of before. */
  of(asked: ConnectorTarget): Origin {
    const { protocol, hostname, port } = asked;
    const latest = this.#latest;
    if (latest?.hostname === hostname && latest.port === port && latest.protocol === protocol) return latest;
    if (!this.crowded) this.#seen.add(`${protocol}${hostname}:${port}`);
    return (this.#latest = new Origin(protocol, hostname, port));
  }
}

/** The newest TLS sessions of a connector. */
class Sessions {
  readonly #sessions = new Map<string, Buffer>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Buffer | undefined {
    return this.#sessions.get(key);
  }

  keep(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > this.#max) this.#sessions.delete(this.#sessions.keys().next().value!);
  }
}

/** The server name for TLS of a Host header or hostname; none for an address. */
function nameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:[0-9]+$/, '');
  return net.isIP(name) === 0 && net.isIP(host) === 0 ? name : '';
}
