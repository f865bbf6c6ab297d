import { originOf } from './dispatched-request.ts';
import type { AgentLike } from './pooled-agent.ts';

/**
 * The origins for which an agent has said to wait for `drain`. One that is closing emits none: whoever waits
 * would do so for ever, although the next request has another agent.
 */
export class Drains {
  readonly #awaited = new WeakMap<AgentLike, Set<string>>();

  /** From now on a `drain` of this origin is owed. */
  await(agent: AgentLike, given: unknown): void {
    const origin = originOf(given);
    // An agent says no to what it refuses, too.
    if (origin === undefined) return;
    let awaited = this.#awaited.get(agent);
    if (awaited === undefined) {
      const origins = new Set<string>();
      const emitter = agent as { on?: (name: 'drain', listener: (origin: unknown) => void) => void };
      emitter.on?.('drain', (drained) => origins.delete(originOf(drained)!));
      this.#awaited.set(agent, (awaited = origins));
    }
    awaited.add(origin);
  }

  /** The origins that are still owed one. */
  of(agent: AgentLike): readonly string[] {
    return [...(this.#awaited.get(agent) ?? [])];
  }
}
