import { bitsOf, type Columns } from './columns.ts';
import { maskOf, orderBy } from './internal/order.ts';

/** Prefixes as a table keeps them. */
export interface Arranged {
  /** The addresses, then their meta words, then room for an index. */
  readonly data: Uint32Array;
  /** Where each depth ends; behind the last are the duplicates. */
  readonly depths: readonly number[];
}

/** The depth of a prefix that is there already. */
const DUPLICATE = 255;
/** Longer than any prefix. */
const NO_LENGTH = 255;

/**
 * Arranges prefixes by depth, then by their start.
 *
 * Each loop is a function of its own, as in {@link orderBy}, and memory is touched as little as can
 * be: for a million prefixes that takes longer than what is done with them.
 */
export function arrange(given: Columns, width: 1 | 4, room: number): Arranged {
  const { count } = given;
  const data = new Uint32Array(count * (width + 1) + room);
  // Nothing is in the array yet, and memory that is touched for the first time takes time of its own.
  const order = orderBy(given.words, lengthsOf(given, width), width, count, data);
  fetch(data, given, order, width);
  const depth = new Uint8Array(count);
  const counts = findDepths(depth, data, count, width);
  const depths: number[] = [];
  let end = 0;
  for (let d = 0; counts[d]! > 0; d++) depths.push((end += counts[d]!));
  // Most often nothing is nested, and everything is where it belongs.
  if (counts[0] !== count) part(data, depth, depths, count, width);
  return { data, depths };
}

function lengthsOf({ meta, count }: Columns, width: 1 | 4): Uint8Array {
  const lengths = new Uint8Array(count);
  for (let i = 0; i < count; i++) lengths[i] = bitsOf(meta[i]!, width);
  return lengths;
}

/** Each is fetched once, from anywhere; whatever follows goes through memory in its order. */
function fetch(data: Uint32Array, { words, meta, count }: Columns, order: Uint32Array, width: 1 | 4): void {
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    const to = k * width;
    const from = i * width;
    data[to] = words[from]!;
    if (width === 4) {
      data[to + 1] = words[from + 1]!;
      data[to + 2] = words[from + 2]!;
      data[to + 3] = words[from + 3]!;
    }
    data[count * width + k] = meta[i]!;
  }
}

/** Finds how many prefixes contain each one of the sorted, and how many there are of each depth. */
function findDepths(depth: Uint8Array, data: Uint32Array, count: number, width: 1 | 4): Uint32Array {
  const counts = new Uint32Array(256);
  // The prefixes around the one that is looked at, outermost first, and their lengths. Below them is none,
  // of no length: a branch that is taken for the first time makes the engine compile the function again.
  const stack = new Uint32Array(256);
  const lengths = new Uint8Array(256);
  lengths[0] = NO_LENGTH;
  let top = 0;
  for (let k = 0; k < count; k++) {
    while (top > 0 && !covers(data, stack[top]! * width, lengths[top]!, k * width, width)) top--;
    const length = bitsOf(data[count * width + k]!, width);
    const twin = lengths[top] === length;
    if (!twin) {
      stack[++top] = k;
      lengths[top] = length;
    }
    const its = twin ? DUPLICATE : top - 1;
    depth[k] = its;
    counts[its]!++;
  }
  return counts;
}

/** Whether the prefix at `x` of `bits` contains the address at `y`. */
function covers(words: Uint32Array, x: number, bits: number, y: number, width: number): boolean {
  for (let w = 0; w < width; w++) {
    if (((words[x + w]! ^ words[y + w]!) & maskOf(bits - 32 * w)) !== 0) return false;
  }
  return true;
}

/** Brings the first depth to the front, in place, and behind it the others, each in the order it has. */
function part(
  data: Uint32Array,
  depth: Uint8Array,
  depths: readonly number[],
  count: number,
  width: 1 | 4,
): void {
  const top = depths[0]!;
  const meta = count * width;
  const nested = new Uint32Array((count - top) * width);
  const nestedMeta = new Uint32Array(count - top);
  /** Where the next one of each depth goes. */
  const next = Uint32Array.from({ length: DUPLICATE + 1 }, (_, d) =>
    d === 0 ? 0 : (depths[d - 1] ?? 0) - top,
  );
  next[DUPLICATE] = depths.at(-1)! - top;
  for (let k = 0; k < count; k++) {
    const d = depth[k]!;
    const to = next[d]!++;
    const words = d === 0 ? data : nested;
    for (let w = 0; w < width; w++) words[to * width + w] = data[k * width + w]!;
    if (d === 0) data[meta + to] = data[meta + k]!;
    else nestedMeta[to] = data[meta + k]!;
  }
  data.set(nested, top * width);
  data.set(nestedMeta, meta + top);
}
