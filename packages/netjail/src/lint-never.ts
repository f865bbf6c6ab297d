// Allow entries that can never match, and names that can lead inside.
import { Address } from './address.ts';
import { bitsOf4, bitsOf6 } from './columns.ts';
import { coversBoth, unionOfBoth, type Group, type Intervals } from './group.ts';
import type { Layer } from './layer.ts';
import { eachEntry, groupsOf, intervalsOf, ofSameHost, repeatsOf } from './lint-entries.ts';
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
  for (const group of groupsOf(layer.allow)) {
    const blocks = blocksFor(layer.block, group);
    const denies = (one: Address): boolean =>
      blocks.every((block) => layer.reason(one, { allow: [group], block }) !== undefined);
    eachEntry(group, (at, isIn, table, i) => {
      if (blocks.cover(isIn)) {
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
  // Of those without a prefix that say the same, a group knows the first.
  for (const [at, first] of repeatsOf(layer.allow)) {
    const why = never.get(first);
    if (why !== undefined) never.set(at, why);
  }
  return never;
}

/** For each host and port of the allow list which kinds of inside addresses are not all blocked. */
export function openInside({ allow, block }: Layer): Map<string, string> {
  const kinds = INSIDE.map(([range, prefixes]) => ({ range, inside: intervalsOf(prefixes) }));
  const open = new Map<string, string>();
  for (const group of groupsOf(allow)) {
    // Nothing else leads wherever a name does.
    if (group.host === undefined || group.anyAt < 0) continue;
    const blocks = blocksFor(block, group);
    const left = kinds.filter(({ inside }) => !blocks.cover((by) => coversBoth(by, inside)));
    open.set(conditionKey(group.host, group.ports), left.map(({ range }) => range).join(', '));
  }
  return open;
}

const EVERY_PORT: Ports = [[0, 65_535]];

/** What is blocked for the host and the ports of a group, wherever it matches. */
function blocksFor(
  block: EntryList,
  group: Group,
): {
  /** Whether a test holds of what is blocked, whatever the port. */
  cover(test: (blocked: Intervals) => boolean): boolean;
  /** Whether a test holds of the blocks with a host or port that match, whatever the port. */
  every(test: (groups: readonly Group[]) => boolean): boolean;
} {
  const { plain } = block;
  const conditional = ofSameHost(block, group);
  const ports = group.ports ?? EVERY_PORT;
  const byPort = conditional.length === 0 ? undefined : blocksByPort(conditional, plain);
  return {
    cover: (test) =>
      test(intervalsKept(plain)) || (byPort?.every(ports, (part) => test(part.blocked)) ?? false),
    every: (test) => byPort?.every(ports, ({ groups }) => test(groups)) ?? test(conditional),
  };
}

/** Blocks by their port, from one port to the next at which others match; each part is made when it is asked for. */
class BlocksByPort {
  readonly #blocks: readonly Group[];
  readonly #plain: Group;
  /** Where each part begins, in order. */
  readonly #starts: readonly number[];
  readonly #parts: Part[] = [];

  constructor(blocks: readonly Group[], plain: Group) {
    this.#blocks = blocks;
    this.#plain = plain;
    const edges = blocks.flatMap(({ ports }) =>
      (ports ?? EVERY_PORT).flatMap(([from, to]) => [from, to + 1]),
    );
    this.#starts = [...new Set([0, ...edges])].sort((x, y) => x - y);
  }

  every(ports: Ports, test: (part: Part) => boolean): boolean {
    const starts = this.#starts;
    for (const [from, to] of ports) {
      for (let k = lastUpTo(starts, from); starts[k]! <= to; k++) {
        if (!test((this.#parts[k] ??= this.#part(starts[k]!)))) return false;
      }
    }
    return true;
  }

  #part(port: number): Part {
    const groups = this.#blocks.filter(({ ports }) => ports === undefined || hasPort(ports, port));
    return new Part(groups, this.#plain);
  }
}

class Part {
  readonly groups: readonly Group[];
  readonly #plain: Group;
  #blocked: Intervals | undefined;

  constructor(groups: readonly Group[], plain: Group) {
    this.groups = groups;
    this.#plain = plain;
  }

  get blocked(): Intervals {
    const plain = intervalsKept(this.#plain);
    return (this.#blocked ??= unionOfBoth([plain, ...this.groups.map((one) => one.intervals())]));
  }
}

/** Kept, since groups without blocks of their own host share theirs. */
const kept = new WeakMap<readonly Group[], BlocksByPort>();

function blocksByPort(blocks: readonly Group[], plain: Group): BlocksByPort {
  let byPort = kept.get(blocks);
  if (byPort === undefined) kept.set(blocks, (byPort = new BlocksByPort(blocks, plain)));
  return byPort;
}

const keptIntervals = new WeakMap<Group, Intervals>();

/** Made once: many hosts must not each make all of a long list. */
function intervalsKept(group: Group): Intervals {
  let intervals = keptIntervals.get(group);
  if (intervals === undefined) keptIntervals.set(group, (intervals = group.intervals()));
  return intervals;
}

/** The position of the last element up to a number; the first one is. */
function lastUpTo(sorted: readonly number[], most: number): number {
  let low = 0;
  let high = sorted.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= most) low = middle;
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
