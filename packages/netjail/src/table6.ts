import { maskOf } from './internal/order.ts';
import { follows } from './intervals.ts';
import { bitsOf6, INDEXED_FROM, Table, type Columns } from './table.ts';

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
    // Most addresses are told apart by their first word.
    return (
      (low > 0 && this.#begins(low - 1, a) && this.#inside(low - 1, a, b, c, d)) ||
      (low < top && this.#begins(low, a) && this.#inside(low, a, b, c, d))
    );
  }

  #begins(i: number, a: number): boolean {
    const bits = bitsOf6(this.data[this.meta + i]!);
    return (this.data[i << 2]! ^ a) >>> (bits < 32 ? 32 - bits : 0) === 0;
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
