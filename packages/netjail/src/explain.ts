import { Address } from './address.ts';
import { carried, carriedAddresses, carrierKind, type CarrierKind } from './carried.ts';
import { misuse } from './errors.ts';
import type { Found } from './group.ts';
import { isRecord, plainly, readOnce, show } from './internal/assert.ts';
import type { Layer } from './layer.ts';
import type { EntryList } from './list.ts';
import { explainDenial, type Denial, type TargetFacts, type Verdict } from './verdict.ts';

/** What to explain: an address, a name before it is looked up (no address), or a path. */
export interface ExplainTarget extends TargetFacts {
  readonly address?: string | Address | undefined;
  /** A Unix socket or named pipe; stands alone. */
  readonly path?: string | undefined;
}

/** One reading of an address under one rule set: which entries match it. */
export interface Step {
  /** 0 for the rules themselves, 1 for the scope around them, and so on. */
  readonly scope: number;
  /** The address that was looked for. */
  readonly reading: string;
  /**
   * Why it was looked for: it is what was asked for; it is what a mapped address means; the address
   * carries it; or it is where an unspecified address leads.
   */
  readonly kind: 'itself' | 'unmapped' | 'carried' | 'loopback';
  /** How it is carried. */
  readonly carrier: CarrierKind | undefined;
  /** The allow entries that match, as written, in the order of the list; of those with the same prefix the first. */
  readonly allow: readonly string[];
  /** The block entries that match, likewise. */
  readonly block: readonly string[];
}

/**
 * How rules come to a verdict, step by step; see `rules.explain`. `String(explanation)` is text for
 * people, `JSON.stringify` works too. Frozen.
 */
export class Explanation {
  /** The target in text, on one line. */
  readonly target: string;
  readonly steps: readonly Step[];
  /** The same as `judge`, `judgeHost` or `judgePath` gives. */
  readonly verdict: Verdict;

  constructor(target: string, steps: readonly Step[], verdict: Verdict) {
    this.target = target;
    this.steps = Object.freeze([...steps]);
    this.verdict = verdict;
    Object.freeze(this);
  }

  toString(): string {
    const { verdict } = this;
    const lines = [`${this.target}: ${verdict.allowed ? 'allowed' : `denied, ${verdict.reason}`}`];
    for (const { scope, reading, kind, carrier, allow, block } of this.steps) {
      const how = carrier === undefined ? kind : `${kind} (${carrier})`;
      const where = scope === 0 ? '' : `, scope ${scope}`;
      const list = (entries: readonly string[]): string =>
        entries.length > 0 ? entries.join(' ') : 'nothing';
      lines.push(`  ${reading} ${how}${where}: allowed by ${list(allow)}, blocked by ${list(block)}`);
    }
    lines.push(`  ${verdict.allowed ? allowedBy(verdict.entry) : deniedBy(verdict)}`);
    return lines.join('\n');
  }

  toJSON(): { target: string; steps: readonly Step[]; verdict: Verdict } {
    return { target: this.target, steps: this.steps, verdict: this.verdict };
  }
}

function allowedBy(entry: string | undefined): string {
  return entry === undefined ? 'its addresses are judged once it is looked up' : `allowed by ${entry}`;
}

function deniedBy(denial: Denial): string {
  // Nobody has asked a resolver: it is the text that was to be explained.
  if (denial.reason === 'not-an-address')
    return `${plainly(denial.address!)} is not an address; to ask about a name, give { host }`;
  return explainDenial(denial);
}

/** What one rule set says of each reading of an address without a zone. */
export function readingsOf(
  layer: Layer,
  scope: number,
  address: Address,
  facts: TargetFacts | undefined,
): Step[] {
  const matching = layer.matching(facts);
  const step = (reading: Address, kind: Step['kind'], carrier?: CarrierKind): Step =>
    Object.freeze({
      scope,
      reading: reading.toString(),
      kind,
      carrier,
      allow: textsOf(layer.allow, layer.allowing(reading, matching)),
      block: textsOf(layer.block, layer.blocking(reading, matching)),
    });
  const target = address.unmap();
  const steps = [step(target, address.mapped ? 'unmapped' : 'itself')];
  const [a, b, c, d] = target.words;
  // Where an unspecified address leads.
  const loopback = (): Step[] => [
    step(Address.fromWord(0x7f000001), 'loopback'),
    step(Address.fromWords([0, 0, 0, 1]), 'loopback'),
  ];
  if ((a | b | c | d) === 0) steps.push(...loopback());
  else if (target.family === 6) {
    const count = carriedAddresses(a | 0, b | 0, c | 0, d | 0);
    for (const [index, word] of Array.from(carried.subarray(0, count)).entries()) {
      steps.push(step(Address.fromWord(word), 'carried', carrierKind(a | 0, b | 0, c | 0, index)));
      if (word === 0) steps.push(...loopback());
    }
  }
  return steps;
}

function textsOf(list: EntryList, found: readonly Found[]): readonly string[] {
  return Object.freeze(found.map((one) => list.textOf(one)));
}

/** The target of an explanation in text. */
export function targetText(address: string | undefined, facts: TargetFacts | undefined): string {
  const host = typeof facts?.host === 'string' ? plainly(facts.host) : undefined;
  const port = facts?.port === undefined ? '' : ` port ${show(facts.port)}`;
  if (address === undefined) return `${host ?? 'an unknown host'}${port}`;
  const subject = plainly(address);
  return host === undefined ? `${subject}${port}` : `${subject} for ${host}${port}`;
}

/** Reads the argument of `rules.explain`, each property once. */
export function readExplainTarget(target: unknown): {
  address: string | Address | undefined;
  path: string | undefined;
  facts: TargetFacts | undefined;
} {
  if (typeof target === 'string' || target instanceof Address) {
    return { address: target, path: undefined, facts: undefined };
  }
  const refuse = (reason: string): never => {
    throw misuse(TypeError, 'ERR_NETJAIL_INVALID_ARGUMENT', `Cannot explain ${show(target)}: ${reason}`);
  };
  if (!isRecord(target)) return refuse('a target is text or { address, host, port, path }');
  const { address, host, port, path, ...rest } = readOnce(target) as ExplainTarget;
  const unknown = Reflect.ownKeys(rest)[0];
  if (unknown !== undefined) return refuse(`there is no property ${show(String(unknown))}`);
  if (path !== undefined && (address !== undefined || host !== undefined || port !== undefined)) {
    return refuse('a path has no address, host or port');
  }
  return { address, path, facts: { host, port } };
}
