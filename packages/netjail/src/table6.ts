import { maskOf } from './internal/bits.ts';
import { follows } from './intervals.ts';
import { bitsOf6, type Columns } from './columns.ts';
import { headOf, INDEXED_FROM, PARTLY, POSITION, SCANNED, Table } from './table.ts';

// Under names of this module alone: the engine looks up an imported one at each use.
const PARTLY_COVERED = PARTLY;
const POSITION_BITS = POSITION;
const AT_ONCE = SCANNED;

/** The IPv6 prefixes of a list. */
export class Table6 extends Table {
  constructor(given: Columns) {
    super(given, 4);
  }

  // Short, so that the engine puts it into its callers: most addresses are answered by the index.
  has(a: number, b: number, c: number, d: number): boolean {
    const { skip } = this;
    if ((a >>> 1) >>> (31 - skip) !== this.head) return this.#hasElsewhere(a, b, c, d);
    const slot = this.index + (((a << skip) | ((b >>> 1) >>> (31 - skip))) >>> this.shift);
    const found = this.data[slot]! | 0;
    return found < PARTLY_COVERED ? found < 0 : this.#hasIn(a, b, c, d, slot);
  }

  #hasIn(a: number, b: number, c: number, d: number, slot: number): boolean {
    return this.#hasBetween(
      a,
      b,
      c,
      d,
      this.data[slot]! & POSITION_BITS,
      this.data[slot + 1]! & POSITION_BITS,
    );
  }

  /** Where there is no index, or its bits are not in the first word, or the address does not share them. */
  #hasElsewhere(a: number, b: number, c: number, d: number): boolean {
    if (this.top < INDEXED_FROM) return this.all || this.#hasAmongFew(a, b, c, d);
    const order = this.#compareShared(a, b, c, d);
    if (order < 0) return this.#hasBetween(a, b, c, d, 0, this.from);
    if (order > 0) return this.#hasBetween(a, b, c, d, this.to, this.top);
    const { skip } = this;
    const shift = skip & 31;
    let key: number;
    if (skip < 64) key = shift === 0 ? b : (b << shift) | (c >>> (32 - shift));
    else if (skip < 96) key = shift === 0 ? c : (c << shift) | (d >>> (32 - shift));
    else key = d << shift;
    const slot = this.index + (key >>> this.shift);
    const found = this.data[slot]! | 0;
    return found < PARTLY_COVERED ? found < 0 : this.#hasIn(a, b, c, d, slot);
  }

  #hasAmongFew(a: number, b: number, c: number, d: number): boolean {
    for (let i = 0; i < this.top; i++) if (this.#inside(i, a, b, c, d)) return true;
    return false;
  }

  /** Whether one of those `from` to `to` contains the address. */
  #hasBetween(a: number, b: number, c: number, d: number, from: number, to: number): boolean {
    const { data, meta } = this;
    let low = from;
    let high = to;
    // Words have their host bits: those of the prefix that contains the address may be above it.
    while (high - low > AT_ONCE) {
      const middle = (low + high) >>> 1;
      if (atMost(data, middle << 2, a, b, c, d)) low = middle;
      else high = middle + 1;
    }
    for (let i = low; i < high; i++) {
      const x = data[i << 2]! ^ a;
      // Most addresses are told apart by their first word. The rest is another function, so that this one stays short.
      if (x === 0 ? this.#insideSame(i, b, c, d) : Math.clz32(x) >= (data[meta + i]! & 255)) return true;
    }
    return false;
  }

  #inside(i: number, a: number, b: number, c: number, d: number): boolean {
    const x = this.data[i << 2]! ^ a;
    return x === 0 ? this.#insideSame(i, b, c, d) : Math.clz32(x) >= (this.data[this.meta + i]! & 255);
  }

  /** Whether an element contains an address whose first word is its own. */
  #insideSame(i: number, b: number, c: number, d: number): boolean {
    const { data } = this;
    const at = i << 2;
    const bits = bitsOf6(data[this.meta + i]!);
    if (bits <= 32) return true;
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
    const order = headOf(a, skip) - headOf(data[at]!, skip);
    if (order !== 0 || skip <= 32) return order;
    const second = headOf(b, skip - 32) - headOf(data[at + 1]!, skip - 32);
    if (second !== 0 || skip <= 64) return second;
    const third = headOf(c, skip - 64) - headOf(data[at + 2]!, skip - 64);
    if (third !== 0 || skip <= 96) return third;
    return headOf(d, skip - 96) - headOf(data[at + 3]!, skip - 96);
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
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atMost(data, middle << 2, a, b, c, d)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an element is at or below the address. */
function atMost(data: Uint32Array, at: number, a: number, b: number, c: number, d: number): boolean {
  const word = data[at]!;
  return word === a >>> 0 ? restAtMost(data, at, b, c, d) : word < a >>> 0;
}

/** Whether the words behind the first are at or below these. */
function restAtMost(data: Uint32Array, at: number, b: number, c: number, d: number): boolean {
  if (data[at + 1] !== b >>> 0) return data[at + 1]! < b >>> 0;
  if (data[at + 2] !== c >>> 0) return data[at + 2]! < c >>> 0;
  return data[at + 3]! <= d >>> 0;
}
