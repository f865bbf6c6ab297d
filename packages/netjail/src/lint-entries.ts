// The entries of a list one by one, as lint looks at them.
import { bitsOf, positionOf } from './columns.ts';
import { coversBoth, type Group, type Intervals } from './group.ts';
import { maskOf } from './internal/bits.ts';
import { inIntervals } from './intervals.ts';
import { EntryList, type Conditions } from './list.ts';
import { ranges } from './ranges.ts';
import { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';

/** The entries of a list, by the host and port that they ask for. */
export function groupsOf(list: EntryList): readonly Group[] {
  return [list.plain, ...(list.conditions?.all ?? [])];
}

/** The groups with a host or port whose host is that of a group, or one around it: one list for the same ones. */
export function ofSameHost({ conditions }: EntryList, { host }: Group): readonly Group[] {
  // A new one each time: what is kept by it must not be that of another rule set.
  if (conditions === undefined) return [];
  const name = host?.below === true ? `*.${host.name}` : host?.name;
  let ofConditions = kept.get(conditions);
  if (ofConditions === undefined) kept.set(conditions, (ofConditions = new Map()));
  const key = name === undefined ? '' : conditions.namesFor(name);
  let groups = ofConditions.get(key);
  if (groups === undefined) ofConditions.set(key, (groups = conditions.ofHost(name, false)));
  return groups;
}

const kept = new WeakMap<Conditions, Map<string, readonly Group[]>>();

/** Calls back for each prefix of a group, and for what it has by name. */
export function eachEntry(
  group: Group,
  call: (at: number, isIn: (by: Intervals) => boolean, table: Table4 | Table6 | undefined, i: number) => void,
): void {
  const { v4, v6 } = group;
  for (let i = 0; i < v4.count; i++) {
    call(positionOf(v4.metaAt(i)), ({ v4: by }) => inIntervals(by, ...spanOf(v4, i)), v4, i);
  }
  for (let i = 0; i < v6.count; i++) {
    call(positionOf(v6.metaAt(i)), ({ v6: by }) => inIntervals(by, ...spanOf(v6, i)), v6, i);
  }
  if (group.publicAt >= 0)
    call(group.publicAt, (by) => coversBoth(by, intervalsOf(ranges.public)), undefined, 0);
  if (group.anyAt >= 0) call(group.anyAt, (by) => coversBoth(by, group.intervals()), undefined, 0);
}

/** The positions of ranges and of entries with fields that say what an earlier one does, and the first of those. */
export function repeatsOf(list: EntryList): Map<number, number> {
  const firsts = new Map<string, number>();
  const repeats = new Map<number, number>();
  for (const [at, { host, ports, path, range, prefix }] of list.named) {
    // Prefixes are in the tables, which know.
    if (prefix !== undefined) continue;
    const key = JSON.stringify([host, ports, path, range]);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, at);
    else repeats.set(at, first);
  }
  return repeats;
}

/** All addresses of some prefixes. */
export function intervalsOf(prefixes: readonly string[]): Intervals {
  return new EntryList(prefixes, 'prefixes').plain.intervals();
}

/** The first and the last address of a prefix, in words. */
export function spanOf(table: Table4 | Table6, i: number): [start: number[], end: number[]] {
  const width = table instanceof Table4 ? 1 : 4;
  const bits = bitsOf(table.metaAt(i), width);
  const start: number[] = [];
  const end: number[] = [];
  for (let w = 0; w < width; w++) {
    const mask = maskOf(bits - 32 * w);
    start.push((table.word(width * i + w) & mask) >>> 0);
    end.push((table.word(width * i + w) | ~mask) >>> 0);
  }
  return [start, end];
}
