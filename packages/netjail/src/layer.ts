import { Address, isMapped, textOfWord } from './address.ts';
import { carried, carriedAddresses, isSpecial } from './carried.ts';
import { differenceOfBoth, newHash, publicly, type Found, type Group, type Intervals } from './group.ts';
import { Leftovers, leftOf } from './leftovers.ts';
import { conditionKey, readFacts, type EntryList } from './list.ts';
import { matches, matchingOf, NO_GROUPS, type Matching } from './matching.ts';
import type { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';
import { allowed, denied, type Denial, type Reason, type TargetFacts, type Verdict } from './verdict.ts';

const LOOPBACK_IPV4 = 0x7f000001;

/** What decided the last denial besides the address itself: a carried IPv4 address. */
let decidedByCarried = 0;

/**
 * One allow list and one block list, compiled: the place where an address is judged.
 *
 * An address has more readings than itself, see {@link Layer.reason}; each is judged under the same
 * host and port. All words are signed.
 */
export class Layer {
  readonly allow: EntryList;
  readonly block: EntryList;
  readonly #allowed: Group;
  readonly #blocked: Group;
  /** Whether an entry asks for a host or a port. */
  readonly conditional: boolean;
  /** Whether all that is blocked is in the tables of the plain entries. */
  readonly #tablesOnly: boolean;
  /** Whether the plain entries allow every address of a family. */
  readonly #all4: boolean;
  readonly #all6: boolean;
  /** The table of what is blocked where it says all of an address that has no other reading. */
  readonly #deciding4: Table4 | undefined;
  readonly #deciding6: Table6 | undefined;
  /** Made when a name is judged first. */
  #leftovers: Leftovers | undefined;
  /** What {@link Layer.judgeHost} says of every name where no entry asks for a host or a port; `null` until asked. */
  #ofAnyName: Denial | undefined | null = null;
  #id: string | undefined;

  constructor(allow: EntryList, block: EntryList) {
    this.allow = allow;
    this.block = block;
    this.#allowed = allow.plain;
    this.#blocked = block.plain;
    this.conditional = allow.conditions !== undefined || block.conditions !== undefined;
    this.#tablesOnly = block.conditions === undefined && block.plain.publicAt < 0;
    this.#all4 = allow.plain.v4.all;
    this.#all6 = allow.plain.v6.all;
    this.#deciding4 = this.#tablesOnly && this.#all4 ? block.plain.v4 : undefined;
    this.#deciding6 = this.#tablesOnly && this.#all6 ? block.plain.v6 : undefined;
  }

  /** The groups that ask for a host or port and get it; `undefined` where no entry does. */
  matching(facts: TargetFacts | undefined): Matching | undefined {
    return this.conditional ? matchingOf(this.allow, this.block, readFacts(facts)) : undefined;
  }

  #allows4(word: number, matching: Matching | undefined): boolean {
    if (this.#allowed.has4(word)) return true;
    return matching !== undefined && any4(matching.allow, word);
  }

  #allows6(a: number, b: number, c: number, d: number, matching: Matching | undefined): boolean {
    if (this.#allowed.has6(a, b, c, d)) return true;
    return matching !== undefined && any6(matching.allow, a, b, c, d);
  }

  #blocks4(word: number, matching: Matching | undefined): boolean {
    if (this.#blocked.has4(word)) return true;
    return matching !== undefined && any4(matching.block, word);
  }

  #blocks6(a: number, b: number, c: number, d: number, matching: Matching | undefined): boolean {
    if (this.#blocked.has6(a, b, c, d)) return true;
    return matching !== undefined && any6(matching.block, a, b, c, d);
  }

  #blocksLoopback(matching: Matching | undefined): boolean {
    return this.#blocks4(LOOPBACK_IPV4, matching) || this.#blocks6(0, 0, 0, 1, matching);
  }

  /** Whether an IPv4 address may be connected to. */
  accepts4(word: number, facts: TargetFacts | undefined): boolean {
    // What #reason4 says, in fewer steps: few as they are there, they take as long as the look-up.
    const deciding = this.#deciding4;
    if (deciding !== undefined && word !== 0) return !deciding.has(word);
    return this.#reason4(word, this.matching(facts)) === undefined;
  }

  /** Whether an IPv6 address may be connected to; a mapped one is the IPv4 address that it is. */
  accepts6(a: number, b: number, c: number, d: number, facts: TargetFacts | undefined): boolean {
    const deciding = this.#deciding6;
    if (deciding !== undefined && !isMapped(a, b, c)) {
      if (deciding.has(a, b, c, d)) return false;
      if (!isSpecial(a, c)) return true;
    }
    return this.#reason(a, b, c, d, this.matching(facts)) === undefined;
  }

  /** Why the address is denied, or `undefined` when it is accepted. */
  reason({ family, words: [a, b, c, d] }: Address, matching: Matching | undefined): Reason | undefined {
    return family === 4 ? this.#reason4(d | 0, matching) : this.#reason(a | 0, b | 0, c | 0, d | 0, matching);
  }

  #reason(a: number, b: number, c: number, d: number, matching: Matching | undefined): Reason | undefined {
    return isMapped(a, b, c) ? this.#reason4(d, matching) : this.#reason6(a, b, c, d, matching);
  }

  // Small functions, which the engine puts into one another: a call costs as much as a search.
  #reason4(word: number, matching: Matching | undefined): Reason | undefined {
    if (this.#tablesOnly ? this.#blocked.v4.has(word) : this.#blocks4(word, matching)) return 'blocked';
    if (!this.#all4 && !this.#allows4(word, matching)) return 'not-allowed';
    return word === 0 && this.#blocksLoopback(matching) ? 'loopback-blocked' : undefined;
  }

  #reason6(a: number, b: number, c: number, d: number, matching: Matching | undefined): Reason | undefined {
    if (this.#tablesOnly ? this.#blocked.v6.has(a, b, c, d) : this.#blocks6(a, b, c, d, matching)) {
      return 'blocked';
    }
    if (!this.#all6 && !this.#allows6(a, b, c, d, matching)) return 'not-allowed';
    return isSpecial(a, c) ? this.#reasonSpecial(a, b, c, d, matching) : undefined;
  }

  #reasonSpecial(
    a: number,
    b: number,
    c: number,
    d: number,
    matching: Matching | undefined,
  ): Reason | undefined {
    if ((a | b | c | d) === 0) return this.#blocksLoopback(matching) ? 'loopback-blocked' : undefined;
    const count = carriedAddresses(a, b, c, d);
    for (let i = 0; i < count; i++) {
      const word = carried[i]!;
      decidedByCarried = word;
      if (this.#blocks4(word, matching) || (word === 0 && this.#blocksLoopback(matching))) {
        return 'carried-address-blocked';
      }
      // Allowed as a public address: so must be what it carries.
      if (!publicly().v4.has(word) && !this.#allowsByName(a, b, c, d, matching)) {
        return 'carried-address-not-allowed';
      }
    }
    return undefined;
  }

  #allowsByName(a: number, b: number, c: number, d: number, matching: Matching | undefined): boolean {
    if (this.#allowed.hasByName6(a, b, c, d)) return true;
    if (matching === undefined) return false;
    for (const group of matching.allow) if (group.hasByName6(a, b, c, d)) return true;
    return false;
  }

  /** The verdict on an address without a zone, with the entry that decided. */
  judge(address: Address, facts: TargetFacts | undefined): Verdict {
    const target = address.unmap();
    const matching = this.matching(facts);
    const text = target.toString();
    const reason = this.reason(target, matching);
    switch (reason) {
      case undefined:
        return allowed(
          text,
          this.allow.textOf(known(this.#letting(target, this.allowing(target, matching)))),
        );
      case 'not-allowed':
        return denied(text, this.#allowsOnOtherPort(target, facts) ? 'port-not-allowed' : reason);
      case 'blocked': {
        const entry = known(this.blocking(target, matching)[0]);
        return denied(text, reasonOf(this.block, entry), this.block.textOf(entry));
      }
      case 'loopback-blocked':
        return denied(text, reason, this.block.textOf(this.#loopbackEntry(matching)));
      case 'carried-address-not-allowed':
        return denied(text, reason, undefined, textOfWord(decidedByCarried));
      case 'carried-address-blocked': {
        const inner = Address.fromWord(decidedByCarried);
        const entry = this.blocking(inner, matching)[0] ?? this.#loopbackEntry(matching);
        return denied(text, reason, this.block.textOf(entry), inner.toString());
      }
      default:
        throw new Error(`netjail: unreachable reason ${reason}`);
    }
  }

  /** The first of the entries that match which lets an address pass: `public` only where all that is carried is public. */
  #letting(address: Address, found: readonly Found[]): Found | undefined {
    if (carriesOnlyPublic(address)) return found[0];
    return found.find(({ at }) => this.allow.entryAt(at)?.range !== 'public');
  }

  /** The allow entries that match an address (unmapped), in the order of the list. */
  allowing(address: Address, matching: Matching | undefined): Found[] {
    return matches(address, this.#allowed, matching?.allow ?? NO_GROUPS);
  }

  /** The block entries that match an address (unmapped), in the order of the list. */
  blocking(address: Address, matching: Matching | undefined): Found[] {
    return matches(address, this.#blocked, matching?.block ?? NO_GROUPS);
  }

  #loopbackEntry(matching: Matching | undefined): Found {
    const ipv4 = this.blocking(Address.fromWord(LOOPBACK_IPV4), matching)[0];
    return ipv4 ?? known(this.blocking(Address.fromWords([0, 0, 0, 1]), matching)[0]);
  }

  #allowsOnOtherPort(address: Address, facts: TargetFacts | undefined): boolean {
    const { conditions } = this.allow;
    if (conditions === undefined) return false;
    const found = matches(address, undefined, conditions.ofHost(readFacts(facts).host, false));
    return this.#letting(address, found) !== undefined;
  }

  /**
   * The verdict on a name before it is looked up: denied when an entry blocks every address of it,
   * or no entry could allow one. `undefined` where only the addresses can tell.
   */
  judgeHost(facts: TargetFacts | undefined): Denial | undefined {
    if (this.conditional) return this.#judgeName(facts);
    return this.#ofAnyName === null ? (this.#ofAnyName = this.#judgeName(undefined)) : this.#ofAnyName;
  }

  #judgeName(facts: TargetFacts | undefined): Denial | undefined {
    const matching = this.matching(facts);
    const blocking = matching?.block.find((group) => group.all);
    if (blocking !== undefined) {
      const entry = blocking.wholeBy();
      const shape = reasonOf(this.block, entry);
      const reason = shape === 'blocked' ? 'host-blocked' : shape;
      return denied(undefined, reason, this.block.textOf(entry));
    }
    const leftovers = (this.#leftovers ??= new Leftovers(this.#blocked));
    const leavesAny = (allow: readonly Group[], block: readonly Group[]): boolean =>
      leftovers.any([this.#allowed, ...allow], block);
    if (leavesAny(matching?.allow ?? NO_GROUPS, matching?.block ?? NO_GROUPS)) return undefined;
    const { host } = readFacts(facts);
    const onOtherPort = leavesAny(
      this.allow.conditions?.ofHost(host, false) ?? NO_GROUPS,
      (this.block.conditions?.ofHost(host, true) ?? NO_GROUPS).filter(({ ports }) => ports === undefined),
    );
    return denied(undefined, onOtherPort ? 'port-not-allowed' : 'host-not-allowed');
  }

  /** What the plain entries allow and do not block: all there is to say where none is conditional. */
  open(): Intervals {
    return leftOf(this.#allowed, this.#blocked);
  }

  /** What of these addresses the plain entries allow and do not block: few of them need no list of all that is open. */
  partOf(addresses: Intervals): Intervals {
    const left = differenceOfBoth(addresses, this.#blocked.intervals());
    // What is in both is what is left when all is taken away that is not in the other.
    return differenceOfBoth(left, differenceOfBoth(left, this.#allowed.intervals()));
  }

  /** The verdict on a Unix socket or named pipe. */
  judgePath(path: string): Verdict {
    const blocking = this.block.paths.get(path);
    if (blocking !== undefined) return denied(undefined, 'path-blocked', blocking.text);
    const allowing = this.allow.paths.get(path);
    return allowing === undefined ? denied(undefined, 'path-not-allowed') : allowed(undefined, allowing.text);
  }

  /** The same for the same policy: in another order, with duplicates, nested or unmasked. */
  get id(): string {
    return (this.#id ??= this.#hash());
  }

  #hash(): string {
    const hash = newHash();
    for (const { plain, conditions, paths } of [this.allow, this.block]) {
      plain.addTo(hash);
      // No two policies give the same text: each part begins as no other kind does, and says where it ends.
      const groups = new Map(
        (conditions?.all ?? NO_GROUPS).map((group) => [conditionKey(group.host, group.ports), group]),
      );
      for (const key of [...groups.keys()].sort()) groups.get(key)!.addTo(hash.update(key));
      for (const path of [...paths.keys()].sort()) hash.update(JSON.stringify(path));
    }
    return hash.digest('base64url');
  }
}

// Loops, since a closure over a word would cost every address that is judged a context.
function any4(groups: readonly Group[], word: number): boolean {
  for (const group of groups) if (group.has4(word)) return true;
  return false;
}

function any6(groups: readonly Group[], a: number, b: number, c: number, d: number): boolean {
  for (const group of groups) if (group.has6(a, b, c, d)) return true;
  return false;
}

/** An IPv4 address has the words of one that carries it. */
function carriesOnlyPublic({ words: [a, b, c, d] }: Address): boolean {
  const count = carriedAddresses(a | 0, b | 0, c | 0, d | 0);
  return carried.subarray(0, count).every((word) => publicly().v4.has(word));
}

/** The entry behind an answer of the tables: that there is none cannot be. */
function known(found: Found | undefined): Found {
  if (found === undefined) throw new Error('netjail: no entry matches, but the tables say so');
  return found;
}

/** A block entry without a prefix blocks the host or the port, whatever the address. */
function reasonOf(list: EntryList, { at }: Found): 'blocked' | 'host-blocked' | 'port-blocked' {
  const entry = list.entryAt(at);
  if (entry === undefined || entry.prefix !== undefined || entry.range !== undefined) return 'blocked';
  return entry.host === undefined ? 'port-blocked' : 'host-blocked';
}
