import { createHash, type Hash } from 'node:crypto';
import { textOfIPv6, textOfWord } from './address.ts';
import type { HostPattern } from './host.ts';
import { hasPort, type Ports } from './ports.ts';
import { Prefix } from './prefix.ts';
import { ranges, type RangeName } from './ranges.ts';
import { differenceOf, intervalsCover, unionOf, withoutCovered } from './intervals.ts';
import {
  BARE4,
  BARE6,
  bitsOf4,
  bitsOf6,
  Growing,
  MAPPED4,
  metaOf,
  NO_PREFIXES,
  positionOf,
  writtenOf,
  type Columns,
} from './columns.ts';
import { Table4 } from './table4.ts';
import { Table6 } from './table6.ts';

/** A text that is the same for the same canonical policy. */
export function newHash(): Hash {
  return createHash('sha256');
}

const EMPTY4 = new Table4(NO_PREFIXES);
const EMPTY6 = new Table6(NO_PREFIXES);

/** Collects the entries of one group. */
export class GroupBuilder {
  readonly #v4 = new Growing(1);
  readonly #v6 = new Growing(4);
  #publicAt = -1;
  #anyAt = -1;

  add4(word: number, bits: number, at: number, hint: number): void {
    const columns = this.#v4;
    columns.grow(hint);
    const to = columns.count++;
    columns.words[to] = word;
    columns.meta[to] = metaOf(at, bits);
    columns.note(word);
  }

  add6(a: number, b: number, c: number, d: number, bits: number, at: number, hint: number): void {
    const columns = this.#v6;
    columns.grow(hint);
    const to = columns.count++;
    const { words } = columns;
    words[4 * to] = a;
    words[4 * to + 1] = b;
    words[4 * to + 2] = c;
    words[4 * to + 3] = d;
    columns.meta[to] = metaOf(at, bits);
    columns.note(a);
  }

  addPrefix(prefix: Prefix, bare: boolean, at: number): void {
    const { address, bits } = prefix;
    if (address.family === 4) {
      this.add4(address.words[3], bare ? 32 | BARE4 : bits, at, 1);
    } else if (address.mapped && bits >= 96) {
      this.add4(address.words[3], (bits - 96) | MAPPED4 | (bare ? BARE4 : 0), at, 1);
    } else this.add6(...address.words, bare ? BARE6 : bits, at, 1);
  }

  addRange(range: RangeName, at: number): void {
    // An own table, one for all rules: what it allows is judged in its own way, and it is long.
    if (range === 'public') {
      if (this.#publicAt === -1) this.#publicAt = at;
    } else for (const prefix of prefixesOf(range)) this.addPrefix(prefix, false, at);
  }

  /** An entry without a prefix: every address. */
  addAny(at: number): void {
    if (this.#anyAt === -1) this.#anyAt = at;
  }

  build(host?: HostPattern, ports?: Ports): Group {
    return new Group(this.#v4, this.#v6, this.#publicAt, this.#anyAt, host, ports);
  }
}

const rangePrefixes = new Map<RangeName, readonly Prefix[]>();

function prefixesOf(range: RangeName): readonly Prefix[] {
  let prefixes = rangePrefixes.get(range);
  if (prefixes === undefined) {
    prefixes = ranges[range].map((text) => Prefix.parse(text));
    rangePrefixes.set(range, prefixes);
  }
  return prefixes;
}

/** An entry that matched: its position, and its text where it was written as a prefix. */
export interface Found {
  readonly at: number;
  readonly text: string | undefined;
}

/** Addresses of both families as sorted intervals. */
export interface Intervals {
  readonly v4: Uint32Array;
  readonly v6: Uint32Array;
}

export const EVERYTHING: Intervals = {
  v4: Uint32Array.of(0, 0xffffffff),
  v6: Uint32Array.of(0, 0, 0, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff),
};

export function unionOfBoth(all: readonly Intervals[]): Intervals {
  return {
    v4: unionOf(
      all.map(({ v4 }) => v4),
      1,
    ),
    v6: unionOf(
      all.map(({ v6 }) => v6),
      4,
    ),
  };
}

export function differenceOfBoth(inner: Intervals, outer: Intervals): Intervals {
  return { v4: differenceOf(inner.v4, outer.v4, 1), v6: differenceOf(inner.v6, outer.v6, 4) };
}

export function coversBoth(outer: Intervals, inner: Intervals): boolean {
  return intervalsCover(outer.v4, inner.v4, 1) && intervalsCover(outer.v6, inner.v6, 4);
}

/** The entries of one list that ask for the same host and port: a set of addresses. */
export class Group {
  readonly host: HostPattern | undefined;
  readonly ports: Ports | undefined;
  readonly v4: Table4;
  readonly v6: Table6;
  /** The position of the first entry that is the range `public`, or -1. */
  readonly publicAt: number;
  /** The position of the first entry without a prefix, or -1. */
  readonly anyAt: number;

  constructor(
    v4: Columns,
    v6: Columns,
    publicAt: number,
    anyAt: number,
    host: HostPattern | undefined,
    ports: Ports | undefined,
  ) {
    this.v4 = v4.count === 0 ? EMPTY4 : new Table4(v4);
    this.v6 = v6.count === 0 ? EMPTY6 : new Table6(v6);
    this.publicAt = publicAt;
    this.anyAt = anyAt;
    this.host = host;
    this.ports = ports;
  }

  /** Every address of both families, by one entry of each. */
  get all(): boolean {
    return this.anyAt >= 0 || (this.v4.all && this.v6.all);
  }

  /** Of a group of every address: the entry without a prefix, or the first of the two that are all of a family. */
  wholeBy(): Found {
    if (this.anyAt >= 0) return { at: this.anyAt, text: undefined };
    // The outermost prefix of a family stands first in its table.
    const { v4, v6 } = this;
    const whole4 = { at: positionOf(v4.metaAt(0)), text: text4(v4, 0) };
    const whole6 = { at: positionOf(v6.metaAt(0)), text: text6(v6, 0) };
    return [whole4, whole6].sort((x, y) => x.at - y.at)[0]!;
  }

  /** All that the group holds, as sorted intervals. */
  intervals(): Intervals {
    if (this.anyAt >= 0) return EVERYTHING;
    const own = { v4: this.v4.intervals(), v6: this.v6.intervals() };
    if (this.publicAt < 0) return own;
    const open = publicly();
    return unionOfBoth([own, { v4: open.v4.intervals(), v6: open.v6.intervals() }]);
  }

  /** Whether its ports have this one; `unknown` where the port is not known. */
  fits(port: number | undefined, unknown: boolean): boolean {
    if (this.ports === undefined) return true;
    return port === undefined ? unknown : hasPort(this.ports, port);
  }

  has4(word: number): boolean {
    return this.v4.has(word) || this.anyAt >= 0 || (this.publicAt >= 0 && publicly().v4.has(word));
  }

  has6(a: number, b: number, c: number, d: number): boolean {
    return this.hasByName6(a, b, c, d) || (this.publicAt >= 0 && publicly().v6.has(a, b, c, d));
  }

  /** As {@link Group.has6}, by another entry than the range `public`. */
  hasByName6(a: number, b: number, c: number, d: number): boolean {
    return this.anyAt >= 0 || this.v6.has(a, b, c, d);
  }

  /** Each entry that contains the address, in no order. */
  matches4(word: number): Found[] {
    const { v4 } = this;
    const found = v4.matches(word).map((i): Found => ({ at: positionOf(v4.metaAt(i)), text: text4(v4, i) }));
    if (this.publicAt >= 0 && publicly().v4.has(word)) found.push({ at: this.publicAt, text: undefined });
    if (this.anyAt >= 0) found.push({ at: this.anyAt, text: undefined });
    return found;
  }

  matches6(a: number, b: number, c: number, d: number): Found[] {
    const { v6 } = this;
    const found = v6
      .matches(a, b, c, d)
      .map((i): Found => ({ at: positionOf(v6.metaAt(i)), text: text6(v6, i) }));
    if (this.publicAt >= 0 && publicly().v6.has(a, b, c, d))
      found.push({ at: this.publicAt, text: undefined });
    if (this.anyAt >= 0) found.push({ at: this.anyAt, text: undefined });
    return found;
  }

  /** Puts the text of each prefix where it stood in the list. */
  writeTexts(texts: string[]): void {
    const { v4, v6 } = this;
    for (let i = 0; i < v4.count; i++) texts[positionOf(v4.metaAt(i))] = text4(v4, i);
    for (let i = 0; i < v6.count; i++) texts[positionOf(v6.metaAt(i))] = text6(v6, i);
  }

  /** Whether every address of this group is in the other. */
  within(other: Group): boolean {
    if (other.all) return true;
    // Most often the first address tells, and the intervals of long lists need not be made.
    const first = this.v4.empty ? undefined : this.v4.word(0) | 0;
    if (first !== undefined && !other.has4(first)) return false;
    return coversBoth(other.intervals(), this.intervals());
  }

  /** What does not change when entries are reordered, repeated, nested, unmasked or split. */
  addTo(hash: Hash): void {
    if (this.anyAt >= 0) {
      hash.update('any ');
      return;
    }
    hash.update(this.publicAt >= 0 ? ' public' : ' ');
    const v4 =
      this.publicAt >= 0
        ? withoutCovered(this.v4.intervals(), publicly().v4.intervals())
        : this.v4.intervals();
    const v6 = this.v6.intervals();
    hash.update(` ${v4.length} ${v6.length} `).update(v4).update(v6);
  }
}

function text4(table: Table4, i: number): string {
  const meta = table.metaAt(i);
  const mapped = (meta & MAPPED4) !== 0;
  const address = `${mapped ? '::ffff:' : ''}${textOfWord(table.word(i))}`;
  return (meta & BARE4) === 0 ? `${address}/${bitsOf4(meta) + (mapped ? 96 : 0)}` : address;
}

function text6(table: Table6, i: number): string {
  const meta = table.metaAt(i);
  const [a, b, c, d] = [0, 1, 2, 3].map((w) => table.word(4 * i + w)) as [number, number, number, number];
  const address = textOfIPv6(a, b, c, d);
  return writtenOf(meta) === BARE6 ? address : `${address}/${bitsOf6(meta)}`;
}

let publicTables: { readonly v4: Table4; readonly v6: Table6 } | undefined;

/** The range `public`, compiled once. */
export function publicly(): { readonly v4: Table4; readonly v6: Table6 } {
  if (publicTables === undefined) {
    const builder = new GroupBuilder();
    for (const prefix of prefixesOf('public')) builder.addPrefix(prefix, false, 0);
    publicTables = builder.build();
  }
  return publicTables;
}
