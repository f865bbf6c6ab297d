// Which entries of a list others cover: what `lint` has to say of single entries.
import { Address } from './address.ts';
import { bitsOf, bitsOf4, bitsOf6, positionOf } from './columns.ts';
import { coversBoth, publicly, unionOfBoth, type Group, type Intervals } from './group.ts';
import { maskOf } from './internal/order.ts';
import { inIntervals } from './intervals.ts';
import type { Layer } from './layer.ts';
import { conditionKey, EntryList } from './list.ts';
import { hasPort, type Ports } from './ports.ts';
import { ranges } from './ranges.ts';
import { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';

/** What a name must not lead to. The unspecified addresses are denied where loopback is blocked. */
const INSIDE: readonly (readonly [range: string, prefixes: readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ranges.private],
  ['link-local', ranges['link-local']],
];

/** The entries of a list, by the host and port that they ask for. */
export function groupsOf(list: EntryList): readonly Group[] {
  return [list.plain, ...(list.conditions?.all ?? [])];
}

/**
 * The positions of the allow entries that are blocked as a whole, each by one block or by several, or
 * have one address that is denied for what it means.
 */
export function neverOf(layer: Layer): Set<number> {
  const never = new Set<number>();
  const left = new Set<number>();
  const plain = layer.block.plain.intervals();
  for (const group of groupsOf(layer.allow)) {
    const parts = partsOf(layer.block, group);
    const blocked = parts.map((blocks) => withPlain(plain, blocks));
    const denies = (one: Address): boolean =>
      parts.every((block) => layer.reason(one, { allow: [group], block }) !== undefined);
    eachEntry(group, (at, isIn, table, i) => {
      const one = table === undefined ? undefined : oneAddress(table, i);
      (blocked.every(isIn) || (one !== undefined && denies(one)) ? never : left).add(at);
    });
  }
  // A range has many prefixes.
  for (const at of left) never.delete(at);
  return never;
}

/** For each host and port of the allow list which kinds of inside addresses are not all blocked. */
export function openInside({ allow, block }: Layer): Map<string, string> {
  const plain = block.plain.intervals();
  const kinds = INSIDE.map(([range, prefixes]) => ({ range, inside: intervalsOf(prefixes) }));
  const openIn = (blocked: readonly Intervals[]): string =>
    kinds
      .filter(({ inside }) => !blocked.every((by) => coversBoth(by, inside)))
      .map(({ range }) => range)
      .join(', ');
  const openInPlain = openIn([plain]);
  const open = new Map<string, string>();
  for (const group of groupsOf(allow)) {
    const blocked = partsOf(block, group).map((blocks) => withPlain(plain, blocks));
    const left = blocked[0] === plain ? openInPlain : openIn(blocked);
    open.set(conditionKey(group.host, group.ports), left);
  }
  return open;
}

/** Most often only plain entries block: many hosts must not each make all of a long list. */
function withPlain(plain: Intervals, groups: readonly Group[]): Intervals {
  return groups.length === 0 ? plain : unionOfBoth([plain, ...groups.map((one) => one.intervals())]);
}

const EVERY_PORT: Ports = [[0, 65_535]];

/** The blocks that match wherever a group does, for each part of its ports in which they are others. */
function partsOf(block: EntryList, group: Group): readonly (readonly Group[])[] {
  const blocks = ofSameHost(block, group);
  const own = group.ports ?? EVERY_PORT;
  const ports = [own, ...blocks.map((one) => one.ports ?? EVERY_PORT)].flat();
  const starts = new Set(ports.flatMap(([from, to]) => [from, to + 1]).filter((port) => hasPort(own, port)));
  const parts = Array.from(starts, (port) =>
    blocks.filter((one) => one.ports === undefined || hasPort(one.ports, port)),
  );
  // What is blocked there is blocked in the other parts as well.
  return parts.some((part) => part.length === 0) ? [[]] : parts;
}

/** The address of an entry that is one. */
function oneAddress(table: Table4 | Table6, i: number): Address | undefined {
  const meta = table.metaAt(i);
  if (table instanceof Table4) return bitsOf4(meta) === 32 ? Address.fromWord(table.word(i)) : undefined;
  if (bitsOf6(meta) < 128) return undefined;
  const [a, b, c, d] = [0, 1, 2, 3].map((w) => table.word(4 * i + w)) as [number, number, number, number];
  return Address.fromWords([a, b, c, d]);
}

/**
 * The positions of the entries that others of the same list cover: that say the same, or that match
 * wherever they do, together. All of them can be taken out at once.
 */
export function redundantOf(list: EntryList, name: 'allow' | 'block'): Set<number> {
  const redundant = repeatedOf(list);
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
    eachEntry(group, (at, isIn, table, i) => {
      const covered =
        (group.anyAt >= 0 && at !== group.anyAt) ||
        // An entry does not cover itself.
        (table === undefined ? isIn(all) : !table.isTop(i) || isIn(nextToPublic));
      (covered ? redundant : open).add(at);
      if (covered || doubles.size === 0) return;
      const same = table === undefined ? undefined : doubles.get(keyOf(group, table, i));
      inRanges.set(at, [...(inRanges.get(at) ?? []), same ?? []]);
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
        const key = keyOf(group, table, i);
        doubles.set(key, [...(doubles.get(key) ?? []), at]);
      }
    }
  }
  return doubles;
}

/** The groups with a host or port whose host is that of a group, or one around it. */
function ofSameHost({ conditions }: EntryList, { host }: Group): readonly Group[] {
  const name = host?.below === true ? `*.${host.name}` : host?.name;
  return conditions?.ofHost(name, false) ?? [];
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

/** The positions of ranges and of entries with fields that say what an earlier one does. */
function repeatedOf(list: EntryList): Set<number> {
  const seen = new Set<string>();
  const repeated = new Set<number>();
  for (const [at, { host, ports, path, range, prefix }] of list.named) {
    // Prefixes are in the tables, which know.
    if (prefix !== undefined) continue;
    const key = JSON.stringify([host, ports, path, range]);
    if (seen.has(key)) repeated.add(at);
    seen.add(key);
  }
  return repeated;
}

/** Calls back for each prefix of a group, and for what it has by name. */
function eachEntry(
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

function intervalsOf(prefixes: readonly string[]): Intervals {
  return new EntryList(prefixes, 'prefixes').plain.intervals();
}

function portsCover({ ports: outer }: Group, { ports: inner }: Group): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return inner.every(([from, to]) => outer.some(([low, high]) => low <= from && high >= to));
}

/** The first and the last address of a prefix, in words. */
function spanOf(table: Table4 | Table6, i: number): [start: number[], end: number[]] {
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

/** The same for entries with the same prefix, host and port. */
function keyOf({ host, ports }: Group, table: Table4 | Table6, i: number): string {
  return `${spanOf(table, i).join()} ${conditionKey(host, ports)}`;
}
