// Entries that have no effect, since others of their list cover them.
import { positionOf } from './columns.ts';
import { coversBoth, differenceOfBoth, publicly, unionOfBoth, type Group, type Intervals } from './group.ts';
import { eachEntry, groupsOf, ofSameHost, repeatsOf, spanOf } from './lint-entries.ts';
import { conditionKey, type EntryList } from './list.ts';
import { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';

/**
 * The positions of the entries that others of the same list cover: that say the same, or that match
 * wherever they do, together. All of them can be taken out at once.
 */
export function redundantOf(list: EntryList, name: 'allow' | 'block'): Set<number> {
  const redundant = new Set(repeatsOf(list).keys());
  const open = new Set<number>();
  const doubles = doublesOf(list);
  /** Of each entry that has prefixes which no other covers the ranges with the same prefix, for each. */
  const inRanges = new Map<number, (readonly number[])[]>();
  const { plain } = list;
  const coveredBy = name === 'allow' ? withoutPublic6 : (group: Group): Intervals => group.intervals();
  const ofPlain = { byName: coveredBy(plain), all: plain.intervals() };
  const ofPublic = name === 'allow' ? publicly4 : publiclyBoth;
  for (const group of groupsOf(list)) {
    const outside = group === plain ? [] : [plain, ...around(list, group)];
    const { byName, all } =
      outside.length === 1
        ? ofPlain
        : {
            byName: unionOfBoth(outside.map(coveredBy)),
            all: unionOfBoth(outside.map((one) => one.intervals())),
          };
    const alone = group.publicAt < 0 || (group.v4.empty && group.v6.empty);
    const nextToPublic = alone ? byName : unionOfBoth([byName, ofPublic()]);
    // The prefixes that no other entry covers come before public, and may cover it.
    const kept4: number[] = [];
    const kept6: number[] = [];
    const restOfPublic = (): Intervals =>
      differenceOfBoth(publiclyBoth(), { v4: Uint32Array.from(kept4), v6: Uint32Array.from(kept6) });
    eachEntry(group, (at, isIn, table, i) => {
      // An entry does not cover itself.
      const byOthers = (): boolean => {
        if (table !== undefined) return !table.isTop(i) || isIn(nextToPublic);
        return at === group.anyAt ? isIn(byName) : coversBoth(all, restOfPublic());
      };
      const covered = (group.anyAt >= 0 && at !== group.anyAt) || byOthers();
      (covered ? redundant : open).add(at);
      if (!covered && !alone && table !== undefined) {
        (table instanceof Table4 ? kept4 : kept6).push(...spanOf(table, i).flat());
      }
      if (covered || doubles.size === 0) return;
      const same = table === undefined ? undefined : doubles.get(keyOf(group, table, i));
      pushTo(inRanges, at, same ?? []);
    });
  }
  for (const at of open) redundant.delete(at);
  addInRanges(redundant, inRanges);
  return redundant;
}

/**
 * Of two entries with the same prefix the second one is covered by the first. Where the second is a range
 * that is needed for others of its prefixes, the first one is redundant all the same.
 */
function addInRanges(redundant: Set<number>, inRanges: ReadonlyMap<number, (readonly number[])[]>): void {
  // From the last one on: those that an entry is in stand behind it, and are decided.
  for (const [at, prefixes] of [...inRanges].sort(([x], [y]) => y - x)) {
    if (prefixes.every((same) => same.some((other) => !redundant.has(other)))) redundant.add(at);
  }
}

/** The ranges of a list that have a prefix which another entry has given before, by that prefix. */
function doublesOf(list: EntryList): Map<string, number[]> {
  const doubles = new Map<string, number[]>();
  for (const group of groupsOf(list)) {
    for (const table of [group.v4, group.v6]) {
      for (let i = table.depths.at(-1) ?? 0; i < table.count; i++) {
        const at = positionOf(table.metaAt(i));
        if (list.named.get(at)?.range === undefined) continue;
        pushTo(doubles, keyOf(group, table, i), at);
      }
    }
  }
  return doubles;
}

function pushTo<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The groups with a host or port that match wherever this one does, besides itself. */
function around(list: EntryList, group: Group): Group[] {
  return ofSameHost(list, group).filter((one) => one !== group && portsCover(one, group));
}

/** What `public` has of IPv6 is judged in its own way: it does not cover what is allowed by a prefix. */
function withoutPublic6(group: Group): Intervals {
  const all = group.intervals();
  return group.anyAt >= 0 ? all : { v4: all.v4, v6: group.v6.intervals() };
}

function publicly4(): Intervals {
  return { v4: publicly().v4.intervals(), v6: new Uint32Array(0) };
}

function publiclyBoth(): Intervals {
  return { v4: publicly().v4.intervals(), v6: publicly().v6.intervals() };
}

function portsCover({ ports: outer }: Group, { ports: inner }: Group): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  // Both are in order, and no two of one touch.
  let k = 0;
  for (const [from, to] of inner) {
    while (k < outer.length && outer[k]![1] < from) k++;
    if (k === outer.length || outer[k]![0] > from || outer[k]![1] < to) return false;
  }
  return true;
}

/** The same for entries with the same prefix, host and port. */
function keyOf({ host, ports }: Group, table: Table4 | Table6, i: number): string {
  return `${spanOf(table, i).join()} ${conditionKey(host, ports)}`;
}
