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

/** The union of sorted lists of intervals (of `width` words), adjacent ones as one. */
export function unionOf(lists: readonly Uint32Array[], width: 1 | 4): Uint32Array {
  const given = lists.filter((list) => list.length > 0);
  if (given.length < 2) return given[0] ?? new Uint32Array(0);
  const step = 2 * width;
  const all = given.flatMap((list) =>
    Array.from({ length: list.length / step }, (_, i) => ({ list, at: i * step })),
  );
  all.sort((x, y) => compare(x.list, x.at, y.list, y.at, width));
  const flat = new Uint32Array(all.length * step);
  let end = -width;
  for (const { list, at } of all) {
    const apart = end < 0 || (compare(list, at, flat, end, width) > 0 && !isNext(flat, end, list, at, width));
    if (apart) {
      flat.set(list.subarray(at, at + step), end + width);
      end += step;
    } else if (compare(list, at + width, flat, end, width) > 0) {
      flat.set(list.subarray(at + width, at + step), end);
    }
  }
  return flat.subarray(0, end + width);
}

/** What of the sorted intervals of `inner` is in none of `outer`. */
export function differenceOf(inner: Uint32Array, outer: Uint32Array, width: 1 | 4): Uint32Array {
  const step = 2 * width;
  const rest: number[] = [];
  let k = 0;
  for (let i = 0; i < inner.length; i += step) {
    const end = inner.subarray(i + width, i + step);
    let start: Uint32Array | undefined = inner.subarray(i, i + width);
    while (k < outer.length && compare(outer, k + width, start, 0, width) < 0) k += step;
    // The last one that reaches into this interval may reach into the next.
    for (
      let j = k;
      start !== undefined && j < outer.length && compare(outer, j, end, 0, width) <= 0;
      j += step
    ) {
      if (compare(outer, j, start, 0, width) > 0) {
        rest.push(...start, ...moved(outer.subarray(j, j + width), -1));
      }
      const reached = outer.subarray(j + width, j + step);
      start = compare(reached, 0, end, 0, width) < 0 ? moved(reached, 1) : undefined;
    }
    if (start !== undefined) rest.push(...start, ...end);
  }
  return Uint32Array.from(rest);
}

function isNext(x: Uint32Array, atX: number, y: Uint32Array, atY: number, width: number): boolean {
  return compare(moved(x.subarray(atX, atX + width), 1), 0, y, atY, width) === 0;
}

/** The next address, or the one before. */
function moved(words: Uint32Array, by: 1 | -1): Uint32Array {
  const next = words.slice();
  for (let w = next.length - 1; w >= 0; w--) {
    next[w]! += by;
    // Carried on to the word before.
    if (next[w] !== (by === 1 ? 0 : 0xffffffff)) break;
  }
  return next;
}
