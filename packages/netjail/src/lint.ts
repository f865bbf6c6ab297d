import { bitsOf4, bitsOf6, positionOf } from './columns.ts';
import { coversBoth, publicly, unionOfBoth, type Group, type Intervals } from './group.ts';
import { maskOf } from './internal/order.ts';
import { inIntervals } from './intervals.ts';
import type { Layer } from './layer.ts';
import { conditionKey, EntryList } from './list.ts';
import { ranges } from './ranges.ts';
import type { Table } from './table.ts';
import type { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';

/**
 * What `rules.lint` can find.
 *
 * - `denies-everything`: the allow list is empty.
 * - `blocks-every-allow`: every address that is allowed is blocked, too.
 * - `never-matches`: an allow entry has no effect, since block entries cover it.
 * - `redundant`: an entry has no effect, since others of its list cover it, alone or together, wherever
 *   it matches.
 * - `host-reaches-inside`: an allow entry asks for a host and not for a prefix, and loopback, private
 *   or link-local addresses are not blocked: whoever answers for that name can lead inside.
 * - `one-family`: only IPv4 or only IPv6 is allowed.
 * - `one-family-blocked`: both families are allowed widely, and blocks are about one only.
 * - `two-ports`: `[80, 443]` is the range from 80 to 443.
 */
export type LintCode =
  | 'denies-everything'
  | 'blocks-every-allow'
  | 'never-matches'
  | 'redundant'
  | 'host-reaches-inside'
  | 'one-family'
  | 'one-family-blocked'
  | 'two-ports';

/** One finding of `rules.lint`. */
export interface LintWarning {
  readonly code: LintCode;
  /** 0 for the rules themselves, 1 for the scope around them, and so on. */
  readonly scope: number;
  /** The list and the entry as written, where it is about one. */
  readonly list: 'allow' | 'block' | undefined;
  readonly entry: string | undefined;
  readonly message: string;
}

/** What a name must not lead to. The unspecified addresses are denied where loopback is blocked. */
const INSIDE: readonly (readonly [range: string, prefixes: readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ranges.private],
  ['link-local', ranges['link-local']],
];

/** Looks for what is probably not meant in the two lists of one rule set. */
export function lintLayer(layer: Layer, scope: number): LintWarning[] {
  const { allow, block } = layer;
  const warnings: LintWarning[] = [];
  const warn = (code: LintCode, message: string, list?: 'allow' | 'block', entry?: string): void => {
    warnings.push(Object.freeze({ code, scope, list, entry, message }));
  };
  if (allow.length === 0) {
    warn('denies-everything', 'nothing is allowed, so everything is denied');
    return warnings;
  }

  const allowTexts = allow.texts();
  const { never, open } = heldAgainst(allow, block);
  for (const [at, { path }] of allow.named) if (path !== undefined && block.paths.has(path)) never.add(at);
  for (const at of [...never].sort((x, y) => x - y)) {
    const entry = allowTexts[at]!;
    warn('never-matches', `${entry} is allowed, and blocked as a whole`, 'allow', entry);
  }
  if (never.size === allow.length) {
    warn('blocks-every-allow', 'every allow entry is blocked as a whole, so everything is denied');
  }

  for (const [name, list, texts] of [
    ['allow', allow, allowTexts],
    ['block', block, block.texts()],
  ] as const) {
    for (const at of [...redundantOf(list)].sort((x, y) => x - y)) {
      const entry = texts[at]!;
      warn('redundant', `${entry} has no effect: other ${name} entries cover it`, name, entry);
    }
    for (const [at, entry] of list.named) {
      const { ports } = entry;
      if (ports?.length === 1 && ports[0]![0] === 80 && ports[0]![1] === 443) {
        warn(
          'two-ports',
          `the ports of ${texts[at]} are all from 80 to 443; two ports are [[80, 80], [443, 443]]`,
          name,
          texts[at],
        );
      }
    }
  }

  for (const entry of allow.named.values()) {
    if (entry.host === undefined || entry.prefix !== undefined || entry.range !== undefined) continue;
    const kinds = open.get(conditionKey(entry.host, entry.ports))!;
    if (kinds === '') continue;
    warn(
      'host-reaches-inside',
      `${entry.text} allows the host wherever its name leads, and ${kinds} addresses are not all blocked`,
      'allow',
      entry.text,
    );
  }

  lintFamilies(layer, warn);
  return warnings;
}

function lintFamilies(layer: Layer, warn: (code: LintCode, message: string) => void): void {
  const allowed = familiesOf(layer.allow);
  if (allowed.v4 !== allowed.v6) {
    const [has, lacks] = allowed.v4 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
    warn('one-family', `only ${has} addresses are allowed; ${lacks} ones are all denied`);
    return;
  }
  const blocked = familiesOf(layer.block);
  const { v4, v6 } = layer.allow.plain;
  if (v4.all && v6.all && blocked.v4 !== blocked.v6) {
    const [has, lacks] = blocked.v4 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
    warn('one-family-blocked', `both families are allowed, and only ${has} is blocked; ${lacks} is open`);
  }
}

function familiesOf(list: EntryList): { v4: boolean; v6: boolean } {
  const groups = groupsOf(list);
  const both = (group: Group): boolean => group.anyAt >= 0 || group.publicAt >= 0;
  return {
    v4: groups.some((group) => !group.v4.empty || both(group)),
    v6: groups.some((group) => !group.v6.empty || both(group)),
  };
}

function groupsOf(list: EntryList): readonly Group[] {
  return [list.plain, ...(list.conditions?.all ?? [])];
}

/**
 * The positions of the allow entries that are blocked as a whole, each by one block or by several, and
 * for each host and port which kinds of inside addresses are not all blocked.
 */
function heldAgainst(allow: EntryList, block: EntryList): { never: Set<number>; open: Map<string, string> } {
  const never = new Set<number>();
  const left = new Set<number>();
  const open = new Map<string, string>();
  const plain = block.plain.intervals();
  const openInPlain = openKinds(plain);
  for (const group of groupsOf(allow)) {
    const others = around(block, group);
    // Most often only plain entries block: many hosts must not each make all of a long list.
    const by = others.length === 0 ? plain : unionOfBoth([plain, ...others.map((one) => one.intervals())]);
    open.set(conditionKey(group.host, group.ports), by === plain ? openInPlain : openKinds(by));
    eachEntry(group, (at, isIn) => (isIn(by) ? never : left).add(at));
  }
  // A range has many prefixes.
  for (const at of left) never.delete(at);
  return { never, open };
}

function openKinds(by: Intervals): string {
  const open = INSIDE.filter(([, prefixes]) => !coversBoth(by, intervalsOf(prefixes)));
  return open.map(([range]) => range).join(', ');
}

/**
 * The positions of the entries that others of the same list cover: that say the same, or that match
 * wherever they do, together.
 */
function redundantOf(list: EntryList): Set<number> {
  const redundant = repeatedOf(list);
  const open = new Set<number>();
  const { plain } = list;
  const ofPlain = { byName: withoutPublic6(plain), all: plain.intervals() };
  for (const group of groupsOf(list)) {
    const outside = group === plain ? [] : [plain, ...around(list, group)];
    // Most often only plain entries cover: many hosts must not each make all of a long list.
    const { byName, all } =
      outside.length === 1
        ? ofPlain
        : {
            byName: unionOfBoth(outside.map(withoutPublic6)),
            all: unionOfBoth(outside.map((one) => one.intervals())),
          };
    const nextToPublic = group.publicAt < 0 || group.v4.empty ? byName : unionOfBoth([byName, publicly4()]);
    eachEntry(group, (at, isIn, table, i) => {
      const covered =
        (group.anyAt >= 0 && at !== group.anyAt) ||
        // An entry does not cover itself.
        (table === undefined ? isIn(all) : !table.isTop(i) || isIn(nextToPublic));
      (covered ? redundant : open).add(at);
    });
  }
  for (const at of open) redundant.delete(at);
  return redundant;
}

/** The groups with a host or port that match wherever this one does, besides itself. */
function around({ conditions }: EntryList, group: Group): Group[] {
  const { host } = group;
  const name = host?.below === true ? `*.${host.name}` : host?.name;
  return (conditions?.ofHost(name, false) ?? []).filter((one) => one !== group && portsCover(one, group));
}

/** What `public` has of IPv6 is judged in its own way: it does not cover what is allowed by a prefix. */
function withoutPublic6(group: Group): Intervals {
  const all = group.intervals();
  return group.anyAt >= 0 ? all : { v4: all.v4, v6: group.v6.intervals() };
}

function publicly4(): Intervals {
  return { v4: publicly().v4.intervals(), v6: new Uint32Array(0) };
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
  call: (at: number, isIn: (by: Intervals) => boolean, table: Table | undefined, i: number) => void,
): void {
  const { v4, v6 } = group;
  for (let i = 0; i < v4.count; i++) {
    call(positionOf(v4.metaAt(i)), ({ v4: by }) => inside4(by, v4, i), v4, i);
  }
  for (let i = 0; i < v6.count; i++) {
    call(positionOf(v6.metaAt(i)), ({ v6: by }) => inside6(by, v6, i), v6, i);
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

function inside4(flat: Uint32Array, table: Table4, i: number): boolean {
  const mask = maskOf(bitsOf4(table.metaAt(i)));
  const start = (table.word(i) & mask) >>> 0;
  return inIntervals(flat, [start], [(start | ~mask) >>> 0]);
}

function inside6(flat: Uint32Array, table: Table6, i: number): boolean {
  const bits = bitsOf6(table.metaAt(i));
  const start: number[] = [];
  const end: number[] = [];
  for (let w = 0; w < 4; w++) {
    const mask = maskOf(bits - 32 * w);
    start.push((table.word(4 * i + w) & mask) >>> 0);
    end.push((table.word(4 * i + w) | ~mask) >>> 0);
  }
  return inIntervals(flat, start, end);
}
