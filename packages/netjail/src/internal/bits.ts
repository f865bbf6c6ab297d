/** The mask of the leading `bits` of one 32-bit word; all or nothing outside 0 to 32. */
export function maskOf(bits: number): number {
  return bits <= 0 ? 0 : -1 << Math.max(0, 32 - bits);
}

/** 32 bits from bit `skip` of an address on; zeros behind its end. */
export function windowOf(width: 1 | 4, words: Uint32Array, at: number, skip: number): number {
  const word = skip >>> 5;
  const shift = skip & 31;
  const high = words[at + word]! << shift;
  if (shift === 0 || word === width - 1) return high;
  return high | (words[at + word + 1]! >>> (32 - shift));
}
