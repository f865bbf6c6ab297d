import { maskOf, type Prefix } from './prefix.ts';

/**
 * A set of addresses of one family, compiled for looking up.
 *
 * It is a sorted list of flip points: an address is in the set when the number of flip points at
 * or below it is odd. Overlapping and adjacent prefixes melt together, so one binary search
 * answers for any number of entries, and "allowed without blocked" is a set like any other.
 */
class Flips {
  /** `width` words a flip point, first word first. */
  readonly words: Uint32Array;
  readonly width: 1 | 4;
  readonly count: number;

  constructor(words: Uint32Array, width: 1 | 4) {
    this.words = words;
    this.width = width;
    this.count = words.length / width;
  }

  has1(d: number): boolean {
    const { words } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle]! <= d) low = middle + 1;
      else high = middle;
    }
    return (low & 1) === 1;
  }

  has4(a: number, b: number, c: number, d: number): boolean {
    const { words } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = middle << 2;
      let order = words[at]! - a;
      if (order === 0) order = words[at + 1]! - b;
      if (order === 0) order = words[at + 2]! - c;
      if (order === 0) order = words[at + 3]! - d;
      if (order <= 0) low = middle + 1;
      else high = middle;
    }
    return (low & 1) === 1;
  }
}

/** A set of IPv4 and IPv6 addresses. */
export class Table {
  readonly #v4: Flips;
  readonly #v6: Flips;

  private constructor(v4: Flips, v6: Flips) {
    this.#v4 = v4;
    this.#v6 = v6;
  }

  /** The addresses in any of the prefixes, which are read unmapped. */
  static of(prefixes: readonly Prefix[]): Table {
    const unmapped = prefixes.map((prefix) => prefix.unmap());
    return new Table(
      compile(
        unmapped.filter((prefix) => prefix.address.family === 4),
        1,
      ),
      compile(
        unmapped.filter((prefix) => prefix.address.family === 6),
        4,
      ),
    );
  }

  /** The addresses of this set that are not in the other. */
  without(other: Table): Table {
    const rest = (inThis: boolean, inOther: boolean): boolean => inThis && !inOther;
    return new Table(combine(this.#v4, other.#v4, rest), combine(this.#v6, other.#v6, rest));
  }

  get empty(): boolean {
    return this.#v4.count === 0 && this.#v6.count === 0;
  }

  hasIPv4(word: number): boolean {
    return this.#v4.has1(word);
  }

  hasIPv6(a: number, b: number, c: number, d: number): boolean {
    return this.#v6.has4(a, b, c, d);
  }
}

/** Prefixes are nested or disjoint, never partly overlapping: sorted by start, a cover comes first. */
function compile(prefixes: readonly Prefix[], width: 1 | 4): Flips {
  const most = width === 1 ? 32 : 128;
  const ranges = prefixes.map((prefix) => {
    const masked = prefix.masked();
    return { start: masked.address.words, bits: masked.bits };
  });
  ranges.sort((x, y) => compareWords(x.start, 0, y.start, 0, 4) || x.bits - y.bits);

  const words = new Uint32Array(ranges.length * 2 * width);
  const first = 4 - width;
  let length = 0;
  for (const { start, bits } of ranges) {
    const next = nextAfter(start, bits + (128 - most), first);
    const last = length - width;
    const even = (length / width) % 2 === 0;
    // No closing flip point: the range before reaches the end of the address space.
    if (!even) break;
    if (length > 0) {
      const order = compareWords(start, first, words, last, width);
      if (order < 0) continue; // inside the range before
      if (order === 0) length = last; // adjacent: one range
      else length = put(words, length, start, first);
    } else {
      length = put(words, length, start, first);
    }
    if (next !== undefined) length = put(words, length, next, first);
  }
  return new Flips(words.slice(0, length), width);
}

function put(words: Uint32Array, length: number, point: ArrayLike<number>, first: number): number {
  for (let i = first; i < 4; i++) words[length++] = point[i]!;
  return length;
}

/** The first address behind a prefix (its length counted in 128 bits), or `undefined` behind the last. */
function nextAfter(start: ArrayLike<number>, bits: number, first: number): readonly number[] | undefined {
  const next = [start[0]!, start[1]!, start[2]!, start[3]!];
  // All host bits set, then one added.
  for (let i = 0; i < 4; i++) next[i] = (next[i]! | ~maskOf(bits - 32 * i)) >>> 0;
  for (let i = 3; i >= first; i--) {
    next[i] = (next[i]! + 1) >>> 0;
    if (next[i] !== 0) return next;
  }
  return undefined;
}

function compareWords(
  x: ArrayLike<number>,
  atX: number,
  y: ArrayLike<number>,
  atY: number,
  width: number,
): number {
  for (let i = 0; i < width; i++) {
    const order = x[atX + i]! - y[atY + i]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Walks both lists in order and keeps the points at which the combination changes. */
function combine(x: Flips, y: Flips, keep: (inX: boolean, inY: boolean) => boolean): Flips {
  const { width } = x;
  const words = new Uint32Array(x.words.length + y.words.length);
  let length = 0;
  let i = 0;
  let j = 0;
  let inside = keep(false, false);
  while (i < x.count || j < y.count) {
    let order: number;
    if (i === x.count) order = 1;
    else if (j === y.count) order = -1;
    else order = compareWords(x.words, i * width, y.words, j * width, width);
    const source = order <= 0 ? x.words : y.words;
    const at = (order <= 0 ? i : j) * width;
    if (order <= 0) i++;
    if (order >= 0) j++;
    const now = keep(i % 2 === 1, j % 2 === 1);
    if (now === inside) continue;
    inside = now;
    for (let k = 0; k < width; k++) words[length++] = source[at + k]!;
  }
  return new Flips(words.slice(0, length), width);
}
