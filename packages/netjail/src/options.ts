import { misuse } from './errors.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import type { Resolver } from './resolver.ts';
import { EMPTY, isRules, toRules, type Rules } from './rules.ts';

/** What every adapter and the dial take besides the client's own options. */
export interface GuardOptions {
  /**
   * The rules for every connection; omitted: those in effect at each call (`withRules`). A function
   * is called at each call, for rules that change: `() => policy.rules` of `watchPolicy`. When it
   * returns `undefined` or `null` everything is denied.
   */
  readonly rules?: Rules | (() => Rules | null | undefined);
  /** Finds the addresses of names; default: the operating system's (`dns.lookup`). */
  readonly resolver?: Resolver | undefined;
  /**
   * What becomes of a name of which some addresses are denied: `'any'` (default) dials the allowed
   * ones only, `'all'` denies the name.
   */
  readonly answers?: 'any' | 'all' | undefined;
  /**
   * `'report'` publishes would-be denials on `netjail:verdict` and **lets them through**: for
   * trying out rules. Default `'enforce'`.
   */
  readonly mode?: 'enforce' | 'report' | undefined;
}

/** Options for `net.connect` and `tls.connect`, of whatever type; no function. */
export type ConnectOption = Readonly<Record<string, unknown>> | (object & { readonly call?: never });

/** {@link GuardOptions} with the defaults in place. */
export interface GuardSettings {
  /** Read it once for each call, when the call is made: it may be another one at the next. */
  readonly rules: Rules | undefined;
  /** Whether they come from the options, and those in effect do not count. */
  readonly givenRules: boolean;
  readonly resolver: Resolver | undefined;
  readonly answers: 'any' | 'all';
  readonly mode: 'enforce' | 'report';
  /** Whether undici is told of a failure; see `failureOf`. */
  readonly forUndici?: boolean;
}

export function invalidOption(name: string, reason: string): TypeError {
  return misuse(TypeError, 'ERR_NETJAIL_INVALID_OPTION', `Cannot use option ${show(name)}: ${reason}`);
}

/** Splits options, each read once, into netjail's own and the client's. */
export function readOptions(options: unknown): { settings: GuardSettings; rest: Record<string, unknown> } {
  if (!isRecord(options)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot use ${show(options)} as options: they are an object`,
    );
  }
  if (isRules(options)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      'Cannot use Rules as options: they are an object with `rules`',
    );
  }
  const { rules, resolver, answers, mode, ...unread } = readOnce(options);
  const rest = Object.assign(Object.create(null) as Record<string, unknown>, unread);
  if (resolver !== undefined && typeof resolver !== 'function') {
    throw invalidOption('resolver', `it is a function, not ${show(resolver)}`);
  }
  if (answers !== undefined && answers !== 'any' && answers !== 'all') {
    throw invalidOption('answers', `it is "any" or "all", not ${show(answers)}`);
  }
  if (mode !== undefined && mode !== 'enforce' && mode !== 'report') {
    throw invalidOption('mode', `it is "enforce" or "report", not ${show(mode)}`);
  }
  const others = {
    givenRules: rules !== undefined,
    resolver: resolver as Resolver | undefined,
    answers: answers ?? 'any',
    mode: mode ?? 'enforce',
  } as const;
  // A plain property where it can be one: each call reads it.
  const settings: GuardSettings =
    typeof rules === 'function'
      ? {
          get rules() {
            return answerOf(rules as () => unknown);
          },
          ...others,
        }
      : { rules: rules === undefined ? undefined : toRules(rules), ...others };
  return { settings: Object.freeze(settings), rest };
}

/** The rules that a function says. One that answers nothing denies, like `withRules`. */
function answerOf(rules: () => unknown): Rules {
  const answer = rules();
  return answer === undefined || answer === null ? EMPTY : toRules(answer);
}

/** Throws when one of the options is given: each would lead a socket around the gate. */
export function refuseOptions(options: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    if (options[name] !== undefined && options[name] !== null) {
      throw invalidOption(name, 'it would lead around the rules');
    }
  }
}

/** The longest time that a timer can wait, in milliseconds: beyond it Node's fire at once. */
export const LONGEST_TIME: number = 2 ** 31 - 1;

/** A whole number in a range, or the default where it is omitted. */
export function readInteger(
  name: string,
  value: unknown,
  from: number,
  fallback: number,
  to: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < from || value > to) {
    const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
    throw invalidOption(name, `it is a whole number ${range}, not ${show(value)}`);
  }
  return value;
}
