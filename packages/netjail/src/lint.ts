import { coversBoth, EVERYTHING, unionOfBoth, type Group } from './group.ts';
import type { Layer } from './layer.ts';
import { groupsOf } from './lint-entries.ts';
import { neverOf, openInside } from './lint-never.ts';
import { redundantOf } from './lint-redundant.ts';
import { conditionKey, type EntryList } from './list.ts';

/**
 * What `rules.lint` can find.
 *
 * - `denies-everything`: the allow list is empty.
 * - `blocks-every-allow`: every address that is allowed is blocked, too.
 * - `never-matches`: an allow entry has no effect, since block entries cover it, or deny its one address
 *   for where it leads (`::` is the local host) or what it carries.
 * - `redundant`: an entry has no effect, since others of its list cover it, alone or together, wherever
 *   it matches.
 * - `host-reaches-inside`: an allow entry asks for a host and not for a prefix, and loopback, private
 *   or link-local addresses are not blocked: whoever answers for that name can lead inside.
 * - `one-family`: only IPv4 or only IPv6 is allowed.
 * - `one-family-blocked`: all addresses of both families are allowed, and blocks are about one only.
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
  const never = neverOf(layer);
  for (const [at, { path }] of allow.named) {
    if (path !== undefined && block.paths.has(path)) never.set(at, 'blocked as a whole');
  }
  for (const [at, why] of [...never].sort(([x], [y]) => x - y)) {
    const entry = allowTexts[at]!;
    warn('never-matches', `${entry} is allowed, and ${why}`, 'allow', entry);
  }
  if (never.size === allow.length) {
    warn('blocks-every-allow', 'every allow entry is blocked or denied as a whole, so everything is denied');
  }

  for (const [name, list, texts] of [
    ['allow', allow, allowTexts],
    ['block', block, block.texts()],
  ] as const) {
    for (const at of [...redundantOf(list, name)].sort((x, y) => x - y)) {
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

  const open = openInside(layer);
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
  if (blocked.v4 !== blocked.v6 && allowsWidely(layer.allow)) {
    const [has, lacks] = blocked.v4 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
    warn('one-family-blocked', `both families are allowed, and only ${has} is blocked; ${lacks} is open`);
  }
}

/** Whether names and literals of every address are allowed, on some port at least. */
function allowsWidely(allow: EntryList): boolean {
  const forAnyHost = groupsOf(allow).filter(({ host }) => host === undefined);
  return coversBoth(unionOfBoth(forAnyHost.map((group) => group.intervals())), EVERYTHING);
}

function familiesOf(list: EntryList): { v4: boolean; v6: boolean } {
  const groups = groupsOf(list);
  const both = (group: Group): boolean => group.anyAt >= 0 || group.publicAt >= 0;
  return {
    v4: groups.some((group) => !group.v4.empty || both(group)),
    v6: groups.some((group) => !group.v6.empty || both(group)),
  };
}
