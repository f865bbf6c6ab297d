import type { Agent, ClientRequest, ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { AgentGate } from './gate.ts';

/** What a guarded agent has, besides and instead of what Node's has. */
export interface GuardedMethods {
  /** Called by Node when a request is made. */
  addRequest(request: ClientRequest, options: unknown, port?: unknown, localAddress?: unknown): void;
  /** Called by Node when a request needs a socket, at once or when another request has ended. */
  createSocket(request: ClientRequest, options: unknown, callback: unknown): void;
  /** Called by Node when a socket is closed, or handed over to whoever has upgraded it. */
  removeSocket(socket: unknown, options: unknown): void;
  /** As in Node; for a request also with the number of its rule set, which changes from run to run. */
  getName(options?: ClientRequestArgs): string;
  /**
   * Opens a guarded socket, for Node and for clients that ask an agent for one. A denial is the
   * error of the socket. A client's callback is called once, with the open socket or with the error.
   */
  createConnection(options: unknown, callback?: unknown): Created;
  /** Called by Node when no request uses a socket any more. */
  keepSocketAlive(socket: never): boolean;
  /** Closes the connections that no request uses. */
  closeIdleConnections(): void;
  /** Lets requests finish, closes their connections and refuses new requests (`ERR_NETJAIL_CLOSED`). */
  close(): void;
  /** Destroys every connection, in use or not. As in Node, the agent can be used again. */
  destroy(): void;
}

/** A guarded agent of one of Node's two classes. */
export type Guarded<A extends Agent> = GuardedMethods & A;

/** As in the types of the Node that this is compiled with: older ones leave the method out. */
type Created = Agent extends { createConnection(...args: never): infer Socket } ? Socket : Duplex;

/** Makes a guarded agent class of one of Node's: what Node calls goes through the gate first. */
export function guarded<A extends Agent>(
  Base: new (options?: never) => A,
): new (options: object) => Guarded<A> {
  class GuardedAgent extends (Base as unknown as typeof Agent) {
    readonly #gate: AgentGate;
    readonly #open = (options: object): unknown => super.createConnection(options as never);

    constructor(options: object) {
      const gate = new AgentGate(options);
      super(gate.clientOptions);
      this.#gate = gate.attach(this, GuardedAgent.prototype);
    }

    addRequest(request: ClientRequest, options: unknown, port?: unknown, localAddress?: unknown): void {
      const gate = this.#gate;
      const outer = gate.sending;
      const admitted = gate.admit(request, options, port, localAddress);
      if (admitted === undefined) return;
      try {
        // @ts-expect-error -- the types leave it out
        super.addRequest(request, admitted);
      } finally {
        gate.sent(request, outer);
      }
    }

    createSocket(request: ClientRequest, options: unknown, callback: unknown): void {
      this.#gate.create(request, options, callback as never, (own, made) => {
        // @ts-expect-error -- the types leave it out
        super.createSocket(request, own, made);
      });
    }

    removeSocket(socket: unknown, options: unknown): void {
      this.#gate.removed(options, () => {
        // @ts-expect-error -- the types leave it out
        super.removeSocket(socket, options);
      });
    }

    override getName(options?: ClientRequestArgs): string {
      const pass = this.#gate.passFor(options);
      if (pass === undefined) return super.getName(options);
      if (pass.name !== undefined && !pass.renamed) return pass.name;
      const name = super.getName(options) + pass.pool.suffix;
      pass.name ??= name;
      return name;
    }

    override createConnection(options: unknown, callback?: unknown): Created {
      return this.#gate.connect(options, callback, this.#open);
    }

    override keepSocketAlive(socket: never): boolean {
      // The types say void; Node wants to know whether to keep it.
      return this.#gate.keeps(socket) && (super.keepSocketAlive(socket) as unknown as boolean);
    }

    closeIdleConnections(): void {
      this.#gate.closeIdleConnections();
    }

    close(): void {
      this.#gate.close();
    }

    override destroy(): void {
      this.#gate.forget();
      super.destroy();
    }
  }
  return GuardedAgent as never;
}
