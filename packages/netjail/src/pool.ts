import { containsScopes, type Rules } from './rules.ts';
import { onWithdrawn, type WithdrawalListener } from './withdrawn.ts';

/** How many pools are kept when nothing else is said. */
export const DEFAULT_MAX_POOLS = 256;

/**
 * One pool of connections for each rule set, so that a connection opened under some rules is never
 * used under others. Beyond `max` the least recently used pool is retired: it finishes what it is
 * doing and closes; so is the pool of rules that a changed policy file withdraws.
 */
export class Pools<Pool> implements WithdrawalListener {
  readonly #max: number;
  readonly #create: (rules: Rules | undefined) => Pool;
  readonly #retire: (pool: Pool) => void;
  /** Least recently used first. */
  readonly #pools = new Map<string, { readonly rules: Rules | undefined; readonly pool: Pool }>();
  /** The one that was asked for last: most often it is asked for again. It is the last of the pools, too. */
  #latest: { readonly rules: Rules | undefined; readonly pool: Pool } | undefined;

  constructor(max: number, create: (rules: Rules | undefined) => Pool, retire: (pool: Pool) => void) {
    this.#max = max;
    this.#create = create;
    this.#retire = retire;
    onWithdrawn(this);
  }

  /** The pool of these rules; `undefined` has one of its own, which denies. */
  for(rules: Rules | undefined): Pool {
    if (this.#latest !== undefined && this.#latest.rules === rules) return this.#latest.pool;
    const id = idOf(rules);
    const { pool } = this.#pools.get(id) ?? { pool: this.#create(rules) };
    const latest = { rules, pool };
    this.#pools.delete(id);
    this.#pools.set(id, latest);
    this.#latest = latest;
    if (this.#pools.size > this.#max) {
      const [oldest, evicted] = this.#pools.entries().next().value!;
      this.#pools.delete(oldest);
      this.#retire(evicted.pool);
    }
    return pool;
  }

  /**
   * The rules are in nobody's policy any more: their connections serve no further request, nor do those
   * of scopes that they are a part of.
   */
  withdrawn(withdrawn: Rules): void {
    for (const { rules } of this.#pools.values()) {
      if (rules !== undefined && containsScopes(rules, withdrawn)) this.#take(rules);
    }
  }

  /** Retires the pool of these rules and gives them a new one. */
  renew(rules: Rules | undefined): Pool {
    this.#take(rules);
    return this.for(rules);
  }

  #take(rules: Rules | undefined): void {
    const id = idOf(rules);
    const taken = this.#pools.get(id);
    if (taken === undefined) return;
    this.#pools.delete(id);
    this.#latest = undefined;
    this.#retire(taken.pool);
  }

  [Symbol.iterator](): Iterator<Pool> {
    return Array.from(this.#pools.values(), ({ pool }) => pool)[Symbol.iterator]();
  }

  /** Forgets all pools and gives them back. */
  clear(): Pool[] {
    const pools = [...this];
    this.#pools.clear();
    this.#latest = undefined;
    return pools;
  }
}

function idOf(rules: Rules | undefined): string {
  return rules === undefined ? '' : rules.id;
}
