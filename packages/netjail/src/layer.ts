import { Address, isMapped, textOfWord } from './address.ts';
import { carriedAddresses } from './carried.ts';
import { findEntry, type Entry } from './entry.ts';
import { Table } from './table.ts';
import { allowed, denied, type Reason, type Verdict } from './verdict.ts';

const LOOPBACK_IPV4 = 0x7f000001;

/** What decided the last denial besides the address itself: a carried IPv4 address. */
let decidedByCarried = 0;

/**
 * One allow list and one block list, compiled: the place where an address is judged.
 *
 * `accepted` answers for almost every address with one search. What it cannot say alone is in
 * {@link Layer.reason}: unspecified addresses and carried ones.
 */
export class Layer {
  readonly allow: readonly Entry[];
  readonly block: readonly Entry[];
  readonly #accepted: Table;
  readonly #blocked: Table;
  /** What is allowed by other entries than the range `public`, when that one is in the list. */
  readonly #allowedByName: { readonly publicly: Table; readonly otherwise: Table } | undefined;
  readonly #loopbackBlocked: boolean;

  constructor(allow: readonly Entry[], block: readonly Entry[]) {
    this.allow = allow;
    this.block = block;
    this.#blocked = tableOf(block);
    this.#accepted = tableOf(allow).without(this.#blocked);
    const publicly = allow.filter((entry) => entry.range === 'public');
    this.#allowedByName =
      publicly.length === 0
        ? undefined
        : {
            publicly: tableOf(publicly),
            otherwise: tableOf(allow.filter((entry) => entry.range !== 'public')),
          };
    this.#loopbackBlocked = this.#blocked.hasIPv4(LOOPBACK_IPV4) || this.#blocked.hasIPv6(0, 0, 0, 1);
  }

  /** True when no address at all is accepted. */
  get empty(): boolean {
    return this.#accepted.empty;
  }

  /** Why the address is denied, or `undefined` when it is accepted. Allocates nothing for most. */
  reason(family: 4 | 6, a: number, b: number, c: number, d: number): Reason | undefined {
    if (family === 4 || isMapped(a, b, c)) {
      if (!this.#accepted.hasIPv4(d)) return this.#blocked.hasIPv4(d) ? 'blocked' : 'not-allowed';
      return d === 0 && this.#loopbackBlocked ? 'loopback-blocked' : undefined;
    }
    if (!this.#accepted.hasIPv6(a, b, c, d)) {
      return this.#blocked.hasIPv6(a, b, c, d) ? 'blocked' : 'not-allowed';
    }
    if ((a | b | c | d) === 0) return this.#loopbackBlocked ? 'loopback-blocked' : undefined;
    for (const word of carriedAddresses(a, b, c, d)) {
      decidedByCarried = word;
      if (this.#blocked.hasIPv4(word) || (word === 0 && this.#loopbackBlocked)) {
        return 'carried-address-blocked';
      }
      const byName = this.#allowedByName;
      if (byName !== undefined && !byName.publicly.hasIPv4(word) && !byName.otherwise.hasIPv6(a, b, c, d)) {
        return 'carried-address-not-allowed';
      }
    }
    return undefined;
  }

  /** The verdict on an address without a zone, with the entry that decided. */
  judge(address: Address): Verdict {
    const target = address.unmap();
    const text = target.toString();
    const [a, b, c, d] = target.words;
    const reason = this.reason(target.family, a, b, c, d);
    switch (reason) {
      case undefined:
        return allowed(text, found(this.allow, target).text);
      case 'not-allowed':
        return denied(text, reason);
      case 'blocked':
        return denied(text, reason, found(this.block, target).text);
      case 'loopback-blocked':
        return denied(text, reason, this.#loopbackEntry().text);
      case 'carried-address-not-allowed':
        return denied(text, reason, undefined, textOfWord(decidedByCarried));
      case 'carried-address-blocked': {
        const carried = Address.fromWord(decidedByCarried);
        const entry = findEntry(this.block, carried) ?? this.#loopbackEntry();
        return denied(text, reason, entry.text, carried.toString());
      }
      default:
        throw new Error(`netjail: unreachable reason ${reason}`);
    }
  }

  #loopbackEntry(): Entry {
    return (
      findEntry(this.block, Address.fromWord(LOOPBACK_IPV4)) ??
      found(this.block, Address.fromWords([0, 0, 0, 1]))
    );
  }
}

function tableOf(entries: readonly Entry[]): Table {
  return Table.of(entries.flatMap((entry) => entry.prefixes));
}

/** The entry behind an answer of the tables: that there is none cannot be. */
function found(entries: readonly Entry[], address: Address): Entry {
  const entry = findEntry(entries, address);
  if (entry === undefined)
    throw new Error(`netjail: no entry contains ${address.toString()}, but the table does`);
  return entry;
}
