import type { Rules } from './rules.ts';
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
  readonly #pools = new Map<string, Pool>();
  #newest: string | undefined;

  constructor(max: number, create: (rules: Rules | undefined) => Pool, retire: (pool: Pool) => void) {
    this.#max = max;
    this.#create = create;
    this.#retire = retire;
    onWithdrawn(this);
  }

  /** The pool of these rules; `undefined` has one of its own, which denies. */
  for(rules: Rules | undefined): Pool {
    const id = rules === undefined ? '' : rules.id;
    const known = this.#pools.get(id);
    if (known !== undefined) {
      if (id !== this.#newest) {
        this.#pools.delete(id);
        this.#pools.set(id, known);
        this.#newest = id;
      }
      return known;
    }
    const pool = this.#create(rules);
    this.#pools.set(id, pool);
    this.#newest = id;
    if (this.#pools.size > this.#max) {
      const [oldest, evicted] = this.#pools.entries().next().value!;
      this.#pools.delete(oldest);
      this.#retire(evicted);
    }
    return pool;
  }

  /** The rules are in nobody's policy any more: their connections serve no further request. */
  withdrawn(rules: Rules): void {
    const pool = this.#pools.get(rules.id);
    if (pool === undefined) return;
    this.#pools.delete(rules.id);
    if (this.#newest === rules.id) this.#newest = undefined;
    this.#retire(pool);
  }

  get size(): number {
    return this.#pools.size;
  }

  [Symbol.iterator](): Iterator<Pool> {
    return [...this.#pools.values()][Symbol.iterator]();
  }

  /** Forgets all pools and gives them back. */
  clear(): Pool[] {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#newest = undefined;
    return pools;
  }
}
