import { Address } from './address.ts';
import type { EntryFields, EntryInput } from './entry.ts';
import { misuse } from './errors.ts';
import { Explanation, readExplainTarget, readingsOf, targetText, type ExplainTarget } from './explain.ts';
import { newHash } from './group.ts';
import { isRecord, plainly, readOnce, show } from './internal/assert.ts';
import { Layer } from './layer.ts';
import { lintLayer, type LintWarning } from './lint.ts';
import { EntryList } from './list.ts';
import { readPolicy } from './policy-read.ts';
import { readScopes } from './rules-text.ts';
import { scanAddress, scanned } from './scan.ts';
import { scopesMeet } from './scopes.ts';
import { allowed, cut, denied, type TargetFacts, type Verdict } from './verdict.ts';

/** The two lists of a rule set; an omitted one is empty. */
export interface RulesInit {
  /** What may be connected to. Empty: nothing. */
  readonly allow?: readonly EntryInput[];
  /** What may not, even where it is allowed. */
  readonly block?: readonly EntryInput[];
}

/** What {@link Rules.toJSON} gives. */
export interface RulesJson {
  readonly allow: readonly (string | EntryFields)[];
  readonly block: readonly (string | EntryFields)[];
  readonly within?: RulesJson;
}

const BRAND = Symbol.for('netjail.Rules');

/** The verdict on a name that may be looked up. */
const ADDRESSES_DECIDE = allowed(undefined, undefined);

/**
 * What may be connected to: a list of allowed entries and a list of blocked ones.
 *
 * An address is accepted when an allow entry matches and no block entry does. Empty rules deny
 * everything; block always beats allow; order does not matter. A rule set is immutable, and a copy
 * of what it was made of.
 *
 * An entry is CIDR text (`'10.0.0.0/8'`; host bits are masked off for matching), a bare address
 * (its /32 or /128), the name of a range (`'public'`, `'loopback'`, see `ranges`), or an object
 * `{ prefix?, host?, port?, path? }` that matches when all of its fields do (see `EntryFields`).
 * What is not known of a target fails closed: an allow entry with a host or port does not match
 * where none is told, a block entry does.
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
 *
 * const api = new Rules({ allow: [{ host: '*.example.com', port: 443, prefix: 'public' }] });
 * console.log(api.accept('8.8.8.8', { host: 'api.example.com', port: 443 })); // true
 * console.log(api.judgeHost({ host: 'example.com', port: 443 }).reason); // host-not-allowed
 * ```
 */
export class Rules {
  /** The rules of the outer scope, which an address must pass as well; see {@link Rules.intersect}. */
  readonly within: Rules | undefined;
  /** This one's own lists first, then those of each scope around it. */
  readonly #layers: readonly Layer[];
  /** The first layer, once more: most rules have no other, and this one is nearer. */
  readonly #own: Layer;
  #id: string | undefined;
  /** Whether an address can pass all scopes, as far as it does not depend on host and port. */
  #meet: boolean | undefined;
  #allow: readonly string[] | undefined;
  #block: readonly string[] | undefined;

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

    const layer = outerOf.get(init)?.layer ?? new Layer(readList(allow, 'allow'), readList(block, 'block'));
    this.within = outerOf.get(init)?.outer;
    const outer = this.within;
    this.#own = layer;
    this.#layers = Object.freeze([layer, ...(outer === undefined ? [] : outer.#layers)]);
    Object.freeze(this);
  }

  /** The allow entries as written, each as text; what is more than a prefix is JSON. Made on first use. */
  get allow(): readonly string[] {
    this.#allow ??= Object.freeze(this.#layers[0]!.allow.texts());
    return this.#allow;
  }

  /** The block entries as written. */
  get block(): readonly string[] {
    this.#block ??= Object.freeze(this.#layers[0]!.block.texts());
    return this.#block;
  }

  /**
   * Reads what {@link Rules.toString} wrote: `ALLOW 0.0.0.0/0 ::/0, BLOCK 127.0.0.0/8`, the text of
   * the Go library; `WITHIN` begins the rules of an outer scope, of which there are 256 at most. Empty
   * text is the empty rule set.
   *
   * @throws {SyntaxError} `ERR_NETJAIL_INVALID_RULES` where the text is not of that form, or
   * `ERR_NETJAIL_INVALID_ENTRY` where an entry in it is not.
   */
  static parse(text: string): Rules {
    if (typeof text !== 'string')
      throw misuse(
        TypeError,
        'ERR_NETJAIL_INVALID_RULES',
        `Cannot read rules: their text is a string, not ${show(text)}`,
      );
    return readScopes(text)
      .map((lists) => new Rules(lists))
      .reduceRight((outer, own) => nest(own, outer));
  }

  /**
   * Reads rules from a policy that was parsed already (by `JSON.parse`, from YAML, ...), or from its
   * text as `parsePolicy` does. Each property is read once, and inherited ones are not read. A list that is
   * `undefined` is left out; a field of an entry that is `undefined` is an error, since the entry would match more.
   *
   * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_POLICY`, with the `field` that is wrong.
   *
   * @example
   * ```ts
   * import { Rules } from 'netjail';
   *
   * console.log(String(Rules.from({ allow: ['10.0.0.0/8'] }))); // ALLOW 10.0.0.0/8
   * ```
   */
  static from(json: unknown): Rules {
    return readPolicy(json, undefined, (lists) => new Rules(lists as never));
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
    const ownIds = own.#layers.map((layer) => layer.id);
    const aroundIds = around.#layers.map((layer) => layer.id);
    if (ownIds.every((id) => aroundIds.includes(id))) return around;
    if (aroundIds.every((id) => ownIds.includes(id))) return own;
    let ofOwn = intersections.get(own);
    if (ofOwn === undefined) intersections.set(own, (ofOwn = new WeakMap()));
    let nested = ofOwn.get(around);
    if (nested === undefined) ofOwn.set(around, (nested = nest(own, around)));
    return nested;
  }

  /**
   * A short text that is the same for the same policy: in another order, with duplicates, or with
   * other host bits. Pools are kept by it. It is a hash, not for reading.
   */
  get id(): string {
    return (this.#id ??= this.#hash());
  }

  #hash(): string {
    const ids = new Set(this.#layers.map((layer) => layer.id));
    return newHash()
      .update([...ids].sort().join())
      .digest('base64url');
  }

  /**
   * True when the address may be connected to: the fast form of {@link Rules.judge}.
   *
   * Text that is not an address, and an address with a zone, are not accepted. `facts` are the host
   * that was asked for and the port, for entries with fields. Without such entries it takes the
   * same time for any number of entries, within a factor of two or so, and allocates nothing.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when it is neither a string nor an Address.
   */
  accept(address: string | Address, facts?: TargetFacts): boolean {
    if (typeof address !== 'string') return this.#acceptsAddress(expectAddress(address), facts);
    const found = scanAddress(address, address.length);
    // IPV4 and IPV6, written out: the engine looks up an imported name at each use.
    if (found === 4) return this.#accepts4(scanned[3]!, facts);
    return found === 6 && this.#accepts6(scanned[0]!, scanned[1]!, scanned[2]!, scanned[3]!, facts);
  }

  #acceptsAddress({ family, zone, words: [a, b, c, d] }: Address, facts: TargetFacts | undefined): boolean {
    if (zone !== '') return false;
    return family === 4 ? this.#accepts4(d | 0, facts) : this.#accepts6(a | 0, b | 0, c | 0, d | 0, facts);
  }

  #accepts4(word: number, facts: TargetFacts | undefined): boolean {
    if (!this.#own.accepts4(word, facts)) return false;
    for (let outer = this.within; outer !== undefined; outer = outer.within) {
      if (!outer.#own.accepts4(word, facts)) return false;
    }
    return true;
  }

  #accepts6(a: number, b: number, c: number, d: number, facts: TargetFacts | undefined): boolean {
    if (!this.#own.accepts6(a, b, c, d, facts)) return false;
    for (let outer = this.within; outer !== undefined; outer = outer.within) {
      if (!outer.#own.accepts6(a, b, c, d, facts)) return false;
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
  judge(address: string | Address, facts?: TargetFacts): Verdict {
    const target = typeof address === 'string' ? Address.tryParse(address) : expectAddress(address);
    if (target === undefined) return denied(cut(String(address)), 'not-an-address');
    if (target.zone !== '') return denied(cut(target.toString()), 'zone');
    let first: Verdict | undefined;
    for (const layer of this.#layers) {
      const verdict = layer.judge(target, facts);
      if (!verdict.allowed) return verdict;
      first ??= verdict;
    }
    return first!;
  }

  /**
   * The verdict on a name before it is looked up, so that not even a DNS query leaves: denied when
   * no allow entry could accept an address of it on that port, or a block entry names it (or the
   * port) without a prefix, or blocks together leave no address of an allow entry. Nested scopes are
   * each asked by itself, and those without a host or port in an entry also whether they have an
   * address in common. Allowed says only that its addresses are to be judged:
   * what they carry and where they lead (`::`) is not looked at before.
   */
  judgeHost(facts?: TargetFacts): Verdict {
    for (const layer of this.#layers) {
      const denial = layer.judgeHost(facts);
      if (denial !== undefined) return denial;
    }
    this.#meet ??= scopesMeet(this.#layers);
    return this.#meet ? ADDRESSES_DECIDE : denied(undefined, 'host-not-allowed');
  }

  /**
   * The verdict on a Unix socket or named pipe: allowed when an allow entry names this very path
   * and no block entry does.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ARGUMENT` when it is not a string.
   */
  judgePath(path: string): Verdict {
    if (typeof path !== 'string') {
      throw misuse(
        TypeError,
        'ERR_NETJAIL_INVALID_ARGUMENT',
        `Cannot judge ${show(path)}: a path is a string`,
      );
    }
    let first: Verdict | undefined;
    for (const layer of this.#layers) {
      const verdict = layer.judgePath(path);
      if (!verdict.allowed) return verdict;
      first ??= verdict;
    }
    return first!;
  }

  /**
   * How these rules come to a verdict: every reading of an address with the entries that match it.
   *
   * The target is an address in text, or `{ address?, host?, port?, path? }`: with an address the
   * verdict is that of {@link Rules.judge}, with a path that of {@link Rules.judgePath}, otherwise
   * that of {@link Rules.judgeHost}.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ARGUMENT` when the target is neither text nor an object,
   * has another property, or has a path and something else; `ERR_NETJAIL_INVALID_ADDRESS` when its address
   * is neither a string nor an Address.
   *
   * @example
   * ```ts
   * import { Rules } from 'netjail';
   *
   * const rules = new Rules({ allow: ['::/0'], block: ['127.0.0.0/8'] });
   * const explanation = rules.explain('64:ff9b::7f00:1');
   * console.log(explanation.steps[1]?.reading, explanation.steps[1]?.block[0]); // 127.0.0.1 127.0.0.0/8
   * console.log(explanation.toString().split('\n')[0]); // 64:ff9b::7f00:1: denied, carried-address-blocked
   * ```
   */
  explain(target: string | Address | ExplainTarget): Explanation {
    const { address, path, facts } = readExplainTarget(target);
    if (path !== undefined) return new Explanation(plainly(path), [], this.judgePath(path));
    if (address === undefined) {
      return new Explanation(targetText(undefined, facts), [], this.judgeHost(facts));
    }
    const parsed = typeof address === 'string' ? Address.tryParse(address) : expectAddress(address);
    const steps =
      parsed === undefined || parsed.zone !== ''
        ? []
        : this.#layers.flatMap((layer, scope) => readingsOf(layer, scope, parsed, facts));
    const text = (parsed ?? address).toString();
    return new Explanation(targetText(text, facts), steps, this.judge(address, facts));
  }

  /**
   * What in these rules is probably not meant: entries without effect, names that may lead inside,
   * a family that was forgotten. Nothing found: an empty array. It never changes a verdict.
   *
   * @example
   * ```ts
   * import { Rules } from 'netjail';
   *
   * const [warning] = new Rules({ allow: ['10.0.0.1', '::/0'], block: ['10.0.0.0/8'] }).lint();
   * console.log(warning?.code, warning?.entry); // never-matches 10.0.0.1
   * ```
   */
  lint(): readonly LintWarning[] {
    return Object.freeze(this.#layers.flatMap((layer, scope) => lintLayer(layer, scope)));
  }

  /** The text of the Go library, which {@link Rules.parse} reads: `ALLOW 10.0.0.0/8, BLOCK ::/0`. */
  toString(): string {
    return this.#layers.reduceRight<string | undefined>((outer, { allow, block }) => {
      const parts: string[] = [];
      if (allow.length > 0) parts.push(`ALLOW ${allow.texts().join(' ')}`);
      if (block.length > 0) parts.push(`BLOCK ${block.texts().join(' ')}`);
      if (outer !== undefined) parts.push(outer === '' ? 'WITHIN' : `WITHIN ${outer}`);
      return parts.join(', ');
    }, undefined)!;
  }

  /** The lists as `new Rules` takes them. Those of outer scopes are in `within`, which is read back from text only. */
  toJSON(): RulesJson {
    return this.#layers.reduceRight<RulesJson | undefined>((within, { allow, block }) => {
      const lists = { allow: allow.toJSON(), block: block.toJSON() };
      return within === undefined ? lists : { ...lists, within };
    }, undefined)!;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    isOwn = (value) => #own in value;
    contains = (rules, part) => {
      const ids = rules.#layers.map((layer) => layer.id);
      return part.#layers.every((layer) => ids.includes(layer.id));
    };
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
/* eslint-disable no-var -- assigned in the class's static block, which runs first */
var isOwn: (value: object) => value is Rules;
var nest: (own: Rules, outer: Rules) => Rules;
var contains: (rules: Rules, part: Rules) => boolean;
/* eslint-enable no-var */

/** Whether rules have every scope of others: those others, or a scope inside or around them. */
export function containsScopes(rules: Rules, part: Rules): boolean {
  return contains(rules, part);
}

/** Whether a value is rules of this copy of netjail: no proxy of some, of which nothing could be read. */
export function isRules(value: unknown): value is Rules {
  return isRecord(value) && isOwn(value);
}

/** The empty rule set: denies everything. */
export const EMPTY: Rules = new Rules({});

/**
 * The value as rules of this copy of netjail; rules of another installed copy are read over.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_RULES` for anything that is no rules.
 */
export function toRules(value: unknown): Rules {
  if (isRules(value)) return value;
  if (isRecord(value) && (value as { [BRAND]?: unknown })[BRAND] === true) {
    // A proxy of rules (of Vue, of MobX) is not of another copy, and shows none of their lists.
    if (value instanceof Rules) throw noRules(value, 'it is a proxy of Rules, or only inherits from them');
    let copy = copies.get(value);
    if (copy === undefined) copies.set(value, (copy = Rules.parse(textOf(value))));
    return copy;
  }
  throw noRules(value, 'it is no Rules');
}

function textOf(value: object): string {
  try {
    return String(value);
  } catch {
    throw noRules(value, 'they have no text');
  }
}

function noRules(value: unknown, reason: string): TypeError {
  return misuse(TypeError, 'ERR_NETJAIL_INVALID_RULES', `Cannot use ${show(value)} as rules: ${reason}`);
}

function readList(list: unknown, name: string): EntryList {
  if (list === undefined) return new EntryList([], name);
  if (!Array.isArray(list)) throw invalid(`${name} is an array, not ${show(list)}`);
  return new EntryList(list as readonly unknown[], name);
}

function expectAddress(address: unknown): Address {
  if (address instanceof Address) return address;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ADDRESS',
    `Cannot judge ${show(address)}: an address is a string or an Address`,
  );
}

function invalid(reason: string): TypeError {
  return misuse(TypeError, 'ERR_NETJAIL_INVALID_RULES', `Cannot create rules: ${reason}`);
}
