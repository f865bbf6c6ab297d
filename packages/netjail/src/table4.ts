import { maskOf } from './internal/bits.ts';
import { bitsOf4, type Columns } from './columns.ts';
import { headOf, INDEXED_FROM, PARTLY, POSITION, SCANNED, Table } from './table.ts';

// Under names of this module alone: the engine looks up an imported one at each use.
const PARTLY_COVERED = PARTLY;
const POSITION_BITS = POSITION;
const AT_ONCE = SCANNED;

/** The IPv4 prefixes of a list. */
export class Table4 extends Table {
  constructor(given: Columns) {
    super(given, 1);
  }

  // Short, so that the engine puts it into its callers: most addresses are answered by the index.
  has(x: number): boolean {
    const { skip } = this;
    // As headOf does, whose bits are at most 31 here.
    if ((x >>> 1) >>> (31 - skip) !== this.head) return this.#hasOutside(x);
    const slot = this.index + ((x << skip) >>> this.shift);
    const found = this.data[slot]! | 0;
    return found < PARTLY_COVERED ? found < 0 : this.#hasIn(x, slot);
  }

  #hasIn(x: number, slot: number): boolean {
    return this.#hasBetween(x, this.data[slot]! & POSITION_BITS, this.data[slot + 1]! & POSITION_BITS);
  }

  /** Whether the table holds an address whose leading bits are not those of the index, if there is one. */
  #hasOutside(x: number): boolean {
    if (this.top < INDEXED_FROM) return this.all || this.#hasAmongFew(x);
    return headOf(x, this.skip) < this.head
      ? this.#hasBetween(x, 0, this.from)
      : this.#hasBetween(x, this.to, this.top);
  }

  /** One after the other: which way a search would go, the processor cannot foresee. */
  #hasAmongFew(x: number): boolean {
    const { top, meta, data } = this;
    for (let i = 0; i < top; i++) if ((data[i]! ^ x) >>> (32 - (data[meta + i]! & 63)) === 0) return true;
    return false;
  }

  /** Whether one of those `from` to `to` contains the address. */
  #hasBetween(x: number, from: number, to: number): boolean {
    const { data, meta } = this;
    const unsigned = x >>> 0;
    let low = from;
    let high = to;
    // Words have their host bits: that of the prefix that contains the address may be above it.
    while (high - low > AT_ONCE) {
      const middle = (low + high) >>> 1;
      if (data[middle]! <= unsigned) low = middle;
      else high = middle + 1;
    }
    // A length of 0 has been answered above.
    for (let i = low; i < high; i++) if ((data[i]! ^ x) >>> (32 - (data[meta + i]! & 63)) === 0) return true;
    return false;
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
