import type { Address } from './address.ts';
import type { Found, Group } from './group.ts';
import type { EntryList, Known } from './list.ts';

/** The groups of both lists whose host and port a target has. */
export interface Matching {
  readonly allow: readonly Group[];
  readonly block: readonly Group[];
}

export const NO_GROUPS: readonly Group[] = Object.freeze([]);

/** What is not known matches block entries only. */
export function matchingOf(allow: EntryList, block: EntryList, known: Known): Matching {
  return { allow: groupsFor(allow, known, false), block: groupsFor(block, known, true) };
}

function groupsFor(list: EntryList, { host, port }: Known, unknown: boolean): readonly Group[] {
  if (list.conditions === undefined) return NO_GROUPS;
  return list.conditions.ofHost(host, unknown).filter((group) => group.fits(port, unknown));
}

/** The entries of these groups that match an address (unmapped), in the order of the list. */
export function matches(
  { family, words }: Address,
  plain: Group | undefined,
  groups: readonly Group[],
): Found[] {
  const [a, b, c, d] = words;
  const of = (group: Group): Found[] =>
    family === 4 ? group.matches4(d | 0) : group.matches6(a | 0, b | 0, c | 0, d | 0);
  return inOrder((plain === undefined ? groups : [plain, ...groups]).flatMap(of));
}

/** In the order of the list; a range can have an address in two of its prefixes. */
function inOrder(found: Found[]): Found[] {
  return found.sort((x, y) => x.at - y.at).filter(({ at }, i, all) => at !== all[i - 1]?.at);
}
