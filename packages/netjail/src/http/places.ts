import { AsyncResource } from 'node:async_hooks';
import type http from 'node:http';
import type { Socket } from 'node:net';
import { isRecord } from '../internal/assert.ts';
import type { Options } from './request-options.ts';

/** What Node's agent has and its types leave out. */
interface NodeAgent extends http.Agent {
  readonly totalSocketCount: number;
  createSocket(
    request: http.ClientRequest,
    options: Options,
    callback: (error: Error | null, socket: Socket) => void,
  ): void;
}
type Queued = http.ClientRequest & { onSocket(socket: null, error?: Error): void };

/** Of a request that has to wait. */
interface Wait {
  readonly since: number;
  /** Of whoever made the request: Node makes its socket when another one ends, in the context of that. */
  readonly scope: AsyncResource;
}

let waits = 0;

/**
 * The `maxTotalSockets` places of an agent, among the requests of several rule sets: whoever waits longest
 * gets the next one.
 *
 * Node gives a connection to the requests of its own name for as long as there are any, keeps one that is
 * idle although a request of another name waits for its place, and when one closes it looks at its own name
 * and the first in its queue only. Each rule set has names of its own, so one with enough to do would keep
 * the others out for ever.
 */
export class Places {
  readonly #agent: NodeAgent;
  /** The names under which requests wait; some that none waits under any more. */
  readonly #names = new Set<string>();
  readonly #waits = new WeakMap<http.ClientRequest, Wait>();
  #isWatching = false;

  constructor(agent: http.Agent) {
    this.#agent = agent as NodeAgent;
  }

  /** A request was sent: makes room where it waits only for a place. */
  sent(request: http.ClientRequest): void {
    if (!this.#areLimited()) return;
    const options = waitsWith(request);
    if (options === undefined) return;
    this.#watch();
    this.#waits.set(request, { since: ++waits, scope: new AsyncResource('netjail.request') });
    const name = this.#agent.getName(options);
    this.#names.add(name);
    if (this.#areTaken() && this.#mayHaveMore(name)) this.#endIdle();
  }

  /** Runs what makes the socket of a request in the asynchronous context of the request, if it has waited. */
  runFor(request: http.ClientRequest, make: () => void): void {
    const wait = this.#waits.get(request);
    if (wait === undefined) make();
    else wait.scope.runInAsyncScope(make);
  }

  /** Whether a request waits only because there is no place. */
  get isWanted(): boolean {
    return this.#areLimited() && this.#areTaken() && this.#oldest() !== undefined;
  }

  /** Ends a connection that Node is about to give to a younger request, of its own name. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#agent.prependListener('free', (socket, given) => {
      if (!this.#areLimited() || !this.#areTaken()) return;
      const own = this.#firstOf(given);
      // Where a socket was asked for this is it, or that one will be there for the next.
      if (own === undefined || waitsWith(own) === undefined) return;
      const oldest = this.#oldest()?.request;
      if (oldest !== undefined && this.#since(oldest) < this.#since(own)) socket.destroy();
    });
  }

  /**
   * Has Node take a socket from its lists (`remove`), and makes one for the request that waits longest
   * instead of Node: one for one, since sockets that a class on ours opens later are not counted yet.
   */
  removed(given: unknown, remove: () => void): void {
    if (!this.#areLimited()) {
      remove();
      return;
    }
    const own = this.#firstOf(given);
    const agent: { requests: object } = this.#agent;
    const { requests } = agent;
    // Without any it makes none.
    agent.requests = { __proto__: null };
    try {
      remove();
    } finally {
      agent.requests = requests;
    }
    if (this.#areTaken()) return;
    const next = this.#next();
    if (next !== undefined) this.#serve(next, waitsWith(next)!);
    // As in Node: what was asked for it may have been this.
    else if (own !== undefined && waitsWith(own) === undefined) this.#serve(own, given as Options);
  }

  /** As Node does it. */
  #serve(request: Queued, options: Options): void {
    // Set by Node when the request began to wait.
    (request as unknown as Options)[waiting!] = undefined;
    this.#agent.createSocket(request, options, (error, socket) => {
      if (error) request.onSocket(null, error);
      else socket.emit('free');
    });
  }

  // Methods: until it is optimized, a private getter is a call into the engine's runtime.
  #areLimited(): boolean {
    return this.#agent.maxTotalSockets < Infinity;
  }

  #areTaken(): boolean {
    const { totalSocketCount, maxTotalSockets } = this.#agent;
    return totalSocketCount >= maxTotalSockets;
  }

  #mayHaveMore(name: string): boolean {
    const { sockets, maxSockets } = this.#agent;
    return (sockets[name]?.length ?? 0) < maxSockets;
  }

  /** The first request of the name that a socket has. */
  #firstOf(given: unknown): Queued | undefined {
    return this.#queueOf(this.#agent.getName(isRecord(given) ? given : {}))?.[0];
  }

  /** The oldest. Those that were aborted are told so, as when Node comes to them, and need no connection. */
  #next(): Queued | undefined {
    for (;;) {
      const oldest = this.#oldest();
      if (oldest === undefined) return undefined;
      const { request, name, queue } = oldest;
      if (!request.destroyed) return request;
      queue.splice(queue.indexOf(request), 1);
      if (queue.length === 0) delete (this.#agent.requests as Record<string, unknown>)[name];
      this.runFor(request, () => request.onSocket(null));
    }
  }

  /** Of those that wait, no socket asked for yet, and whose name may have one more. */
  #oldest(): { request: Queued; name: string; queue: Queued[] } | undefined {
    let oldest: { request: Queued; name: string; queue: Queued[] } | undefined;
    for (const name of this.#names) {
      const queue = this.#queueOf(name);
      if (queue === undefined) this.#names.delete(name);
      else if (this.#mayHaveMore(name)) {
        const request = queue.find((one) => waitsWith(one) !== undefined);
        if (request === undefined) continue;
        if (oldest === undefined || this.#since(request) < this.#since(oldest.request))
          oldest = { request, name, queue };
      }
    }
    return oldest;
  }

  #queueOf(name: string): Queued[] | undefined {
    return this.#agent.requests[name] as Queued[] | undefined;
  }

  /** One that came before the agent had a limit is the oldest. */
  #since(request: Queued): number {
    return this.#waits.get(request)?.since ?? 0;
  }

  /** One that is destroyed stays in the list until it has closed. */
  #endIdle(): void {
    Object.values(this.#agent.freeSockets)
      .flat()
      .find((socket) => socket?.destroyed === false)
      ?.destroy();
  }
}

/** Under this symbol of its own Node keeps what it makes the socket of a request with, until it asks for that. */
let waiting: symbol | undefined;

/** What the socket of a request is made with that is in Node's queue and for which none was asked for yet. */
function waitsWith(request: http.ClientRequest): Options | undefined {
  waiting ??= Object.getOwnPropertySymbols(request).find(
    ({ description }) => description === 'requestOptions',
  );
  return waiting === undefined
    ? undefined
    : ((request as unknown as Options)[waiting] as Options | undefined);
}
