import { coversBoth, unionOfBoth, type Group, type Intervals } from './group.ts';
import { differenceOf } from './intervals.ts';

interface Left {
  readonly any: boolean;
  /** Only where other blocks are to be held against it. */
  intervals: Intervals | undefined;
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
    return groups.some((group) => {
      if (!this.#of(group).any) return false;
      const left = this.#intervalsOf(group);
      return (
        startIsOpen(left, blocks) || !coversBoth(unionOfBoth(blocks.map((one) => one.intervals())), left)
      );
    });
  }

  #of(group: Group): Left {
    let left = this.#left.get(group);
    if (left === undefined) {
      left = { any: !group.within(this.#blocked), intervals: undefined };
      this.#left.set(group, left);
    }
    return left;
  }

  #intervalsOf(group: Group): Intervals {
    const left = this.#of(group);
    if (left.intervals === undefined) {
      const all = group.intervals();
      const blocked = this.#blocked.intervals();
      left.intervals = { v4: differenceOf(all.v4, blocked.v4, 1), v6: differenceOf(all.v6, blocked.v6, 4) };
    }
    return left.intervals;
  }
}

/** Whether the first address of a family is in none of the blocks: most often that tells, in no time. */
function startIsOpen({ v4, v6 }: Intervals, blocks: readonly Group[]): boolean {
  const [word] = v4;
  if (word !== undefined && !blocks.some((block) => block.has4(word | 0))) return true;
  const [a, b, c, d] = v6;
  if (a === undefined) return false;
  return !blocks.some((block) => block.has6(a | 0, b! | 0, c! | 0, d! | 0));
}
