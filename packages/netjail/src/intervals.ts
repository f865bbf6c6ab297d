// Sorted lists of intervals: start and end (both inside) after one another, one word each for IPv4,
// four for IPv6.

/** Whether the address at `y` is the next after the one at `x`. */
export function follows(words: Uint32Array, x: number, y: number): boolean {
  let carry = 1;
  for (let w = 3; w >= 0; w--) {
    if ((words[x + w]! + carry) >>> 0 !== words[y + w]) return false;
    carry = carry === 1 && words[x + w] === 0xffffffff ? 1 : 0;
  }
  return carry === 0;
}

/** Whether the sorted intervals of `outer` (of `width` words) contain all those of `inner`. */
export function intervalsCover(outer: Uint32Array, inner: Uint32Array, width: 1 | 4): boolean {
  const step = 2 * width;
  let i = 0;
  for (let k = 0; k < inner.length; k += step) {
    while (i < outer.length && compare(outer, i + width, inner, k, width) < 0) i += step;
    if (i >= outer.length) return false;
    if (compare(outer, i, inner, k, width) > 0) return false;
    if (compare(outer, i + width, inner, k + width, width) < 0) return false;
  }
  return true;
}

function compare(x: Uint32Array, atX: number, y: Uint32Array, atY: number, width: number): number {
  for (let w = 0; w < width; w++) {
    const order = x[atX + w]! - y[atY + w]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether one of the sorted intervals contains all from start to end. */
export function inIntervals(flat: Uint32Array, start: readonly number[], end: readonly number[]): boolean {
  const width = start.length;
  const compare = (at: number, words: readonly number[]): number => {
    for (let w = 0; w < width; w++) if (flat[at + w] !== words[w]) return flat[at + w]! - words[w]!;
    return 0;
  };
  let low = 0;
  let high = flat.length / (2 * width);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(middle * 2 * width, start) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compare((low - 1) * 2 * width + width, end) >= 0;
}

/** The intervals of `inner` that are not inside one of `outer`. */
export function withoutCovered(inner: Uint32Array, outer: Uint32Array): Uint32Array {
  const kept: number[] = [];
  let k = 0;
  for (let i = 0; i < inner.length; i += 2) {
    while (k < outer.length && outer[k + 1]! < inner[i]!) k += 2;
    const inside = k < outer.length && outer[k]! <= inner[i]! && outer[k + 1]! >= inner[i + 1]!;
    if (!inside) kept.push(inner[i]!, inner[i + 1]!);
  }
  return Uint32Array.from(kept);
}
