import { maskOf } from './internal/order.ts';
import { bitsOf4, INDEXED_FROM, Table, type Columns } from './table.ts';

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
