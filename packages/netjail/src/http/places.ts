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
type Queued = http.ClientRequest & { onSocket(socket: null, error: Error): void };

/**
 * The `maxTotalSockets` places of an agent, among the requests of several rule sets.
 *
 * Node keeps a connection that is idle although a request of another name waits for its place, and when a
 * connection closes it looks no further for who gets the place than at the first name in its queue. Each
 * rule set has names of its own, so that would be the way of many requests.
 */
export class Places {
  readonly #agent: NodeAgent;
  /** The names under which requests wait, in Node's order; some that none waits under any more. */
  readonly #names = new Set<string>();

  constructor(agent: http.Agent) {
    this.#agent = agent as NodeAgent;
  }

  /** A request was sent: makes room where it waits only for a place. */
  sent(request: http.ClientRequest): void {
    if (!this.#areLimited) return;
    const options = waitsWith(request);
    if (options === undefined) return;
    const name = this.#agent.getName(options);
    // Node forgets a name when nothing waits under it.
    if (this.#agent.requests[name]?.length === 1) this.#names.delete(name);
    this.#names.add(name);
    if (this.#areTaken && this.#mayHaveMore(name)) this.#endIdle();
  }

  /** Whether a request waits only because there is no place. */
  get isWanted(): boolean {
    return this.#areLimited && this.#areTaken && this.#next() !== undefined;
  }

  /**
   * Has Node take a socket from its lists (`remove`), which makes one for a request that waits, or makes
   * none. Then the next one that waits only for a place gets a socket: one for one, since sockets that a
   * class on ours opens later are not counted yet.
   */
  removed(given: unknown, remove: () => void): void {
    if (!this.#areLimited) {
      remove();
      return;
    }
    const { requests } = this.#agent;
    const isServed = requests[this.#agent.getName(isRecord(given) ? given : {})] !== undefined;
    const first = this.#first();
    remove();
    if (isServed || (first !== undefined && waitsWith(first) === undefined)) return;
    const next = this.#areTaken ? undefined : this.#next();
    if (next !== undefined) this.#serve(next);
  }

  /** As Node does it. */
  #serve(request: Queued): void {
    const options = waitsWith(request)!;
    (request as unknown as Options)[waiting!] = undefined;
    this.#agent.createSocket(request, options, (error, socket) => {
      if (error) request.onSocket(null, error);
      else socket.emit('free');
    });
  }

  get #areLimited(): boolean {
    return this.#agent.maxTotalSockets < Infinity;
  }

  get #areTaken(): boolean {
    const { totalSocketCount, maxTotalSockets } = this.#agent;
    return totalSocketCount >= maxTotalSockets;
  }

  #mayHaveMore(name: string): boolean {
    const { sockets, maxSockets } = this.#agent;
    return (sockets[name]?.length ?? 0) < maxSockets;
  }

  /** The one that Node looks at, if it asks for a socket for it now. */
  #first(): Queued | undefined {
    const [first] = this.#waiting();
    return first !== undefined && waitsWith(first.queue[0]!) !== undefined ? first.queue[0] : undefined;
  }

  /** The first of those that wait, no socket asked for yet, and whose name may have one more. */
  #next(): Queued | undefined {
    for (const { name, queue } of this.#waiting()) {
      if (!this.#mayHaveMore(name)) continue;
      const next = queue.find((request) => waitsWith(request) !== undefined);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  *#waiting(): Generator<{ name: string; queue: readonly Queued[] }> {
    for (const name of this.#names) {
      const queue = this.#agent.requests[name] as readonly Queued[] | undefined;
      if (queue === undefined) this.#names.delete(name);
      else yield { name, queue };
    }
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
