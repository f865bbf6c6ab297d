import { coversBoth, differenceOfBoth, unionOfBoth, type Group, type Intervals } from './group.ts';

/** How many intervals of each family are kept of what is left of a group. */
const KEPT = 64;

interface Left {
  readonly any: boolean;
  /** The first intervals of each family that are left: many hosts must not each keep all of a long list. */
  first: Intervals | undefined;
}

/**
 * What the plain block entries of a rule set leave of its allow groups, each found out once: by that a
 * name can be denied before it is looked up.
 */
export class Leftovers {
  readonly #blocked: Group;
  readonly #left = new Map<Group, Left>();

  constructor(blocked: Group) {
    this.#blocked = blocked;
  }

  /** Whether an address of one of the groups is in none of the blocks, nor in the plain ones. */
  any(groups: readonly Group[], blocks: readonly Group[]): boolean {
    if (blocks.length === 0) return groups.some((group) => this.#of(group).any);
    let blocked: Intervals | undefined;
    return groups.some((group) => {
      if (!this.#of(group).any) return false;
      const first = this.#firstOf(group);
      if (firstIsOpen(first, blocks)) return true;
      blocked ??= unionOfBoth(blocks.map((one) => one.intervals()));
      return !coversBoth(blocked, first) || !coversBoth(blocked, this.#intervalsOf(group));
    });
  }

  #of(group: Group): Left {
    let left = this.#left.get(group);
    if (left === undefined) {
      left = { any: !group.within(this.#blocked), first: undefined };
      this.#left.set(group, left);
    }
    return left;
  }

  #firstOf(group: Group): Intervals {
    const left = this.#of(group);
    if (left.first === undefined) {
      const { v4, v6 } = this.#intervalsOf(group);
      left.first = { v4: v4.slice(0, 2 * KEPT), v6: v6.slice(0, 8 * KEPT) };
    }
    return left.first;
  }

  #intervalsOf(group: Group): Intervals {
    return leftOf(group, this.#blocked);
  }
}

/** What a block group leaves of an allow group. */
export function leftOf(allowed: Group, blocked: Group): Intervals {
  return differenceOfBoth(allowed.intervals(), blocked.intervals());
}

/** Whether the first address of a family is in none of the blocks: most often that tells, in no time. */
function firstIsOpen({ v4, v6 }: Intervals, blocks: readonly Group[]): boolean {
  const [word] = v4;
  if (word !== undefined && !blocks.some((block) => block.has4(word | 0))) return true;
  const [a, b, c, d] = v6;
  if (a === undefined) return false;
  return !blocks.some((block) => block.has6(a | 0, b! | 0, c! | 0, d! | 0));
}
