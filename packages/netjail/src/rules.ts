import { createHash } from 'node:crypto';
import { Address, scanAddress, scanned } from './address.ts';
import { parseEntry, type Entry, type EntryInput } from './entry.ts';
import { misuse } from './errors.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import { Layer } from './layer.ts';
import { allowed, denied, type TargetFacts, type Verdict } from './verdict.ts';

/** The two lists of a rule set; an omitted one is empty. */
export interface RulesInit {
  /** What may be connected to. Empty: nothing. */
  readonly allow?: readonly EntryInput[];
  /** What may not, even where it is allowed. */
  readonly block?: readonly EntryInput[];
}

const BRAND = Symbol.for('netjail.Rules');

/**
 * Which addresses may be connected to: a list of allowed prefixes and a list of blocked ones.
 *
 * An address is accepted when an allow entry matches and no block entry does. Empty rules deny
 * everything; block always beats allow; order does not matter. A rule set is immutable, and a copy
 * of what it was made of.
 *
 * An entry is CIDR text (`'10.0.0.0/8'`; host bits are masked off for matching), a bare address
 * (its /32 or /128) or the name of a range (`'public'`, `'loopback'`, see `ranges`).
 *
 * Every reading of an address is judged: a mapped address (`::ffff:10.0.0.1`) is its IPv4 address;
 * an address that carries an IPv4 address (NAT64, 6to4, Teredo, ISATAP, IPv4-compatible and
 * IPv4-translated) must be accepted itself and what it carries must not be blocked; an unspecified
 * address is denied when loopback is blocked, since it reaches the local host.
 *
 * @example
 * ```ts
 * import { Rules } from 'netjail';
 *
 * const rules = new Rules({ allow: ['public', '10.1.0.0/16'], block: ['10.1.2.3'] });
 * console.log(rules.accept('10.1.2.4')); // true
 * console.log(rules.judge('10.1.2.3').reason); // blocked
 * ```
 */
export class Rules {
  /** The allow entries as written. */
  readonly allow: readonly string[];
  /** The block entries as written. */
  readonly block: readonly string[];
  /** The rules of the outer scope, which an address must pass as well; see {@link Rules.intersect}. */
  readonly within: Rules | undefined;
  /** This one's own lists first, then those of each scope around it. */
  readonly #layers: readonly Layer[];
  readonly #layerIds: readonly string[];
  #id: string | undefined;

  /**
   * @throws {TypeError} `ERR_NETJAIL_INVALID_RULES` when `init` is not an object, has a property
   * that is not a list of rules, or a list is not an array.
   * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_ENTRY` for an entry that cannot be read.
   */
  constructor(init: RulesInit) {
    if (new.target !== Rules) throw invalid('Rules cannot be subclassed');
    if (!isRecord(init)) throw invalid(`rules are { allow, block }, not ${show(init)}`);
    const { allow, block, ...rest } = readOnce(init);
    const unknown = Reflect.ownKeys(rest);
    if (unknown.length > 0)
      throw invalid(`there is no list ${show(String(unknown[0]))}, only allow and block`);

    const layer = outerOf.get(init)?.layer ?? new Layer(parseList(allow, 'allow'), parseList(block, 'block'));
    this.within = outerOf.get(init)?.outer;
    this.allow = Object.freeze(layer.allow.map((entry) => entry.text));
    this.block = Object.freeze(layer.block.map((entry) => entry.text));
    const outer = this.within;
    this.#layers = Object.freeze([layer, ...(outer === undefined ? [] : outer.#layers)]);
    this.#layerIds = Object.freeze([idOf(layer), ...(outer === undefined ? [] : outer.#layerIds)]);
    Object.freeze(this);
  }

  /**
   * Reads what {@link Rules.toString} wrote: `ALLOW 0.0.0.0/0 ::/0, BLOCK 127.0.0.0/8`, the text of
   * the Go library; `WITHIN` begins the rules of an outer scope. Empty text is the empty rule set.
   *
   * @throws {SyntaxError} `ERR_NETJAIL_INVALID_RULES` where the text is not of that form, or
   * `ERR_NETJAIL_INVALID_ENTRY` where an entry in it is not.
   */
  static parse(text: string): Rules {
    if (typeof text !== 'string') throw invalid(`the text of rules is a string, not ${show(text)}`);
    return text
      .split(/(?:^|, )WITHIN(?: |$)/)
      .map(parseScope)
      .reduceRight<Rules | undefined>(
        (outer, own) => (outer === undefined ? own : nest(own, outer)),
        undefined,
      )!;
  }

  /**
   * The rules that accept what both accept, as a nested scope has them: `inner` within `outer`.
   *
   * Gives back one of the two where the other adds nothing to it (equal ones, or a scope that is
   * already inside), and the same object for the same two.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_RULES` when either is no rules.
   */
  static intersect(inner: Rules, outer: Rules): Rules {
    const own = toRules(inner);
    const around = toRules(outer);
    if (own.#layerIds.every((id) => around.#layerIds.includes(id))) return around;
    if (around.#layerIds.every((id) => own.#layerIds.includes(id))) return own;
    const known = intersections.get(own)?.get(around);
    if (known !== undefined) return known;
    const nested = nest(own, around);
    let ofOwn = intersections.get(own);
    if (ofOwn === undefined) intersections.set(own, (ofOwn = new WeakMap()));
    ofOwn.set(around, nested);
    return nested;
  }

  /**
   * A short text that is the same for the same policy: in another order, with duplicates, or with
   * other host bits. Pools are kept by it. It is a hash, not for reading.
   */
  get id(): string {
    this.#id ??= hash([...new Set(this.#layerIds)].sort().join('\n'));
    return this.#id;
  }

  /**
   * True when the address may be connected to: the fast form of {@link Rules.judge}.
   *
   * Text that is not an address, and an address with a zone, are not accepted.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when it is neither a string nor an Address.
   */
  accept(address: string | Address, _facts?: TargetFacts): boolean {
    if (typeof address === 'string') {
      const family = scanAddress(address);
      if (family === 0 || scanned.zone !== '') return false;
      const { a, b, c, d } = scanned;
      return this.#reason(family, a, b, c, d);
    }
    const { family, zone, words } = expectAddress(address);
    return zone === '' && this.#reason(family, words[0], words[1], words[2], words[3]);
  }

  #reason(family: 4 | 6, a: number, b: number, c: number, d: number): boolean {
    for (const layer of this.#layers) {
      if (layer.reason(family, a, b, c, d) !== undefined) return false;
    }
    return true;
  }

  /**
   * The verdict on an address: allowed, or denied with the reason and the entry that decided.
   *
   * In nested scopes the first rules to deny decide, from the inside out.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when it is neither a string nor an Address.
   */
  judge(address: string | Address, _facts?: TargetFacts): Verdict {
    const target = typeof address === 'string' ? Address.tryParse(address) : expectAddress(address);
    if (target === undefined) return denied(String(address).slice(0, 256), 'not-an-address');
    if (target.zone !== '') return denied(target.toString(), 'zone');
    let first: Verdict | undefined;
    for (const layer of this.#layers) {
      const verdict = layer.judge(target);
      if (!verdict.allowed) return verdict;
      first ??= verdict;
    }
    return first!;
  }

  /**
   * The verdict on a name before it is looked up: denied when no entry could accept any address
   * of it, so that not even a DNS query leaves.
   */
  judgeHost(_facts?: TargetFacts): Verdict {
    const hopeless = this.#layers.some((layer) => layer.empty);
    return hopeless ? denied(undefined, 'host-not-allowed') : allowed(undefined, undefined);
  }

  /** The text of the Go library, which {@link Rules.parse} reads: `ALLOW 10.0.0.0/8, BLOCK ::/0`. */
  toString(): string {
    const parts: string[] = [];
    if (this.allow.length > 0) parts.push(`ALLOW ${this.allow.join(' ')}`);
    if (this.block.length > 0) parts.push(`BLOCK ${this.block.join(' ')}`);
    if (this.within !== undefined) parts.push(`WITHIN ${this.within.toString()}`.trimEnd());
    return parts.join(', ');
  }

  toJSON(): { allow: readonly string[]; block: readonly string[]; within?: unknown } {
    const { allow, block, within } = this;
    return within === undefined ? { allow, block } : { allow, block, within: within.toJSON() };
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    nest = (own, outer) =>
      own.#layers.reduceRight((around, layer) => {
        const init: RulesInit = {};
        outerOf.set(init, { layer, outer: around });
        return new Rules(init);
      }, outer);
  }
}

/** How {@link Rules.intersect} hands the constructor what no caller can: a scope around the lists. */
const outerOf = new WeakMap<object, { readonly layer: Layer; readonly outer: Rules }>();
const intersections = new WeakMap<Rules, WeakMap<Rules, Rules>>();
const copies = new WeakMap<object, Rules>();
// eslint-disable-next-line no-var -- assigned in the class's static block, which runs first
var nest: (own: Rules, outer: Rules) => Rules;

/** The empty rule set: denies everything. */
export const EMPTY: Rules = new Rules({});

/**
 * The value as rules of this copy of netjail; rules of another installed copy are read over.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_RULES` for anything that is no rules.
 */
export function toRules(value: unknown): Rules {
  if (value instanceof Rules) return value;
  if (isRecord(value) && (value as { [BRAND]?: unknown })[BRAND] === true) {
    let copy = copies.get(value);
    if (copy === undefined) copies.set(value, (copy = Rules.parse(String(value))));
    return copy;
  }
  throw invalid(`${show(value)} is no Rules`);
}

function parseScope(text: string): Rules {
  if (text === '') return new Rules({});
  const match = /^(?:ALLOW ([^,]+))?(?:(?:^|, )BLOCK ([^,]+))?$/.exec(text);
  if (match === null) {
    throw misuse(
      SyntaxError,
      'ERR_NETJAIL_INVALID_RULES',
      `Cannot read rules from ${show(text)}: it is not "ALLOW ..., BLOCK ..."`,
    );
  }
  return new Rules({ allow: match[1]?.split(' ') ?? [], block: match[2]?.split(' ') ?? [] });
}

function parseList(list: unknown, name: string): readonly Entry[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw invalid(`${name} is an array, not ${show(list)}`);
  return Array.from(list, (input: unknown, index) => parseEntry(input, `${name}[${index}]`));
}

function expectAddress(address: unknown): Address {
  if (address instanceof Address) return address;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ADDRESS',
    `Cannot judge ${show(address)}: an address is a string or an Address`,
  );
}

function idOf(layer: Layer): string {
  const canonical = (entries: readonly Entry[]): string =>
    [...new Set(entries.map((entry) => entry.canonical))].sort().join(' ');
  return hash(`ALLOW ${canonical(layer.allow)}\nBLOCK ${canonical(layer.block)}`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function invalid(reason: string): TypeError {
  return misuse(TypeError, 'ERR_NETJAIL_INVALID_RULES', `Cannot create rules: ${reason}`);
}
