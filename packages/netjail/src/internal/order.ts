/** The mask of the leading `bits` of one 32-bit word; all or nothing outside 0 to 32. */
export function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** Runs up to this long are sorted by insertion. */
const SHORT = 24;
/** From so many on, a key is read in three digits: below, it takes longer to count through these. */
const LONG = 4096;

/** Prefixes of one family to be sorted: `width` words of each, and how many of their bits count. */
interface Unsorted {
  readonly words: Uint32Array;
  readonly length: Uint8Array;
  readonly width: 1 | 4;
}

/**
 * The order of prefixes by start (`width` words each, host bits left out), then by length, then as
 * they were: indices, sorted.
 *
 * A radix sort: word by word from the first on, inside of each run of equal words, and a word digit
 * by digit from the last on. It needs no comparison of all words for most, and is stable. `scratch`
 * has room for two words a prefix; what is in it is lost.
 *
 * Each loop is a function of its own: a long list is sorted once, and the engine makes a function
 * fast while it waits for it much sooner than a loop in the middle of a long one.
 */
export function orderBy(
  words: Uint32Array,
  length: Uint8Array,
  width: 1 | 4,
  count: number,
  scratch: Uint32Array,
): Uint32Array {
  // What does not fit would be lost without a word, and with it the place of a prefix.
  if (scratch.length < 2 * count) throw new Error('netjail: unreachable scratch, too short');
  const given: Unsorted = { words, length, width };
  // One large block, which an allocator gives back to the system; smaller ones it would keep.
  const block = new Uint32Array(count > SHORT ? 2 * count : count);
  const order = block.subarray(0, count);
  const keys = block.subarray(count);
  const spare = scratch.subarray(0, count);
  const spareKeys = scratch.subarray(count, 2 * count);
  for (let i = 0; i < count; i++) order[i] = i;

  /** Sorts a part of `order` by the keys that it sets. */
  const byKeys = (low: number, high: number, word: number): void => {
    setKeys(given, keys, order, low, high, word);
    const digits = high - low < LONG ? 8 : 11;
    let fromKeys: Uint32Array = keys;
    let toKeys = spareKeys;
    let from: Uint32Array = order;
    let to = spare;
    for (let shift = 0; shift < 32; shift += digits) {
      const sums = countDigits(fromKeys, low, high, shift, digits);
      // A digit that is the same everywhere costs nothing more.
      if (sums === undefined) continue;
      distribute(sums, fromKeys, toKeys, from, to, low, high, shift, digits);
      [fromKeys, toKeys] = [toKeys, fromKeys];
      [from, to] = [to, from];
    }
    if (from === order) return;
    order.set(from.subarray(low, high), low);
    keys.set(fromKeys.subarray(low, high), low);
  };

  const sort = (low: number, high: number, word: number): void => {
    if (high - low <= SHORT) {
      insert(given, order, low, high, word);
      return;
    }
    byKeys(low, high, word);
    if (word === width) return;
    for (let from = low; from < high;) {
      const to = endOfRun(keys, from, high);
      // Its keys are overwritten, and not needed any more.
      if (to - from > 1) sort(from, to, word + 1);
      from = to;
    }
  };
  sort(0, count, 0);
  return order;
}

/** A word of the start of a prefix, or its length behind the last. */
function keyOf({ words, length, width }: Unsorted, i: number, word: number): number {
  const bits = length[i]!;
  return word < width ? (words[i * width + word]! & maskOf(bits - 32 * word)) >>> 0 : bits;
}

function setKeys(
  given: Unsorted,
  keys: Uint32Array,
  order: Uint32Array,
  low: number,
  high: number,
  word: number,
): void {
  for (let k = low; k < high; k++) keys[k] = keyOf(given, order[k]!, word);
}

/** How often each value of a digit is there; `undefined` where all have the same. */
function countDigits(
  keys: Uint32Array,
  low: number,
  high: number,
  shift: number,
  digits: number,
): Uint32Array | undefined {
  const sums = new Uint32Array(1 << digits);
  const mask = sums.length - 1;
  for (let k = low; k < high; k++) sums[(keys[k]! >>> shift) & mask]!++;
  return sums[(keys[low]! >>> shift) & mask] === high - low ? undefined : sums;
}

/** Puts the part in the order of one digit, what is equal in the order that it has. */
function distribute(
  sums: Uint32Array,
  fromKeys: Uint32Array,
  toKeys: Uint32Array,
  from: Uint32Array,
  to: Uint32Array,
  low: number,
  high: number,
  shift: number,
  digits: number,
): void {
  const mask = (1 << digits) - 1;
  let sum = low;
  for (let digit = 0; digit <= mask; digit++) {
    const here = sums[digit]!;
    sums[digit] = sum;
    sum += here;
  }
  for (let k = low; k < high; k++) {
    const key = fromKeys[k]!;
    const place = sums[(key >>> shift) & mask]!++;
    toKeys[place] = key;
    to[place] = from[k]!;
  }
}

/** Where the run of keys that are equal ends. */
function endOfRun(keys: Uint32Array, from: number, high: number): number {
  const key = keys[from];
  let to = from + 1;
  while (to < high && keys[to] === key) to++;
  return to;
}

/** Sorts a part by insertion, from one word on: the words before are the same. */
function insert(given: Unsorted, order: Uint32Array, low: number, high: number, word: number): void {
  for (let k = low + 1; k < high; k++) {
    const one = order[k]!;
    let to = k;
    while (to > low && compare(given, order[to - 1]!, one, word) > 0) {
      order[to] = order[to - 1]!;
      to--;
    }
    order[to] = one;
  }
}

function compare(given: Unsorted, x: number, y: number, from: number): number {
  for (let word = from; word < given.width; word++) {
    const difference = keyOf(given, x, word) - keyOf(given, y, word);
    if (difference !== 0) return difference;
  }
  return given.length[x]! - given.length[y]!;
}
