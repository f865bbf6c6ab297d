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
const INDEXED_FROM = 8;
const MAX_INDEX_BITS = 18;

/** One in so many prefixes at each end may stand outside of the index. */
const OUTLIERS = 32;

/** How large an index is worth it: a fourth of the prefixes, half of them where they are few. */
function indexBits(count: number): number {
  if (count < INDEXED_FROM) return 0;
  return Math.min(MAX_INDEX_BITS, 31 - Math.clz32(count) - (count < 4096 ? 1 : 2));
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
class Table {
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

  protected constructor(given: Columns, width: 1 | 4) {
    const { count } = given;
    const { order, depth, depths, ends } = byDepth(given, width);
    const top = depths[0] ?? 0;
    const bits = indexBits(top);
    const meta = count * width;
    const index = meta + count;
    const data = new Uint32Array(index + (bits === 0 ? 0 : (1 << bits) + 1));
    for (let k = 0; k < count; k++) {
      const i = order[k]!;
      const to = ends[depth[i]!]!++;
      for (let w = 0; w < width; w++) data[to * width + w] = given.words[i * width + w]!;
      data[meta + to] = given.meta[i]!;
    }
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
    this.skip = bits === 0 ? 0 : sharedBits(data, this.from, this.to - 1, width, width * 32 - bits);
    if (bits === 0) return;
    let slot = index;
    for (let i = this.from; i < this.to; i++) {
      const key = index + (windowOf(width, data, i * width, this.skip) >>> this.shift);
      while (slot <= key) data[slot++] = i;
    }
    while (slot < data.length) data[slot++] = this.to;
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

/** How many leading bits two elements share, at most `most`. */
function sharedBits(data: Uint32Array, x: number, y: number, width: 1 | 4, most: number): number {
  let word = 0;
  while (word < width - 1 && data[x * width + word] === data[y * width + word]) word++;
  return Math.min(word * 32 + Math.clz32(data[x * width + word]! ^ data[y * width + word]!), most);
}

/** 32 bits from bit `skip` of an address on; zeros behind its end. */
function windowOf(width: 1 | 4, words: Uint32Array, at: number, skip: number): number {
  const word = skip >>> 5;
  const shift = skip & 31;
  const high = words[at + word]! << shift;
  if (shift === 0 || word === width - 1) return high;
  return high | (words[at + word + 1]! >>> (32 - shift));
}

/** The order of prefixes, the depth of each, where the depths end, and where each begins. */
function byDepth(
  given: Columns,
  width: 1 | 4,
): { order: Uint32Array; depth: Uint8Array; depths: number[]; ends: Uint32Array } {
  const { count } = given;
  const start = given.words.slice(0, count * width);
  const length = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bits = width === 1 ? bitsOf4(given.meta[i]!) : bitsOf6(given.meta[i]!);
    length[i] = bits;
    for (let w = 0; w < width; w++) start[i * width + w]! &= maskOf(bits - 32 * w);
  }
  const order = orderBy(start, length, width, count);

  const depth = new Uint8Array(count);
  const counts = new Uint32Array(256);
  const stack = new Uint32Array(256);
  let top = -1;
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    while (top >= 0 && !covers(start, stack[top]! * width, length[stack[top]!]!, i * width, width)) top--;
    const twin = top >= 0 && length[stack[top]!] === length[i];
    if (!twin) stack[++top] = i;
    depth[i] = twin ? DUPLICATE : top;
    counts[depth[i]!]!++;
  }

  const depths: number[] = [];
  const ends = new Uint32Array(256);
  let end = 0;
  for (let d = 0; d <= DUPLICATE; d++) {
    ends[d] = end;
    end += counts[d]!;
    if (d < DUPLICATE && counts[d]! > 0) depths.push(end);
  }
  return { order, depth, depths, ends };
}

/** The depth of a prefix that is there already. */
const DUPLICATE = 255;

/** Whether the masked prefix at `x` of `bits` contains the address at `y`. */
function covers(words: Uint32Array, x: number, bits: number, y: number, width: number): boolean {
  for (let w = 0; w < width; w++) {
    if (((words[x + w]! ^ words[y + w]!) & maskOf(bits - 32 * w)) !== 0) return false;
  }
  return true;
}

/** The IPv4 prefixes of a list. */
export class Table4 extends Table {
  constructor(given: Columns) {
    super(given, 1);
  }

  has(x: number): boolean {
    const { top, data } = this;
    if (top === 0) return false;
    if (this.all) return true;
    let low = 0;
    let high = top;
    if (top >= INDEXED_FROM) {
      const { skip, from } = this;
      const order = skip === 0 ? 0 : (x >>> (32 - skip)) - (data[from]! >>> (32 - skip));
      if (order === 0) {
        const slot = this.index + ((x << skip) >>> this.shift);
        low = data[slot]!;
        high = data[slot + 1]!;
        // What stands outside of the index may share its bits.
        if (low === from) low = 0;
        if (high === this.to) high = top;
      } else if (order < 0) high = from;
      else low = this.to;
    }
    const unsigned = x >>> 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (data[middle]! <= unsigned) low = middle + 1;
      else high = middle;
    }
    // `low` words are at or below the address. Words have their host bits, so the next prefix can
    // contain the address, too. A length of 0 has been answered above.
    const { meta } = this;
    if (low > 0 && (data[low - 1]! ^ x) >>> (32 - (data[meta + low - 1]! & 63)) === 0) return true;
    return low < top && (data[low]! ^ x) >>> (32 - (data[meta + low]! & 63)) === 0;
  }

  /** The elements that contain the address, one of each depth, outermost first. */
  matches(x: number): number[] {
    const { data } = this;
    const found: number[] = [];
    let from = 0;
    for (const end of this.depths) {
      let low = from;
      let high = end;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (data[middle]! <= x >>> 0) low = middle + 1;
        else high = middle;
      }
      if (low > from && this.#inside(low - 1, x)) found.push(low - 1);
      else if (low < end && this.#inside(low, x)) found.push(low);
      else break;
      from = end;
    }
    return found;
  }

  #inside(i: number, x: number): boolean {
    return ((this.data[i]! ^ x) & maskOf(bitsOf4(this.metaAt(i)))) === 0;
  }

  /** Start and end (both inside) of what the table holds, in order, adjacent ones as one. */
  intervals(): Uint32Array {
    const { top, data } = this;
    const flat = new Uint32Array(2 * top);
    let n = 0;
    for (let i = 0; i < top; i++) {
      const mask = maskOf(bitsOf4(this.metaAt(i)));
      const start = (data[i]! & mask) >>> 0;
      if (n > 0 && flat[n - 1]! + 1 === start) n -= 2;
      else flat[n] = start;
      flat[n + 1] = (start | ~mask) >>> 0;
      n += 2;
    }
    return flat.subarray(0, n);
  }
}

/** The IPv6 prefixes of a list. */
export class Table6 extends Table {
  constructor(given: Columns) {
    super(given, 4);
  }

  has(a: number, b: number, c: number, d: number): boolean {
    const { top, data } = this;
    if (top === 0) return false;
    if (this.all) return true;
    let low = 0;
    let high = top;
    if (top >= INDEXED_FROM) {
      const order = this.skip === 0 ? 0 : this.#compareShared(a, b, c, d);
      if (order === 0) {
        const { skip } = this;
        const shift = skip & 31;
        let key: number;
        if (skip < 32) key = shift === 0 ? a : (a << shift) | (b >>> (32 - shift));
        else if (skip < 64) key = shift === 0 ? b : (b << shift) | (c >>> (32 - shift));
        else if (skip < 96) key = shift === 0 ? c : (c << shift) | (d >>> (32 - shift));
        else key = d << shift;
        const slot = this.index + (key >>> this.shift);
        low = data[slot]!;
        high = data[slot + 1]!;
        if (low === this.from) low = 0;
        if (high === this.to) high = top;
      } else if (order < 0) high = this.from;
      else low = this.to;
    }
    low = search6(data, a, b, c, d, low, high);
    return (low > 0 && this.#inside(low - 1, a, b, c, d)) || (low < top && this.#inside(low, a, b, c, d));
  }

  #inside(i: number, a: number, b: number, c: number, d: number): boolean {
    const { data } = this;
    const at = i << 2;
    const bits = bitsOf6(data[this.meta + i]!);
    const x = data[at]! ^ a;
    if (bits <= 32) return (x & maskOf(bits)) === 0;
    if (x !== 0) return false;
    const y = data[at + 1]! ^ b;
    if (bits <= 64) return y >>> (64 - bits) === 0;
    const z = data[at + 2]! ^ c;
    if (bits <= 96) return y === 0 && z >>> (96 - bits) === 0;
    return (y | z) === 0 && (data[at + 3]! ^ d) >>> (128 - bits) === 0;
  }

  /** How the bits in front of the index's compare to those that its elements share. */
  #compareShared(a: number, b: number, c: number, d: number): number {
    const { data, skip } = this;
    const at = this.from << 2;
    const order = part(a, skip) - part(data[at]!, skip);
    if (order !== 0 || skip <= 32) return order;
    const second = part(b, skip - 32) - part(data[at + 1]!, skip - 32);
    if (second !== 0 || skip <= 64) return second;
    const third = part(c, skip - 64) - part(data[at + 2]!, skip - 64);
    if (third !== 0 || skip <= 96) return third;
    return part(d, skip - 96) - part(data[at + 3]!, skip - 96);
  }

  /** The elements that contain the address, one of each depth, outermost first. */
  matches(a: number, b: number, c: number, d: number): number[] {
    const found: number[] = [];
    let from = 0;
    for (const end of this.depths) {
      const low = search6(this.data, a, b, c, d, from, end);
      if (low > from && this.#inside(low - 1, a, b, c, d)) found.push(low - 1);
      else if (low < end && this.#inside(low, a, b, c, d)) found.push(low);
      else break;
      from = end;
    }
    return found;
  }

  /** Start and end (both inside, four words each) of what the table holds, adjacent ones as one. */
  intervals(): Uint32Array {
    const { top, data } = this;
    const flat = new Uint32Array(8 * top);
    let n = 0;
    for (let i = 0; i < top; i++) {
      const length = bitsOf6(this.metaAt(i));
      for (let w = 0; w < 4; w++) {
        const mask = maskOf(length - 32 * w);
        flat[n + w] = data[4 * i + w]! & mask;
        flat[n + 4 + w] = data[4 * i + w]! | ~mask;
      }
      if (n > 0 && follows(flat, n - 4, n)) {
        flat.copyWithin(n - 4, n + 4, n + 8);
        n -= 8;
      }
      n += 8;
    }
    return flat.subarray(0, n);
  }
}

/** How many of the elements up to `high` are at or below the address; those below `low` are. */
function search6(
  data: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  low: number,
  high: number,
): number {
  const first = a >>> 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle << 2;
    let order = data[at]! - first;
    if (order === 0) {
      order = data[at + 1]! - (b >>> 0);
      if (order === 0) order = data[at + 2]! - (c >>> 0);
      if (order === 0) order = data[at + 3]! - (d >>> 0);
    }
    if (order <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The leading `bits` of a word, 1 or more, as a number. */
function part(word: number, bits: number): number {
  return bits >= 32 ? word >>> 0 : word >>> (32 - bits);
}

/** Whether the address at `y` is the next after the one at `x`. */
function follows(words: Uint32Array, x: number, y: number): boolean {
  let carry = 1;
  for (let w = 3; w >= 0; w--) {
    if ((words[x + w]! + carry) >>> 0 !== words[y + w]) return false;
    carry = carry === 1 && words[x + w] === 0xffffffff ? 1 : 0;
  }
  return carry === 0;
}

/** Whether the sorted intervals of `outer` (of `width` words) contain all those of `inner`. */
export function intervalsCover(outer: Uint32Array, inner: Uint32Array, width: 1 | 4): boolean {
  const step = 2 * width;
  let i = 0;
  for (let k = 0; k < inner.length; k += step) {
    while (i < outer.length && compare(outer, i + width, inner, k, width) < 0) i += step;
    if (i >= outer.length) return false;
    if (compare(outer, i, inner, k, width) > 0) return false;
    if (compare(outer, i + width, inner, k + width, width) < 0) return false;
  }
  return true;
}

function compare(x: Uint32Array, atX: number, y: Uint32Array, atY: number, width: number): number {
  for (let w = 0; w < width; w++) {
    const order = x[atX + w]! - y[atY + w]!;
    if (order !== 0) return order;
  }
  return 0;
}
