import { bitsOf } from './columns.ts';
import { maskOf, windowOf } from './internal/bits.ts';

/** Parts up to this long are sorted by insertion. */
const SHORT = 24;
/** Prefixes are sorted by three digits of a key, what is the same in these by the bits that are left. */
const DIGIT_BITS = 9;
const DIGITS: number = 1 << DIGIT_BITS;
const MASK: number = DIGITS - 1;
/** Where the digits are in a key. */
const FIRST = 23;
const MIDDLE = 14;
const LAST = 5;
/** How often each value of each digit is there, then where those with it go. */
const firsts = new Uint32Array(DIGITS);
const middles = new Uint32Array(DIGITS);
const lasts = new Uint32Array(DIGITS);

/** Flips the first bit of a word: signed ones, which the engine is quicker with, are in the order of unsigned ones. */
const LOWEST: number = 1 << 31;

/** Prefixes of one family: `width` words of each, and behind `base` their meta words. */
export interface Records {
  readonly words: Uint32Array;
  readonly meta: Uint32Array;
  readonly base: number;
  readonly width: 1 | 4;
}

/**
 * Brings the prefixes from `low` to `high` of `from` to the same places of `to`, in the order of
 * their start (host bits left out), then of their length, then as they were. What was in `from` is
 * lost. `shared` of their leading bits are the same in all, or more, as written or without the host
 * bits: a prefix that is shorter has only zeros behind, and stands before all others either way.
 * Where it is not given it is looked for.
 *
 * A radix sort: digit by digit from the last on, of the first bits that tell them apart. Hardly any
 * two have the same ones, and these are sorted by insertion, or, where they are many, again by the
 * bits that follow. Prefixes are moved themselves, not numbers of them: to fetch each from anywhere
 * takes longer than all passes.
 *
 * Each loop is a function of its own: a long list is sorted once, and the engine makes a function
 * fast while it waits for it much sooner than a loop in the middle of a long one.
 */
export function sortInto(to: Records, from: Records, low: number, high: number, shared?: number): void {
  if (high - low <= SHORT) {
    move(to, from, low, high);
    placeEach(to, low, high);
    return;
  }
  const skip = shared ?? sharedBits(from, low, high);
  if (!byDigits(to, from, low, high, skip)) move(to, from, low, high);
  // By their length: nothing is left to tell them apart.
  if (skip === 32 * from.width) return;
  const late = from.meta.subarray(from.base + low, from.base + high);
  let count = findLate(late, to, low, high, skip, SHORT);
  if (count < 0) {
    sortRuns(to, from, low, high, skip);
    count = findLate(late, to, low, high, skip, high);
  }
  for (let i = 0; i < count; i++) place(to, low, late[i]!);
}

/** Sorts them by the digits, the last one first; `false` where they end in `from` again. */
function byDigits(to: Records, from: Records, low: number, high: number, skip: number): boolean {
  let [source, target] = [from, to];
  countDigits(from, low, high, skip);
  for (let shift = LAST; shift <= FIRST; shift += DIGIT_BITS) {
    const starts = shift === LAST ? lasts : shift === MIDDLE ? middles : firsts;
    // A digit that is the same everywhere costs nothing more.
    if (!setStarts(starts, low, high)) continue;
    distribute(starts, target, source, low, high, skip, shift);
    [source, target] = [target, source];
  }
  return source === to;
}

/** Sorts each run of those with the same digits where it is long. */
function sortRuns(to: Records, from: Records, low: number, high: number, skip: number): void {
  for (let start = low; start < high;) {
    const end = endOfRun(to, start, high, skip);
    if (end - start > SHORT) {
      move(from, to, start, end);
      sortInto(to, from, start, end);
    }
    start = end;
  }
}

/** Where those with the same digits as the first end. */
function endOfRun({ words, meta, base, width }: Records, start: number, high: number, skip: number): number {
  const key = keyOf(words, start, meta[base + start]!, skip, width);
  let end = start + 1;
  while (end < high && (keyOf(words, end, meta[base + end]!, skip, width) ^ key) >>> LAST === 0) {
    end++;
  }
  return end;
}

function move(to: Records, from: Records, low: number, high: number): void {
  const { width } = from;
  to.words.set(from.words.subarray(low * width, high * width), low * width);
  to.meta.set(from.meta.subarray(from.base + low, from.base + high), to.base + low);
}

/** How many leading bits all have in common: at most those of an address. */
function sharedBits({ words, meta, base, width }: Records, low: number, high: number): number {
  const bits = bitsOf(meta[base + low]!, width);
  for (let w = 0; w < width; w++) {
    const first = words[low * width + w]! & maskOf(bits - 32 * w);
    let differ = 0;
    for (let i = low; i < high; i++) {
      differ |= (words[i * width + w]! & maskOf(bitsOf(meta[base + i]!, width) - 32 * w)) ^ first;
    }
    if (differ !== 0) return 32 * w + Math.clz32(differ);
  }
  return 32 * width;
}

/** 32 bits of the start of a prefix from bit `skip` on, or its length behind the last. */
function keyOf(words: Uint32Array, i: number, its: number, skip: number, width: 1 | 4): number {
  if (skip >>> 5 === width) return bitsOf(its, width) << 24;
  // Not bitsOf: 129 for a bare address masks as 128 does, and the engine has less to compile in each loop.
  const bits = width === 4 ? its & 255 : its & 63;
  return windowOf(width, words, i * width, skip) & maskOf(bits - skip);
}

/** Counts how often each value of each digit is there. */
function countDigits({ words, meta, base, width }: Records, low: number, high: number, skip: number): void {
  firsts.fill(0);
  middles.fill(0);
  lasts.fill(0);
  for (let i = low; i < high; i++) {
    const key = keyOf(words, i, meta[base + i]!, skip, width);
    lasts[(key >>> LAST) & MASK]!++;
    middles[(key >>> MIDDLE) & MASK]!++;
    firsts[key >>> FIRST]!++;
  }
}

/** Makes of counts where each value begins; `false` where all have the same. */
function setStarts(counts: Uint32Array, low: number, high: number): boolean {
  let sum = low;
  let most = 0;
  for (let i = 0; i < counts.length; i++) {
    const here = counts[i]!;
    counts[i] = sum;
    sum += here;
    if (here > most) most = here;
  }
  return most < high - low;
}

/** Puts them in the order of one digit, what is equal in the order that it has. */
function distribute(
  starts: Uint32Array,
  to: Records,
  from: Records,
  low: number,
  high: number,
  skip: number,
  shift: number,
): void {
  const { words, meta, base, width } = from;
  const { words: toWords, meta: toMeta, base: toBase } = to;
  for (let i = low; i < high; i++) {
    const its = meta[base + i]!;
    const place = starts[(keyOf(words, i, its, skip, width) >>> shift) & MASK]!++;
    toMeta[toBase + place] = its;
    toWords[place * width] = words[i * width]!;
    if (width === 4) {
      toWords[place * 4 + 1] = words[i * 4 + 1]!;
      toWords[place * 4 + 2] = words[i * 4 + 2]!;
      toWords[place * 4 + 3] = words[i * 4 + 3]!;
    }
  }
}

/**
 * Finds those that may belong before the one before them, once these are in the order of their digits: how many;
 * -1 where more than `longest` have the same digits.
 */
function findLate(
  late: Uint32Array,
  { words, meta, base, width }: Records,
  low: number,
  high: number,
  skip: number,
  longest: number,
): number {
  let count = 0;
  let last = LOWEST;
  /** Where those with the same digits begin. */
  let start = low;
  for (let k = low; k < high; k++) {
    const key = keyOf(words, k, meta[base + k]!, skip, width) ^ LOWEST;
    if ((key ^ last) >> LAST !== 0) start = k;
    if (k - start >= longest) return -1;
    if (key > last) last = key;
    else late[count++] = k;
  }
  return count;
}

function placeEach(all: Records, low: number, high: number): void {
  for (let k = low + 1; k < high; k++) place(all, low, k);
}

const held = new Uint32Array(4);

/** Moves one to its place among those before it, which are sorted. */
function place({ words, meta, base, width }: Records, low: number, k: number): void {
  const its = meta[base + k]!;
  for (let w = 0; w < width; w++) held[w] = words[k * width + w]!;
  let to = k;
  while (to > low && compare(words, meta, base, width, to - 1, held, its) > 0) {
    for (let w = 0; w < width; w++) words[to * width + w] = words[(to - 1) * width + w]!;
    meta[base + to] = meta[base + to - 1]!;
    to--;
  }
  for (let w = 0; w < width; w++) words[to * width + w] = held[w]!;
  meta[base + to] = its;
}

/** A prefix to another. */
function compare(
  words: Uint32Array,
  meta: Uint32Array,
  base: number,
  width: 1 | 4,
  i: number,
  others: Uint32Array,
  itsMeta: number,
): number {
  const bits = bitsOf(meta[base + i]!, width);
  const its = bitsOf(itsMeta, width);
  for (let w = 0; w < width; w++) {
    const one = (words[i * width + w]! & maskOf(bits - 32 * w)) ^ LOWEST;
    const other = (others[w]! & maskOf(its - 32 * w)) ^ LOWEST;
    if (one !== other) return one < other ? -1 : 1;
  }
  return bits - its;
}
