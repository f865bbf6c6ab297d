import type { GuardedConnector } from './connector.ts';

/** What is used of an undici Agent, of any version. */
export interface AgentLike {
  dispatch(options: object, handler: object): boolean;
  close(): Promise<void>;
  destroy(error?: Error | null): Promise<void>;
  /** How large messages may be, and what else undici asks whoever dispatches a WebSocket or an EventSource. */
  readonly webSocketOptions?: unknown;
  readonly eventSourceOptions?: unknown;
  /** Since undici 7: how many connections and requests there are, by origin. */
  readonly stats?: unknown;
}

/** The agent of one rule set with its connector. */
export class PooledAgent {
  readonly agent: AgentLike;
  readonly #connector: GuardedConnector;
  #closing: Promise<void> | undefined;

  constructor(agent: AgentLike, connector: GuardedConnector) {
    this.agent = agent;
    this.#connector = connector;
  }

  /** Resolves when everything is finished, or destroyed; more than one may wait for it. */
  close(): Promise<void> {
    return (this.#closing ??= this.agent.close().catch(() => {}));
  }

  async destroy(error: Error | null = null): Promise<void> {
    if (this.#closing !== undefined) {
      this.#connector.end(error);
      await this.#closing;
      return;
    }
    const done = this.agent.destroy(error);
    // undici forgets sockets that were upgraded, sessions that are going away, and what is being opened.
    this.#connector.end(error);
    await done;
  }

  /** Calls back when no socket is open any more. */
  onceEmpty(callback: () => void): void {
    this.#connector.onceEmpty(callback);
  }

  get crowded(): boolean {
    return this.#connector.crowded;
  }
}

/** Is told of an event of an agent: of which origin, and the error that it is about, if there is one. */
export type AgentListener = (name: string, origin: unknown, error: unknown) => void;

/** What an undici agent tells whoever dispatches on it: `drain`, after `dispatch` has said to wait. */
export const EVENTS: readonly string[] = ['connect', 'disconnect', 'connectionError', 'drain'];

/** Tells a listener of all that an agent emits. */
export function listen(agent: AgentLike, onEvent: AgentListener): void {
  const emitter = agent as {
    on?: (name: string, listener: (origin: unknown, targets: unknown, error: unknown) => void) => void;
  };
  for (const name of EVENTS) emitter.on?.(name, (origin, _targets, error) => onEvent(name, origin, error));
}

/** A client inside of an agent. */
interface ClientLike {
  readonly destroyed?: boolean;
  close(callback?: unknown): unknown;
}

/**
 * Lets the clients of an agent be closed when they are destroyed already. The pools of undici 6 do that when
 * they are closed while requests are queued, and nobody catches its failure, which would end the process.
 */
export function tolerateLateClose(agent: AgentLike): void {
  const emitter = agent as {
    on?: (name: string, listener: (origin: unknown, targets: readonly ClientLike[]) => void) => void;
  };
  emitter.on?.('connect', (_origin, targets) => {
    const client = targets.at(-1);
    if (client === undefined || Object.hasOwn(client, 'close')) return;
    const { close } = client;
    client.close = function (this: ClientLike, callback?: unknown): unknown {
      const isLate = callback === undefined && this.destroyed === true;
      return isLate ? Promise.resolve() : close.call(this, callback);
    };
  });
}
