/** The mask of the leading `bits` of one 32-bit word; all or nothing outside 0 to 32. */
export function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/**
 * The order of prefixes by start, then by length, then as they were: indices, sorted.
 *
 * A radix sort, least significant byte first: it takes a time linear in the number of prefixes,
 * needs no comparison function, and is stable. Bytes that are the same everywhere cost nothing.
 */
export function orderBy(start: Uint32Array, length: Uint8Array, width: 1 | 4, count: number): Uint32Array {
  let from = new Uint32Array(count);
  for (let i = 0; i < count; i++) from[i] = i;
  if (count < 2) return from;
  let to = new Uint32Array(count);
  const sums = new Uint32Array(256);
  const pass = (values: Uint8Array | Uint32Array, step: number, word: number, shift: number): void => {
    sums.fill(0);
    for (let i = word; i < count * step; i += step) sums[(values[i]! >>> shift) & 255]!++;
    if (sums[(values[word]! >>> shift) & 255] === count) return;
    let sum = 0;
    for (let digit = 0; digit < 256; digit++) {
      const here = sums[digit]!;
      sums[digit] = sum;
      sum += here;
    }
    for (let k = 0; k < count; k++) {
      const i = from[k]!;
      to[sums[(values[i * step + word]! >>> shift) & 255]!++] = i;
    }
    [from, to] = [to, from];
  };
  pass(length, 1, 0, 0);
  for (let word = width - 1; word >= 0; word--) {
    for (let shift = 0; shift < 32; shift += 8) pass(start, width, word, shift);
  }
  return from;
}
