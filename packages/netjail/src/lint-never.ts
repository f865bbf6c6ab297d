// Allow entries that can never match, and names that can lead inside.
import { Address } from './address.ts';
import { bitsOf4, bitsOf6 } from './columns.ts';
import { coversBoth, unionOfBoth, type Group, type Intervals } from './group.ts';
import type { Layer } from './layer.ts';
import { eachEntry, groupsOf, intervalsOf, ofSameHost } from './lint-entries.ts';
import { conditionKey, type EntryList } from './list.ts';
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

/** The positions of the allow entries that can never match, and why: what is said of them. */
export function neverOf(layer: Layer): Map<number, string> {
  const never = new Map<number, string>();
  const left = new Set<number>();
  const plain = layer.block.plain.intervals();
  for (const group of groupsOf(layer.allow)) {
    const parts = partsOf(layer.block, group);
    const isBlocked = inEachPart(plain, parts);
    const denies = (one: Address): boolean =>
      parts.every((block) => layer.reason(one, { allow: [group], block }) !== undefined);
    eachEntry(group, (at, isIn, table, i) => {
      if (isBlocked(isIn)) {
        never.set(at, 'blocked as a whole');
        return;
      }
      const one = table === undefined ? undefined : oneAddress(table, i);
      if (one !== undefined && denies(one)) never.set(at, 'denied for where it leads or what it carries');
      else left.add(at);
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
  const openIn = (parts: readonly (readonly Group[])[]): string => {
    const isBlocked = inEachPart(plain, parts);
    return kinds
      .filter(({ inside }) => !isBlocked((by) => coversBoth(by, inside)))
      .map(({ range }) => range)
      .join(', ');
  };
  const openInPlain = openIn(ONLY_PLAIN);
  const open = new Map<string, string>();
  for (const group of groupsOf(allow)) {
    // Nothing else leads wherever a name does.
    if (group.host === undefined || group.anyAt < 0) continue;
    const parts = partsOf(block, group);
    open.set(conditionKey(group.host, group.ports), parts === ONLY_PLAIN ? openInPlain : openIn(parts));
  }
  return open;
}

/** Asks of what is blocked in each part; it is made when it is asked for, since most often the first part tells. */
function inEachPart(
  plain: Intervals,
  parts: readonly (readonly Group[])[],
): (test: (blocked: Intervals) => boolean) => boolean {
  const made: Intervals[] = [];
  return (test) => parts.every((blocks, k) => test((made[k] ??= withPlain(plain, blocks))));
}

/** Most often only plain entries block: many hosts must not each make all of a long list. */
function withPlain(plain: Intervals, groups: readonly Group[]): Intervals {
  return groups.length === 0 ? plain : unionOfBoth([plain, ...groups.map((one) => one.intervals())]);
}

const EVERY_PORT: Ports = [[0, 65_535]];
/** One part, in which the plain entries block and nothing else. */
const ONLY_PLAIN: readonly (readonly Group[])[] = [[]];

/** The blocks that match wherever a group does, for each part of its ports in which they are others. */
function partsOf(block: EntryList, group: Group): readonly (readonly Group[])[] {
  const blocks = ofSameHost(block, group);
  const edges = edgesOf(blocks);
  const parts: Group[][] = [];
  for (const [from, to] of group.ports ?? EVERY_PORT) {
    const active = new Set(blocks.filter(({ ports }) => ports === undefined || hasPort(ports, from)));
    let next = firstBehind(edges, from);
    for (;;) {
      // What is blocked where only the plain entries match is blocked in the other parts as well.
      if (active.size === 0) return ONLY_PLAIN;
      parts.push([...active]);
      const port = edges[next]?.port;
      if (port === undefined || port > to) break;
      for (; edges[next]?.port === port; next++) {
        const { group: one } = edges[next]!;
        if (!active.delete(one)) active.add(one);
      }
    }
  }
  return parts;
}

interface Edge {
  readonly port: number;
  readonly group: Group;
}

/** Kept, since groups without blocks of their own host share theirs. */
const edgesOfBlocks = new WeakMap<readonly Group[], readonly Edge[]>();

/** The ports from which on a block begins to match, or does not match any more, in order. */
function edgesOf(blocks: readonly Group[]): readonly Edge[] {
  const known = edgesOfBlocks.get(blocks);
  if (known !== undefined) return known;
  const ends = (group: Group): Edge[] =>
    (group.ports ?? []).flatMap(([from, to]) => [from, to + 1].map((port) => ({ port, group })));
  const edges = blocks.flatMap(ends).sort((x, y) => x.port - y.port);
  edgesOfBlocks.set(blocks, edges);
  return edges;
}

/** Where the first edge behind a port stands. */
function firstBehind(edges: readonly Edge[], port: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]!.port <= port) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The address of an entry that is one. */
function oneAddress(table: Table4 | Table6, i: number): Address | undefined {
  const meta = table.metaAt(i);
  if (table instanceof Table4) return bitsOf4(meta) === 32 ? Address.fromWord(table.word(i)) : undefined;
  if (bitsOf6(meta) < 128) return undefined;
  const [a, b, c, d] = [0, 1, 2, 3].map((w) => table.word(4 * i + w)) as [number, number, number, number];
  return Address.fromWords([a, b, c, d]);
}
