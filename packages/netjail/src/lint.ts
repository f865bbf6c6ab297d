import { Address } from './address.ts';
import { publicly, type Group } from './group.ts';
import { maskOf } from './internal/order.ts';
import { inIntervals, intervalsCover } from './intervals.ts';
import type { Layer } from './layer.ts';
import type { EntryList } from './list.ts';
import { bitsOf4, bitsOf6, positionOf } from './columns.ts';
import type { Table4 } from './table4.ts';
import type { Table6 } from './table6.ts';

/**
 * What `rules.lint` can find.
 *
 * - `denies-everything`: the allow list is empty.
 * - `blocks-every-allow`: every address that is allowed is blocked, too.
 * - `never-matches`: an allow entry has no effect, since block entries cover it.
 * - `redundant`: an entry has no effect, since others of its list cover it.
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

/** An address of each kind that a name must not lead to, with the range it stands for. */
const INSIDE: readonly (readonly [range: string, address: string])[] = [
  ['loopback', '127.0.0.1'],
  ['loopback', '::1'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '192.168.0.1'],
  ['private', 'fd00::1'],
  ['link-local', '169.254.169.254'],
  ['link-local', 'fe80::1'],
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
  const never = coveredBy(allow, block);
  for (const at of blockedByCondition(layer)) never.add(at);
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
    for (const at of [...coveredBy(list, list)].sort((x, y) => x - y)) {
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

  const inside = INSIDE.filter(([, text]) => layer.blocking(Address.parse(text), undefined).length === 0);
  const kinds = [...new Set(inside.map(([range]) => range))];
  for (const [at, entry] of allow.named) {
    if (entry.host === undefined || entry.prefix !== undefined || entry.range !== undefined) continue;
    if (kinds.length === 0 || never.has(at)) continue;
    warn(
      'host-reaches-inside',
      `${entry.text} allows the host wherever its name leads, and ${kinds.join(', ')} addresses are not all blocked`,
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
 * The positions of the entries of which every address is in the plain entries of a list: of
 * another one, or of the same (then an entry does not cover itself).
 */
function coveredBy(list: EntryList, by: EntryList): Set<number> {
  const { plain } = by;
  const v4 = plain.v4.intervals();
  const v6 = plain.v6.intervals();
  const seen = new Set<number>();
  const open = new Set<number>();
  const note = (at: number, covered: boolean): void => {
    seen.add(at);
    if (!covered) open.add(at);
  };
  const byPublic = list !== by && plain.publicAt >= 0;
  for (const group of groupsOf(list)) {
    const same = group === plain;
    for (let i = 0; i < group.v4.count; i++) {
      const covered = same ? !group.v4.isTop(i) : inside4(v4, group.v4, i);
      note(positionOf(group.v4.metaAt(i)), covered);
    }
    for (let i = 0; i < group.v6.count; i++) {
      const covered = same ? !group.v6.isTop(i) : inside6(v6, group.v6, i);
      note(positionOf(group.v6.metaAt(i)), covered);
    }
    if (group.publicAt >= 0) note(group.publicAt, !same && (byPublic || coverPublic(v4, v6)));
    // An entry without a prefix has a host or a port: it is never plain.
    if (group.anyAt >= 0) note(group.anyAt, plain.all);
  }
  for (const at of open) seen.delete(at);
  return seen;
}

/** Whether the intervals of both families hold the range `public`. */
function coverPublic(v4: Uint32Array, v6: Uint32Array): boolean {
  const open = publicly();
  return intervalsCover(v4, open.v4.intervals(), 1) && intervalsCover(v6, open.v6.intervals(), 4);
}

/** Allow entries whose host and port a block of every address has, too. */
function blockedByCondition({ allow, block }: Layer): number[] {
  const found: number[] = [];
  const blocks = groupsOf(block).filter((group) => group.all);
  for (const group of groupsOf(allow)) {
    const blocked = blocks.some((one) => hostCovers(one, group) && portsCover(one, group));
    if (!blocked) continue;
    for (let i = 0; i < group.v4.count; i++) found.push(positionOf(group.v4.metaAt(i)));
    for (let i = 0; i < group.v6.count; i++) found.push(positionOf(group.v6.metaAt(i)));
    if (group.publicAt >= 0) found.push(group.publicAt);
    if (group.anyAt >= 0) found.push(group.anyAt);
  }
  return found;
}

function hostCovers({ host: outer }: Group, { host: inner }: Group): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  if (!outer.below) return !inner.below && inner.name === outer.name;
  return inner.name.endsWith(`.${outer.name}`) || (inner.below && inner.name === outer.name);
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
