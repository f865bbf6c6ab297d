import { maskOf, orderBy } from './internal/order.ts';

/**
 * The prefixes of one family of one list, each with its position in the list as it was written.
 *
 * - `words`: the address as written, host bits and all: one word a prefix for IPv4, four for IPv6.
 * - `bits`: its length, with how it was written: see {@link BARE4} and {@link BARE6}.
 *
 * Prefixes are nested or disjoint, never partly overlapping. So they are kept by depth: those that
 * no other contains come first, sorted, then those inside one of the first, and so on. Within one
 * depth all are disjoint, and one binary search finds the one that can contain an address; the
 * first depth alone answers whether any does. Duplicates come last and are never searched.
 */
export interface Columns {
  words: Uint32Array;
  bits: Uint8Array;
  at: Uint32Array;
  count: number;
}

/** Added to the length of an IPv4 entry: written as an IPv4-mapped prefix, as a bare address. */
export const MAPPED4 = 64;
export const BARE4 = 128;
/** Stands for 128 in a bare IPv6 address. */
export const BARE6 = 129;

export const bitsOf4 = (written: number): number => written & 63;
export const bitsOf6 = (written: number): number => (written === BARE6 ? 128 : written);

/** Below this a binary search needs no index. */
const INDEXED_FROM = 8;
const MAX_INDEX_BITS = 18;

/**
 * A first-level index over the sorted first depth: where the search begins and ends for each value
 * of some bits of the address. These are the bits behind those that nearly all prefixes share, so
 * that a list of one network is spread as well as one of the whole Internet. Its size follows the
 * number of prefixes: four of them an element.
 */
interface Index {
  /** Elements in front of `from` and from `to` on stand outside of the index. */
  readonly from: number;
  readonly to: number;
  readonly skip: number;
  readonly shift: number;
  readonly starts: Uint32Array;
}

const NO_INDEX: Index = { from: 0, to: 0, skip: 0, shift: 0, starts: new Uint32Array(0) };

/** One in so many prefixes at each end may stand outside of the index. */
const OUTLIERS = 32;

function sharedBits(x: number, y: number): number {
  return Math.clz32(x ^ y);
}

function indexOf(count: number, width: 1 | 4, words: Uint32Array): Index {
  if (count < INDEXED_FROM) return NO_INDEX;
  const outside = Math.floor(count / OUTLIERS);
  const from = outside;
  const to = count - outside;
  const size = Math.min(MAX_INDEX_BITS, 31 - Math.clz32(count) - (count < 4096 ? 1 : 2));
  const last = (to - 1) * width;
  let skip = 0;
  while (skip < width && words[from * width + skip] === words[last + skip]) skip++;
  const word = Math.min(skip, width - 1);
  skip = Math.min(
    word * 32 + sharedBits(words[from * width + word]!, words[last + word]!),
    width * 32 - size,
  );
  const starts = new Uint32Array((1 << size) + 1);
  const shift = 32 - size;
  let slot = 0;
  for (let i = from; i < to; i++) {
    const at = i * width;
    const key = windowOf(width, words, at, skip) >>> shift;
    while (slot <= key) starts[slot++] = i;
  }
  while (slot <= 1 << size) starts[slot++] = to;
  return { from, to, skip, shift, starts };
}

/** 32 bits from bit `skip` of an address on; zeros behind its end. */
function windowOf(width: 1 | 4, words: Uint32Array, at: number, skip: number): number {
  const word = skip >>> 5;
  const shift = skip & 31;
  const high = words[at + word]! << shift;
  if (shift === 0 || word === width - 1) return high;
  return high | (words[at + word + 1]! >>> (32 - shift));
}

/** Sorts columns by depth and start: the elements of each depth end where `depths` says. */
function arrange(given: Columns, width: 1 | 4): { sorted: Columns; depths: number[]; searched: number } {
  const { count } = given;
  const start = given.words.slice(0, count * width);
  const length = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bits = width === 1 ? bitsOf4(given.bits[i]!) : bitsOf6(given.bits[i]!);
    length[i] = bits;
    for (let w = 0; w < width; w++) start[i * width + w]! &= maskOf(bits - 32 * w);
  }
  const order = orderBy(start, length, width, count);

  const depth = new Uint8Array(count);
  const counts = new Uint32Array(256);
  const stack: number[] = [];
  let top = -1;
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    while (top >= 0 && !covers(start, stack[top]! * width, length[stack[top]!]!, i * width, width)) top--;
    const twin = top >= 0 && length[stack[top]!] === length[i];
    if (!twin) stack[++top] = i;
    depth[i] = twin ? 255 : top;
    counts[depth[i]!]!++;
  }

  const depths: number[] = [];
  const next = new Uint32Array(256);
  let end = 0;
  for (let d = 0; d < 256; d++) {
    next[d] = end;
    end += counts[d]!;
    if (d < 255 && counts[d]! > 0) depths.push(end);
  }
  const sorted: Columns = {
    words: new Uint32Array(count * width),
    bits: new Uint8Array(count),
    at: new Uint32Array(count),
    count,
  };
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    const to = next[depth[i]!]!++;
    for (let w = 0; w < width; w++) sorted.words[to * width + w] = given.words[i * width + w]!;
    sorted.bits[to] = given.bits[i]!;
    sorted.at[to] = given.at[i]!;
  }
  return { sorted, depths, searched: depths[0] ?? 0 };
}

/** Whether the masked prefix at `x` of `bits` contains the address at `y`. */
function covers(words: Uint32Array, x: number, bits: number, y: number, width: number): boolean {
  for (let w = 0; w < width; w++) {
    if (((words[x + w]! ^ words[y + w]!) & maskOf(bits - 32 * w)) !== 0) return false;
  }
  return true;
}

/** The IPv4 prefixes of a list, arranged for looking up. */
export class Table4 {
  readonly columns: Columns;
  readonly depths: readonly number[];
  readonly all: boolean;
  readonly #words: Uint32Array;
  readonly #bits: Uint8Array;
  readonly #count: number;
  readonly #index: Index;
  readonly #starts: Uint32Array;

  constructor(given: Columns) {
    const { sorted, depths, searched } = arrange(given, 1);
    this.columns = sorted;
    this.depths = depths;
    this.#words = sorted.words;
    this.#bits = sorted.bits;
    this.#count = searched;
    this.all = searched === 1 && bitsOf4(sorted.bits[0]!) === 0;
    this.#index = indexOf(searched, 1, sorted.words);
    this.#starts = this.#index.starts;
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  has(x: number): boolean {
    const count = this.#count;
    if (count === 0) return false;
    if (this.all) return true;
    let low = 0;
    let high = count;
    const starts = this.#starts;
    const words = this.#words;
    if (starts.length !== 0) {
      const index = this.#index;
      const { skip } = index;
      const order = skip === 0 ? 0 : (x >>> (32 - skip)) - (words[index.from]! >>> (32 - skip));
      if (order === 0) {
        const slot = (x << skip) >>> index.shift;
        low = starts[slot]!;
        high = starts[slot + 1]!;
        // What stands outside of the index may share its bits.
        if (low === index.from) low = 0;
        if (high === index.to) high = count;
      } else if (order < 0) high = index.from;
      else low = index.to;
    }
    const unsigned = x >>> 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle]! <= unsigned) low = middle + 1;
      else high = middle;
    }
    // `low` words are at or below the address. Words have their host bits, so the next prefix can
    // contain the address, too. A length of 0 has been answered above; what is written around the
    // length is a multiple of 32, which a shift does not see.
    if (low > 0 && (words[low - 1]! ^ x) >>> (32 - this.#bits[low - 1]!) === 0) return true;
    return low < count && (words[low]! ^ x) >>> (32 - this.#bits[low]!) === 0;
  }

  /** The elements that contain the address, one of each depth, outermost first. */
  matches(x: number): number[] {
    const { words, bits } = this.columns;
    const found: number[] = [];
    let low = 0;
    for (const end of this.depths) {
      const from = low;
      let high = end;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (words[middle]! <= x >>> 0) low = middle + 1;
        else high = middle;
      }
      const inside = (i: number): boolean =>
        i >= from && i < end && ((words[i]! ^ x) & maskOf(bitsOf4(bits[i]!))) === 0;
      if (inside(low - 1)) found.push(low - 1);
      else if (inside(low)) found.push(low);
      else break;
      low = end;
    }
    return found;
  }

  /** Whether one element of the first depth contains the whole prefix. */
  covers(start: number, length: number): boolean {
    const outer = this.matches(start)[0];
    return outer !== undefined && bitsOf4(this.columns.bits[outer]!) <= length;
  }

  /** Start and end (both inside) of what the table holds, in order, adjacent ones as one. */
  intervals(): Uint32Array {
    const { words, bits } = this.columns;
    const flat = new Uint32Array(2 * this.#count);
    let n = 0;
    for (let i = 0; i < this.#count; i++) {
      const mask = maskOf(bitsOf4(bits[i]!));
      const start = (words[i]! & mask) >>> 0;
      if (n > 0 && flat[n - 1]! + 1 === start) n -= 2;
      else flat[n] = start;
      flat[n + 1] = (start | ~mask) >>> 0;
      n += 2;
    }
    return flat.slice(0, n);
  }
}

/** The IPv6 prefixes of a list, arranged for looking up. */
export class Table6 {
  readonly columns: Columns;
  readonly depths: readonly number[];
  readonly all: boolean;
  readonly #words: Uint32Array;
  readonly #count: number;
  readonly #index: Index;
  readonly #starts: Uint32Array;

  constructor(given: Columns) {
    const { sorted, depths, searched } = arrange(given, 4);
    this.columns = sorted;
    this.depths = depths;
    this.#words = sorted.words;
    this.#count = searched;
    this.all = searched === 1 && sorted.bits[0] === 0;
    this.#index = indexOf(searched, 4, sorted.words);
    this.#starts = this.#index.starts;
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  has(a: number, b: number, c: number, d: number): boolean {
    const count = this.#count;
    if (count === 0) return false;
    if (this.all) return true;
    let low = 0;
    let high = count;
    const starts = this.#starts;
    if (starts.length !== 0) {
      const index = this.#index;
      const order = this.#compareShared(a, b, c, d, index);
      if (order === 0) {
        const { skip } = index;
        const shift = skip & 31;
        let key: number;
        if (skip < 32) key = shift === 0 ? a : (a << shift) | (b >>> (32 - shift));
        else if (skip < 64) key = shift === 0 ? b : (b << shift) | (c >>> (32 - shift));
        else if (skip < 96) key = shift === 0 ? c : (c << shift) | (d >>> (32 - shift));
        else key = d << shift;
        const slot = key >>> index.shift;
        low = starts[slot]!;
        high = starts[slot + 1]!;
        if (low === index.from) low = 0;
        if (high === index.to) high = count;
      } else if (order < 0) high = index.from;
      else low = index.to;
    }
    low = this.#search(a, b, c, d, low, high);
    return (low > 0 && this.#inside(low - 1, a, b, c, d)) || (low < count && this.#inside(low, a, b, c, d));
  }

  #search(a: number, b: number, c: number, d: number, low: number, high: number): number {
    const words = this.#words;
    const first = a >>> 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = middle << 2;
      let order = words[at]! - first;
      if (order === 0) {
        order = words[at + 1]! - (b >>> 0);
        if (order === 0) order = words[at + 2]! - (c >>> 0);
        if (order === 0) order = words[at + 3]! - (d >>> 0);
      }
      if (order <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #inside(i: number, a: number, b: number, c: number, d: number): boolean {
    const words = this.#words;
    const bits = bitsOf6(this.columns.bits[i]!);
    const at = i << 2;
    const x = words[at]! ^ a;
    if (bits <= 32) return (x & maskOf(bits)) === 0;
    const y = words[at + 1]! ^ b;
    if (bits <= 64) return x === 0 && y >>> (64 - bits) === 0;
    const z = words[at + 2]! ^ c;
    if (bits <= 96) return (x | y) === 0 && z >>> (96 - bits) === 0;
    return (x | y | z) === 0 && (words[at + 3]! ^ d) >>> (128 - bits) === 0;
  }

  /** How the bits in front of the index's compare to those that its elements share. */
  #compareShared(a: number, b: number, c: number, d: number, { from, skip }: Index): number {
    if (skip === 0) return 0;
    const words = this.#words;
    const at = from << 2;
    const order = part(a, skip) - part(words[at]!, skip);
    if (order !== 0 || skip <= 32) return order;
    const second = part(b, skip - 32) - part(words[at + 1]!, skip - 32);
    if (second !== 0 || skip <= 64) return second;
    const third = part(c, skip - 64) - part(words[at + 2]!, skip - 64);
    if (third !== 0 || skip <= 96) return third;
    return part(d, skip - 96) - part(words[at + 3]!, skip - 96);
  }

  /** The elements that contain the address, one of each depth, outermost first. */
  matches(a: number, b: number, c: number, d: number): number[] {
    const found: number[] = [];
    let from = 0;
    for (const end of this.depths) {
      const low = this.#search(a, b, c, d, from, end);
      if (low > from && this.#inside(low - 1, a, b, c, d)) found.push(low - 1);
      else if (low < end && this.#inside(low, a, b, c, d)) found.push(low);
      else break;
      from = end;
    }
    return found;
  }

  /** Whether one element of the first depth contains the whole prefix. */
  covers(words: ArrayLike<number>, length: number): boolean {
    const outer = this.matches(words[0]!, words[1]!, words[2]!, words[3]!)[0];
    return outer !== undefined && bitsOf6(this.columns.bits[outer]!) <= length;
  }

  /** Start and end (both inside, four words each) of what the table holds, adjacent ones as one. */
  intervals(): Uint32Array {
    const { words, bits } = this.columns;
    const flat = new Uint32Array(8 * this.#count);
    let n = 0;
    for (let i = 0; i < this.#count; i++) {
      const length = bitsOf6(bits[i]!);
      for (let w = 0; w < 4; w++) {
        const mask = maskOf(length - 32 * w);
        flat[n + w] = words[4 * i + w]! & mask;
        flat[n + 4 + w] = words[4 * i + w]! | ~mask;
      }
      if (n > 0 && follows(flat, n - 4, n)) {
        flat.copyWithin(n - 4, n + 4, n + 8);
        n -= 8;
      }
      n += 8;
    }
    return flat.slice(0, n);
  }
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
