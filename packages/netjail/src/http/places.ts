import type http from 'node:http';
import type { Socket } from 'node:net';
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

type Queued = { onSocket(socket: null, error: Error): void };

/**
 * The `maxTotalSockets` places of an agent, among the requests of several rule sets.
 *
 * Node keeps a connection that is idle although a request of another name waits for its place, and looks no
 * further for one when a connection closes once the first name in its queue has a connection. Each rule set
 * has names of its own, so that would be the way of many requests.
 */
export class Places {
  readonly #agent: NodeAgent;
  /** What Node makes the socket of a request with that was queued. */
  readonly #queued = new WeakMap<http.ClientRequest, Options>();

  constructor(agent: http.Agent) {
    this.#agent = agent as NodeAgent;
  }

  /** A request was sent, under this name where it is known: makes room where it waits only for a place. */
  sent(request: http.ClientRequest, name: string | undefined, options: Options): void {
    const { requests } = this.#agent;
    const isLast = (one: string): boolean => requests[one]?.at(-1) === request;
    const queue = name === undefined ? Object.keys(requests).find(isLast) : name;
    if (queue === undefined || !isLast(queue)) return;
    this.#queued.set(request, options);
    if (this.#areTaken && this.#mayHaveMore(queue)) this.#endIdle();
  }

  /** A socket is made for a request, by Node or by us: one is enough. */
  making(request: http.ClientRequest): void {
    this.#queued.delete(request);
  }

  /** Whether a request waits only because there is no place. */
  get isWanted(): boolean {
    return this.#areTaken && this.#next() !== undefined;
  }

  /** A socket is no more: gives its place to the next request that waits for one, if Node has not done so. */
  removed(): void {
    const request = this.#next();
    if (request === undefined) return;
    if (this.#areTaken) {
      this.#endIdle();
      return;
    }
    const options = this.#queued.get(request)!;
    this.#agent.createSocket(request, options, (error, socket) => {
      if (error) (request as unknown as Queued).onSocket(null, error);
      else socket.emit('free');
    });
  }

  get #areTaken(): boolean {
    const { totalSocketCount, maxTotalSockets } = this.#agent;
    return totalSocketCount >= maxTotalSockets;
  }

  #mayHaveMore(name: string): boolean {
    const { sockets, maxSockets } = this.#agent;
    return (sockets[name]?.length ?? 0) < maxSockets;
  }

  /** The first request of those whose name may have one more connection. */
  #next(): http.ClientRequest | undefined {
    const { requests } = this.#agent;
    for (const name of Object.keys(requests)) {
      if (!this.#mayHaveMore(name)) continue;
      const found = requests[name]?.find((request) => this.#queued.has(request as http.ClientRequest));
      if (found !== undefined) return found as http.ClientRequest;
    }
    return undefined;
  }

  /** One that is destroyed stays in the list until it has closed. */
  #endIdle(): void {
    Object.values(this.#agent.freeSockets)
      .flat()
      .find((socket) => socket?.destroyed === false)
      ?.destroy();
  }
}
