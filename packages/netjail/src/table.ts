import { maskOf, orderBy } from './internal/order.ts';

/** Prefixes of one family that are to be compiled, in the order of the list. */
export interface Columns {
  /** The addresses as written, host bits and all: one word a prefix for IPv4, four for IPv6. */
  readonly words: Uint32Array;
  /** Of each the position in its list, and its length with how it was written: {@link metaOf}. */
  readonly meta: Uint32Array;
  readonly count: number;
}

/** A list has fewer entries than this: a position is kept in 24 bits. */
export const MAX_ENTRIES = 0x1000000;

/** Position and length (with {@link MAPPED4}, {@link BARE4}, {@link BARE6}) in one word. */
export const metaOf = (at: number, written: number): number => (at << 8) | written;
export const positionOf = (meta: number): number => meta >>> 8;
export const writtenOf = (meta: number): number => meta & 255;

/** Added to the length of an IPv4 entry: written as an IPv4-mapped prefix, as a bare address. */
export const MAPPED4 = 64;
export const BARE4 = 128;
/** Stands for 128 in a bare IPv6 address. */
export const BARE6 = 129;

export const bitsOf4 = (meta: number): number => meta & 63;
export const bitsOf6 = (meta: number): number => ((meta & 255) === BARE6 ? 128 : meta & 255);

/** Below this a binary search needs no index. */
export const INDEXED_FROM = 8;
const MAX_INDEX_BITS = 18;

/** One in so many prefixes at each end may stand outside of the index. */
const OUTLIERS = 32;

/**
 * What a slot of the index says besides the position: every address in it is in one prefix, or some
 * are and a search has to tell. Without either none is.
 */
const COVERED: number = 1 << 31;
export const PARTLY: number = 1 << 30;
/** The position in a slot. */
export const POSITION: number = PARTLY - 1;

/** How large an index is worth it: a fourth of the prefixes, four times as many where they are few. */
function indexBits(count: number): number {
  if (count < INDEXED_FROM) return 0;
  return Math.min(MAX_INDEX_BITS, 31 - Math.clz32(count) + (count < 2048 ? 2 : -2));
}

/**
 * What both families share: the prefixes, arranged for looking up.
 *
 * Prefixes are nested or disjoint, never partly overlapping. So they are kept by depth: those that
 * no other contains come first, sorted, then those inside one of the first, and so on. Within one
 * depth all are disjoint, and one binary search finds the one that can contain an address; the
 * first depth alone answers whether any does. Duplicates come last and are never searched.
 *
 * Everything is in one array of words, since a small rule set would be mostly the overhead of its
 * arrays: the addresses, then their meta words, then a first-level index of the first depth. The
 * index says where a search begins and ends for each value of some bits of the address. These are
 * the bits behind those that nearly all prefixes share, so that a list of one network is spread as
 * well as one of the whole Internet.
 */
export class Table {
  /** How many prefixes there are, duplicates and nested ones counted. */
  readonly count: number;
  /** Where each depth ends. */
  readonly depths: readonly number[];
  /** Whether the table holds every address of its family. */
  readonly all: boolean;
  protected readonly data: Uint32Array;
  /** The prefixes of the first depth. */
  protected readonly top: number;
  /** Where the meta words begin, and the index. */
  protected readonly meta: number;
  protected readonly index: number;
  /** What the index covers: elements `from` to `to`; its bits of an address: after `skip`. */
  protected readonly from: number;
  protected readonly to: number;
  protected readonly skip: number;
  protected readonly shift: number;
  /** The bits in front of the index; -1 where there is no index, or they are not all in the first word. */
  protected readonly head: number;

  protected constructor(given: Columns, width: 1 | 4) {
    const { count } = given;
    const { words, metas, depths } = byDepth(given, width);
    const top = depths[0] ?? 0;
    const bits = indexBits(top);
    const meta = count * width;
    const index = meta + count;
    const data = new Uint32Array(index + (bits === 0 ? 0 : (1 << bits) + 1));
    data.set(words);
    data.set(metas, meta);
    const outside = Math.floor(top / OUTLIERS);
    this.count = count;
    this.depths = depths;
    this.all = top === 1 && (data[meta]! & 63) === 0 && (width === 1 || bitsOf6(data[meta]!) === 0);
    this.data = data;
    this.top = top;
    this.meta = meta;
    this.index = index;
    this.from = outside;
    this.to = top - outside;
    this.shift = 32 - bits;
    this.skip = bits === 0 ? 0 : sharedBits(data, this.from, this.to - 1, width);
    this.head = bits === 0 || this.skip > 31 ? -1 : headOf(data[this.from * width]!, this.skip);
    if (bits === 0) return;
    let slot = index;
    for (let i = this.from; i < this.to; i++) {
      const key = index + (windowOf(width, data, i * width, this.skip) >>> this.shift);
      while (slot <= key) data[slot++] = i;
    }
    while (slot < data.length) data[slot++] = this.to;
    this.#markSlots(width, bits);
  }

  /** Says of each slot whether it is covered, by every prefix that shares the bits in front of the index. */
  #markSlots(width: 1 | 4, bits: number): void {
    const { data, skip, index } = this;
    for (let i = 0; i < this.top; i++) {
      if (sharedBits(data, i, this.from, width) < skip) continue;
      const key = windowOf(width, data, i * width, skip) >>> this.shift;
      const meta = data[this.meta + i]!;
      // How many bits of the key the prefix leaves open: at least one is not, or it held all others.
      const open = bits + skip - (width === 1 ? bitsOf4(meta) : bitsOf6(meta));
      if (open < 0) data[index + key]! |= PARTLY;
      else {
        const first = index + ((key >>> open) << open);
        for (let slot = first; slot < first + (1 << open); slot++) data[slot]! |= COVERED;
      }
    }
  }

  get empty(): boolean {
    return this.count === 0;
  }

  /** Whether no other prefix of the table contains this one. */
  isTop(i: number): boolean {
    return i < this.top;
  }

  metaAt(i: number): number {
    return this.data[this.meta + i]!;
  }

  word(i: number): number {
    return this.data[i]!;
  }
}

/** How many leading bits two elements share. */
function sharedBits(data: Uint32Array, x: number, y: number, width: 1 | 4): number {
  let word = 0;
  while (word < width - 1 && data[x * width + word] === data[y * width + word]) word++;
  return word * 32 + Math.clz32(data[x * width + word]! ^ data[y * width + word]!);
}

/** The leading `bits` of a word as a number, 0 to 31; all of it for more. */
export function headOf(word: number, bits: number): number {
  return bits > 31 ? word >>> 0 : (word >>> 1) >>> (31 - bits);
}

/** 32 bits from bit `skip` of an address on; zeros behind its end. */
function windowOf(width: 1 | 4, words: Uint32Array, at: number, skip: number): number {
  const word = skip >>> 5;
  const shift = skip & 31;
  const high = words[at + word]! << shift;
  if (shift === 0 || word === width - 1) return high;
  return high | (words[at + word + 1]! >>> (32 - shift));
}

interface Arranged {
  readonly words: Uint32Array;
  readonly metas: Uint32Array;
  readonly depths: readonly number[];
}

/** The prefixes in order, then by depth, and where each depth ends. */
function byDepth(given: Columns, width: 1 | 4): Arranged {
  const { words, metas } = sorted(given, width);
  const count = metas.length;
  const lengthAt = (k: number): number => (width === 1 ? bitsOf4(metas[k]!) : bitsOf6(metas[k]!));
  const depth = new Uint8Array(count);
  const counts = new Uint32Array(256);
  // The prefixes around the one that is looked at, outermost first.
  const stack = new Uint32Array(256);
  let top = -1;
  for (let k = 0; k < count; k++) {
    while (top >= 0 && !covers(words, stack[top]! * width, lengthAt(stack[top]!), k * width, width)) top--;
    const twin = top >= 0 && lengthAt(stack[top]!) === lengthAt(k);
    if (!twin) stack[++top] = k;
    depth[k] = twin ? DUPLICATE : top;
    counts[depth[k]!]!++;
  }

  const depths: number[] = [];
  const ends = new Uint32Array(256);
  let end = 0;
  for (let d = 0; d <= DUPLICATE; d++) {
    ends[d] = end;
    end += counts[d]!;
    if (d < DUPLICATE && counts[d]! > 0) depths.push(end);
  }
  if (counts[0] === count) return { words, metas, depths };
  const arranged = { words: new Uint32Array(words.length), metas: new Uint32Array(count), depths };
  for (let k = 0; k < count; k++) {
    const to = ends[depth[k]!]!++;
    for (let w = 0; w < width; w++) arranged.words[to * width + w] = words[k * width + w]!;
    arranged.metas[to] = metas[k]!;
  }
  return arranged;
}

/** The prefixes by their start, then by length. */
function sorted(given: Columns, width: 1 | 4): { words: Uint32Array; metas: Uint32Array } {
  const { count } = given;
  const start = given.words.slice(0, count * width);
  const length = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bits = width === 1 ? bitsOf4(given.meta[i]!) : bitsOf6(given.meta[i]!);
    length[i] = bits;
    for (let w = 0; w < width; w++) start[i * width + w]! &= maskOf(bits - 32 * w);
  }
  const order = orderBy(start, length, width, count);
  // Each is fetched once, from anywhere; whatever follows goes through memory in its order.
  const words = start; // The masked ones are not needed any more.
  const metas = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    for (let w = 0; w < width; w++) words[k * width + w] = given.words[i * width + w]!;
    metas[k] = given.meta[i]!;
  }
  return { words, metas };
}

/** The depth of a prefix that is there already. */
const DUPLICATE = 255;

/** Whether the prefix at `x` of `bits` contains the address at `y`. */
function covers(words: Uint32Array, x: number, bits: number, y: number, width: number): boolean {
  for (let w = 0; w < width; w++) {
    if (((words[x + w]! ^ words[y + w]!) & maskOf(bits - 32 * w)) !== 0) return false;
  }
  return true;
}
