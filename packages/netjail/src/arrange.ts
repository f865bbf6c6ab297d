import { bitsOf, type Columns } from './columns.ts';
import { maskOf } from './internal/bits.ts';
import { sortInto, type Records } from './sort.ts';

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
/** Fewer are moved one by one. */
const BLOCK = 16;

/**
 * Arranges prefixes by depth, then by their start. What was given is lost: its memory is used.
 *
 * Each loop is a function of its own, as in {@link sortInto}, and memory is touched as little as can
 * be: for a million prefixes that takes longer than what is done with them.
 */
export function arrange(given: Columns, width: 1 | 4, room: number): Arranged {
  const { words, meta, count } = given;
  const data = new Uint32Array(count * (width + 1) + room);
  const from: Records = { words, meta, base: 0, width };
  const to: Records = { words: data, meta: data, base: count * width, width };
  sortInto(to, from, 0, count, given.shared);
  // Most often hardly any are nested: what is not touched of this costs nothing.
  const depth = new Uint8Array(count);
  const nested = findNested(meta, depth, to, count);
  const top = count - nested;
  const depths = count === 0 ? [] : [top];
  if (nested > 0) {
    setAside(from, to, nested, count);
    bringBack(to, from, depth, depths, nested);
  }
  return { data, depths };
}

/**
 * Writes to `nested` which of the sorted prefixes others contain: how many. Those that are there
 * already it marks in `depth`.
 */
function findNested(nested: Uint32Array, depth: Uint8Array, all: Records, count: number): number {
  const { words, meta, base, width } = all;
  let found = 0;
  for (let k = findClose(all, 1, count); k < count; k = findClose(all, k + 1, count)) {
    const outer = k - 1;
    const bits = bitsOf(meta[base + outer]!, width);
    for (; k < count && covers(words, outer * width, bits, k * width, width); k++) {
      if (bitsOf(meta[base + k]!, width) === bits) depth[found] = DUPLICATE;
      nested[found++] = k;
    }
  }
  return found;
}

/** The first prefix from `from` on that the one before it may contain, by their first words: most are told apart by these. */
function findClose({ words, meta, base, width }: Records, from: number, count: number): number {
  let k = from;
  while (k < count) {
    const differ = words[(k - 1) * width]! ^ words[k * width]!;
    if ((differ & maskOf(bitsOf(meta[base + k - 1]!, width))) === 0) break;
    k++;
  }
  return k;
}

/** Moves the nested ones to `aside`, where their numbers stand instead of meta words, and closes the gaps. */
function setAside(
  aside: Records,
  { words, meta, base, width }: Records,
  nested: number,
  count: number,
): void {
  let to = aside.meta[0]!;
  for (let n = 0; n < nested; n++) {
    const k = aside.meta[n]!;
    const end = n + 1 < nested ? aside.meta[n + 1]! : count;
    copy(aside.words, n, words, k, width);
    aside.meta[n] = meta[base + k]!;
    if (end - k > BLOCK) {
      words.copyWithin(to * width, (k + 1) * width, end * width);
      meta.copyWithin(base + to, base + k + 1, base + end);
      to += end - k - 1;
    } else {
      for (let i = k + 1; i < end; i++) {
        copy(words, to, words, i, width);
        meta[base + to++] = meta[base + i]!;
      }
    }
  }
}

/** Finds how many of these sorted prefixes contain each one, and how many there are of each depth. */
function findDepths({ words, meta, base, width }: Records, depth: Uint8Array, count: number): Uint32Array {
  const counts = new Uint32Array(256);
  // The prefixes around the one that is looked at, outermost first, and their lengths. Below them is none,
  // of no length: a branch that is taken for the first time makes the engine compile the function again.
  const stack = new Uint32Array(256);
  const lengths = new Uint8Array(256);
  lengths[0] = NO_LENGTH;
  let top = 0;
  for (let k = 0; k < count; k++) {
    if (depth[k] === DUPLICATE) continue;
    while (top > 0 && !covers(words, stack[top]! * width, lengths[top]!, k * width, width)) top--;
    const length = bitsOf(meta[base + k]!, width);
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

function copy(to: Uint32Array, at: number, from: Uint32Array, i: number, width: number): void {
  for (let w = 0; w < width; w++) to[at * width + w] = from[i * width + w]!;
}

/** Whether the prefix at `x` of `bits` contains the address at `y`. */
function covers(words: Uint32Array, x: number, bits: number, y: number, width: number): boolean {
  for (let w = 0; w < width; w++) {
    if (((words[x + w]! ^ words[y + w]!) & maskOf(bits - 32 * w)) !== 0) return false;
  }
  return true;
}

/** Brings what was set aside behind the first depth, by its depth, each in the order it has. */
function bringBack(to: Records, aside: Records, depth: Uint8Array, depths: number[], nested: number): void {
  const counts = findDepths(aside, depth, nested);
  /** Where the next one of each depth goes. */
  const next = new Uint32Array(DUPLICATE + 1);
  let end = depths[0]!;
  for (let d = 0; counts[d]! > 0; d++) {
    next[d] = end;
    depths.push((end += counts[d]!));
  }
  next[DUPLICATE] = end;
  for (let n = 0; n < nested; n++) {
    const place = next[depth[n]!]!++;
    copy(to.words, place, aside.words, n, to.width);
    to.meta[to.base + place] = aside.meta[n]!;
  }
}
