import { Address } from './address.ts';
import { DeniedError } from './errors.ts';
import { publishVerdict, verdictsAreWatched } from './events.ts';
import { quote } from './internal/assert.ts';
import type { GuardSettings } from './options.ts';
import { AskedFor, failureOf, systemResolver, type LookUp } from './resolver.ts';
import type { Rules } from './rules.ts';
import type { Target } from './target.ts';
import { cut, denied, type Denial, type Verdict } from './verdict.ts';

/** One address that was judged and may be connected to. */
export interface JudgedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A long answer is judged whole, but a DNS answer that is larger than any real one is refused. */
const MAX_ANSWERS = 4096;

/**
 * The one place where rules, target and answers meet.
 *
 * A guard has the rules of one call. It never connects: it says which addresses may be connected
 * to, or throws a {@link DeniedError}.
 */
export class Guard {
  readonly rules: Rules | undefined;
  readonly #settings: GuardSettings;

  /** `rules`: those in effect at the call, already chosen; `undefined` denies. */
  constructor(rules: Rules | undefined, settings: GuardSettings) {
    this.rules = rules;
    this.#settings = settings;
  }

  /**
   * Judges what is known without a look-up: the canonical text of a literal that may be connected
   * to, or `undefined` for a name that may be looked up.
   *
   * @throws {DeniedError}
   */
  admit(target: Target): string | undefined {
    const { host } = target;
    if (this.#acceptsText(host, target)) return host;
    const { rules } = this;
    const { literal } = target;
    if (rules === undefined) {
      this.#settle([denied(undefined, 'no-rules')], target);
    } else if (literal === undefined) {
      const verdict = rules.judgeHost(target);
      if (!verdict.allowed) this.#settle([verdict], target);
    } else {
      const denial = this.#judge(literal, target);
      if (denial !== undefined) this.#settle([denial], target, false);
    }
    return literal?.unmap().toString();
  }

  /**
   * Asks the resolver for the addresses of a name. What it answers, later, is for {@link judgeAnswers}; its
   * own errors pass.
   */
  ask({ host }: Target, family: 0 | 4 | 6, lookUp: LookUp, hints = 0): unknown {
    if (lookUp.abandoned) throw lookUp.signal.reason;
    const resolver = this.#settings.resolver ?? systemResolver;
    return resolver(host, new AskedFor(family, hints, lookUp));
  }

  /** The failure of a look-up, as whoever waits for the connection is told of it. */
  failureOf(error: unknown): Error {
    return failureOf(error, this.#settings.forUndici);
  }

  /**
   * Judges everything that the resolver answered: the addresses that may be connected to, at least one.
   *
   * @throws {DeniedError} when there is none that may be connected to.
   */
  judgeAnswers(answered: unknown, target: Target, family: 0 | 4 | 6): JudgedAddress[] {
    const answers = readAnswers(answered, target.host);
    const [only] = answers;
    // The plainest answer, one IPv4 address: the maps below would take as long as all else.
    if (answers.length === 1 && family !== 6 && this.#acceptsText(only!, target))
      return [{ address: only!, family: 4 }];

    const verdicts = new Map<string, Verdict>();
    const addresses = new Map<string, JudgedAddress>();
    for (const answer of answers) {
      if (this.#acceptsText(answer, target)) {
        addresses.set(answer, { address: answer, family: 4 });
        continue;
      }
      const address = Address.tryParse(answer);
      const verdict =
        address === undefined ? denied(cut(answer), 'not-an-address') : this.#verdict(address, target);
      if (verdict !== undefined) verdicts.set(verdict.address!, verdict);
      if (address !== undefined && (verdict === undefined || verdict.allowed || this.reporting)) {
        const one = judged(address);
        addresses.set(one.address, one);
      }
    }
    const denials = [...verdicts.values()].filter((verdict) => !verdict.allowed);
    if (denials.length > 0 && this.#settings.answers === 'all') {
      for (const address of addresses.keys()) {
        if (verdicts.get(address)?.allowed === false) continue;
        const denial = denied(address, 'mixed-answer');
        verdicts.set(address, denial);
        denials.push(denial);
      }
      if (!this.reporting) addresses.clear();
    }
    // Once for each address, denials first, and not where the name itself was reported.
    if (!this.#isReported(target)) {
      const others = [...verdicts.values()].filter((verdict) => verdict.allowed);
      for (const verdict of [...denials, ...others]) this.#publish(verdict, target);
    }
    if (addresses.size === 0 && denials.length > 0)
      throw new DeniedError({ host: target.host, port: target.port, denials });
    const wanted = [...addresses.values()].filter((one) => family === 0 || one.family === family);
    if (wanted.length === 0) {
      if (denials.length > 0) throw new DeniedError({ host: target.host, port: target.port, denials });
      throw notFound(target.host, family);
    }
    return wanted;
  }

  /**
   * Judges the address that a socket really uses: the last gate.
   *
   * @throws {DeniedError} also when the runtime cannot say which address it is.
   */
  confirm(address: string | undefined, target: Target): void {
    if (this.#settings.mode === 'report') return;
    // A socket of one family can report the mapped form of the other.
    const { rules } = this;
    if (address !== undefined && rules !== undefined && rules.accept(address, target)) return;
    const verdict = address === undefined || rules === undefined ? undefined : rules.judge(address, target);
    const denial =
      verdict === undefined || verdict.allowed
        ? denied(address ?? 'an unknown address', 'not-judged')
        : verdict;
    this.#settle([denial], target);
  }

  /**
   * Judges a Unix socket or named pipe: nothing to say where an allow entry names this very path.
   *
   * @throws {DeniedError}
   */
  admitPath(path: string): void {
    const verdict = this.rules === undefined ? denied(undefined, 'no-rules') : this.rules.judgePath(path);
    publishVerdict(verdict, path, undefined, this.#settings.mode);
    if (verdict.allowed || this.#settings.mode === 'report') return;
    throw new DeniedError({ host: path, denials: [verdict] });
  }

  /** Whether denials are only published. */
  get reporting(): boolean {
    return this.#settings.mode === 'report';
  }

  /** The denial of a target that no address can be judged for: a path, or a name behind a proxy. */
  refuse(reason: 'path-not-allowed' | 'proxied-name', host: string, port: number | undefined): DeniedError {
    const denial = denied(undefined, this.rules === undefined ? 'no-rules' : reason);
    publishVerdict(denial, host, port, this.#settings.mode);
    return new DeniedError({ host, port, denials: [denial] });
  }

  /**
   * Whether text is an IPv4 address in canonical form that is allowed, when nobody watches: the way of
   * almost every connection. Text that is accepted is an address, and has one form without colons.
   */
  #acceptsText(text: string, target: Target): boolean {
    const { rules } = this;
    return rules !== undefined && !verdictsAreWatched() && !text.includes(':') && rules.accept(text, target);
  }

  /** Judges and publishes one address: its denial, or `undefined` when it is allowed. */
  #judge(address: Address, target: Target): Denial | undefined {
    const verdict = this.#verdict(address, target);
    if (verdict === undefined) return undefined;
    this.#publish(verdict, target);
    return verdict.allowed ? undefined : verdict;
  }

  /** The verdict on one address; `undefined` for one that is allowed when nobody watches. */
  #verdict(address: Address, target: Target): Verdict | undefined {
    const { rules } = this;
    if (rules === undefined) return denied(cut(address.toString()), 'no-rules');
    if (!verdictsAreWatched() && rules.accept(address, target)) return undefined;
    return rules.judge(address, target);
  }

  /** Whether the name was denied before it was looked up, which has been told, and was looked up all the same. */
  #isReported(target: Target): boolean {
    return this.reporting && (this.rules === undefined || !this.rules.judgeHost(target).allowed);
  }

  #publish(verdict: Verdict, target: Target): void {
    publishVerdict(verdict, target.host, target.port, this.#settings.mode);
  }

  /** Ends a call with its denials, or lets it through where they are only reported. */
  #settle(denials: readonly Denial[], { host, port }: Target, publish = true): void {
    if (publish) for (const denial of denials) publishVerdict(denial, host, port, this.#settings.mode);
    if (this.#settings.mode === 'report') return;
    throw new DeniedError({ host, port, denials });
  }
}

function judged(address: Address): JudgedAddress {
  const target = address.unmap();
  return { address: target.toString(), family: target.family };
}

/** The resolver's answers as strings, each read once: the array may be anything. */
function readAnswers(answers: unknown, host: string): string[] {
  if (!Array.isArray(answers)) throw badAnswer(host, 'it did not answer an array');
  const { length } = answers;
  // A proxy of an array may have any length: NaN, or an object that says another one each time.
  if (!Number.isSafeInteger(length) || length < 0) throw badAnswer(host, 'its answer has no length');
  if (length > MAX_ANSWERS) throw badAnswer(host, `it answered ${length} addresses`);
  const texts: string[] = [];
  for (let i = 0; i < length; i++) {
    const answer: unknown = answers[i];
    texts.push(typeof answer === 'string' ? answer : `(${typeof answer})`);
  }
  return texts;
}

function badAnswer(host: string, reason: string): Error {
  return Object.assign(new Error(`Cannot resolve ${quote(host)}: the resolver is broken, ${reason}`), {
    code: 'EBADRESP',
    hostname: host,
  });
}

function notFound(host: string, family: 0 | 4 | 6): Error {
  const kind = family === 0 ? '' : `IPv${family} `;
  return Object.assign(new Error(`Cannot resolve ${quote(host)}: it has no ${kind}address`), {
    code: 'ENOTFOUND',
    hostname: host,
  });
}
