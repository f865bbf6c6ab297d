import { AsyncLocalStorage } from 'node:async_hooks';
import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';
import { EMPTY, isRules, Rules, toRules } from './rules.ts';

const KEY = Symbol.for('netjail.context.1');

/**
 * One storage for the process, so that two installed copies see the same rules in effect. It is kept where
 * Node's own class is, which is the same in every vm context (jest), as the global object is not.
 */
const storage: AsyncLocalStorage<unknown> = (() => {
  const registry = AsyncLocalStorage as { [KEY]?: AsyncLocalStorage<unknown> };
  const shared = registry[KEY];
  if (shared !== undefined) return shared;
  const own = new AsyncLocalStorage<unknown>();
  Object.defineProperty(AsyncLocalStorage, KEY, { value: own });
  return own;
})();

/**
 * Runs a function with rules in effect, for it and for all asynchronous work that it starts, and
 * returns what it returns.
 *
 * - Nested scopes only narrow: inside an outer scope an address must pass both.
 *   More than 256 different scopes inside each other work, but their text can no longer be read, and
 *   another installed copy of netjail refuses them.
 * - `undefined` and `null` are the empty rule set, which denies everything, never the outer rules.
 * - The rules travel with promises, timers, streams and `AsyncResource.bind`. A connection pool or
 *   event emitter that calls back later has the context of whoever made it: netjail's adapters
 *   read the rules when the call is made, for that reason. So has a callback of a stream or parser
 *   (`request.on('end', ...)`, busboy), and a queue of jobs runs what waits in the context of the job
 *   before it: give them `AsyncResource.bind(fn)`.
 * - What `fn` only makes and somebody else runs later is not in its scope: a generator's body runs under
 *   the rules in effect where `next` is called, and a request that begins with `then` (superagent, knex,
 *   mongoose) under those where it is awaited: so await it inside, `async () => await request`.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_RULES` when `rules` is anything else, and
 * `ERR_NETJAIL_INVALID_ARGUMENT` when `fn` is not a function; nothing is called then.
 *
 * @example
 * ```ts
 * import { currentRules, Rules, withRules } from 'netjail';
 *
 * const rules = new Rules({ allow: ['10.0.0.0/8'] });
 * console.log(withRules(rules, () => String(currentRules()))); // ALLOW 10.0.0.0/8
 * console.log(currentRules()); // undefined
 * ```
 */
export function withRules<Args extends unknown[], Result>(
  rules: Rules | null | undefined,
  fn: (...args: Args) => Result,
  ...args: Args
): Result {
  // The way of almost every call, short so that the engine makes it a part of its caller.
  const alone = isRules(rules) && typeof fn === 'function' && storage.getStore() === undefined;
  const scope = alone ? rules : narrow(rules, fn);
  return args.length === 0 ? storage.run(scope, fn as () => Result) : storage.run(scope, fn, ...args);
}

/** The rules of a scope, inside those of the outer one. */
function narrow(rules: unknown, fn: unknown): Rules {
  if (typeof fn !== 'function') {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot run ${show(fn)} with rules: it is not a function`,
    );
  }
  const own = rules === undefined || rules === null ? EMPTY : toRules(rules);
  const outer = currentRules();
  return outer === undefined ? own : Rules.intersect(own, outer);
}

/**
 * The rules in effect, or `undefined` outside of every {@link withRules}: then every connection
 * that asks for them is denied.
 */
export function currentRules(): Rules | undefined {
  const rules = storage.getStore();
  return rules === undefined || isRules(rules) ? rules : toRules(rules);
}

/** Whether exactly these rules are in effect. */
export function rulesInEffect(rules: Rules | undefined): boolean {
  return storage.getStore() === rules;
}

/**
 * Runs a callback under exactly these rules, those of the call that it belongs to: not narrowed by
 * what happens to be in effect where a pool calls back. For adapters; never exported.
 */
export function underRulesOfCall<Args extends unknown[], Result>(
  rules: Rules | undefined,
  fn: (...args: Args) => Result,
  ...args: Args
): Result {
  return storage.run(rules, fn, ...args);
}
