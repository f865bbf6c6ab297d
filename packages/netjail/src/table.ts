import { arrange } from './arrange.ts';
import { bitsOf, type Columns } from './columns.ts';
import { windowOf } from './internal/bits.ts';

/** Below this a binary search needs no index. */
export const INDEXED_FROM = 8;
/** So many prefixes are asked one after the other: which way a search would go, the processor cannot foresee. */
export const SCANNED = 4;
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
  return Math.min(MAX_INDEX_BITS, 31 - Math.clz32(count) + (count < 2048 ? 2 : -2));
}

/** Its slots, and one more for where the last one ends. */
function indexSlots(count: number): number {
  return count < INDEXED_FROM ? 0 : (1 << indexBits(count)) + 1;
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
    const { data, depths } = arrange(given, width, indexSlots(count));
    const top = depths[0] ?? 0;
    const bits = top < INDEXED_FROM ? 0 : indexBits(count);
    const meta = count * width;
    const index = meta + count;
    // Without those at the ends, which may be far away. Of them, those that are not are indexed as well.
    const outside = Math.floor(top / OUTLIERS);
    const skip = bits === 0 ? 0 : sharedBits(data, outside, top - outside - 1, width);
    const isIndexed = (i: number): boolean => sharedBits(data, i, outside, width) >= skip;
    const from = firstOf(0, outside, isIndexed);
    const to = firstOf(top - outside, top, (i) => !isIndexed(i));
    this.count = count;
    this.depths = depths;
    this.all = top === 1 && bitsOf(data[meta]!, width) === 0;
    this.data = data;
    this.top = top;
    this.meta = meta;
    this.index = index;
    this.from = from;
    this.to = to;
    this.shift = 32 - bits;
    this.skip = skip;
    this.head = bits === 0 || skip > 31 ? -1 : headOf(data[from * width]!, skip);
    if (bits > 0) this.#fillIndex(width, bits);
  }

  /** Writes the positions, and says of each slot whether it is covered. */
  #fillIndex(width: 1 | 4, bits: number): void {
    const { data, skip, shift, index, meta, from, to } = this;
    let slot = index;
    for (let i = from; i < to; i++) {
      const key = index + (windowOf(width, data, i * width, skip) >>> shift);
      // A slot may be marked already.
      setBits(data, slot, key + 1, i);
      slot = Math.max(slot, key + 1);
      // How many bits of the key the prefix leaves open: at least one is not, or it held all others.
      const open = bits + skip - bitsOf(data[meta + i]!, width);
      if (open < 0) data[key]! |= PARTLY;
      else {
        const first = index + (((key - index) >>> open) << open);
        for (let k = first; k < first + (1 << open); k++) data[k]! |= COVERED;
      }
    }
    setBits(data, slot, data.length, to);
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

function setBits(data: Uint32Array, from: number, to: number, bits: number): void {
  for (let i = from; i < to; i++) data[i]! |= bits;
}

/** The first from `low` on that is so, and all behind it; `high` where none is. */
function firstOf(low: number, high: number, isSo: (i: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isSo(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
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
