/** The mask of the leading `bits` of one 32-bit word; all or nothing outside 0 to 32. */
export function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** Runs up to this long are sorted by insertion. */
const SHORT = 24;

/**
 * The order of prefixes by start (`width` words each), then by length, then as they were: indices,
 * sorted.
 *
 * A radix sort: word by word from the first on, inside of each run of equal words, and a word byte
 * by byte from the last on. It needs no comparison of all words for most, and is stable.
 */
export function orderBy(start: Uint32Array, length: Uint8Array, width: 1 | 4, count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const long = count > SHORT;
  const spare = new Uint32Array(long ? count : 0);
  const keys = new Uint32Array(long ? count : 0);
  const spareKeys = new Uint32Array(long ? count : 0);
  const sums = new Uint32Array(256);

  const compare = (x: number, y: number, from: number): number => {
    for (let word = from; word < width; word++) {
      const difference = start[x * width + word]! - start[y * width + word]!;
      if (difference !== 0) return difference;
    }
    return length[x]! - length[y]!;
  };

  const insert = (low: number, high: number, word: number): void => {
    for (let k = low + 1; k < high; k++) {
      const one = order[k]!;
      let to = k;
      while (to > low && compare(order[to - 1]!, one, word) > 0) {
        order[to] = order[to - 1]!;
        to--;
      }
      order[to] = one;
    }
  };

  /** Sorts a part of `order` by its `keys`. */
  const byKeys = (low: number, high: number): void => {
    let fromKeys = keys;
    let toKeys = spareKeys;
    let from = order;
    let to = spare;
    for (let shift = 0; shift < 32; shift += 8) {
      sums.fill(0);
      for (let k = low; k < high; k++) sums[(fromKeys[k]! >>> shift) & 255]!++;
      // A byte that is the same everywhere costs nothing more.
      if (sums[(fromKeys[low]! >>> shift) & 255] === high - low) continue;
      let sum = low;
      for (let digit = 0; digit < 256; digit++) {
        const here = sums[digit]!;
        sums[digit] = sum;
        sum += here;
      }
      for (let k = low; k < high; k++) {
        const key = fromKeys[k]!;
        const place = sums[(key >>> shift) & 255]!++;
        toKeys[place] = key;
        to[place] = from[k]!;
      }
      [fromKeys, toKeys] = [toKeys, fromKeys];
      [from, to] = [to, from];
    }
    if (from !== order) order.set(from.subarray(low, high), low);
  };

  const sort = (low: number, high: number, word: number): void => {
    if (high - low <= SHORT) {
      insert(low, high, word);
      return;
    }
    const at = (k: number): number => (word < width ? start[order[k]! * width + word]! : length[order[k]!]!);
    for (let k = low; k < high; k++) keys[k] = at(k);
    byKeys(low, high);
    if (word === width) return;
    for (let from = low; from < high;) {
      const key = at(from);
      let to = from + 1;
      while (to < high && at(to) === key) to++;
      if (to - from > 1) sort(from, to, word + 1);
      from = to;
    }
  };
  sort(0, count, 0);
  return order;
}
