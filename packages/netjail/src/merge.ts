import { positionOf, writtenOf } from './columns.ts';
import { GroupBuilder, type Group } from './group.ts';
import type { Ports } from './ports.ts';

interface Addition {
  readonly at: number;
  add(builder: GroupBuilder): void;
}

/** The entries of groups as those of one, in the order of their list: of those with the same prefix it names the first. */
export function merge(groups: readonly Group[], ports: Ports | undefined): Group {
  if (groups.length === 1) return groups[0]!;
  const builder = new GroupBuilder();
  const additions = groups.flatMap(additionsOf).sort((x, y) => x.at - y.at);
  for (const addition of additions) addition.add(builder);
  return builder.build(undefined, ports);
}

function additionsOf({ v4, v6, publicAt, anyAt }: Group): Addition[] {
  const additions: Addition[] = [];
  for (let i = 0; i < v4.count; i++) {
    const [at, written] = [positionOf(v4.metaAt(i)), writtenOf(v4.metaAt(i))];
    additions.push({ at, add: (builder) => builder.add4(v4.word(i), written, at, 1) });
  }
  for (let i = 0; i < v6.count; i++) {
    const [at, written] = [positionOf(v6.metaAt(i)), writtenOf(v6.metaAt(i))];
    const [a, b, c, d] = [0, 1, 2, 3].map((w) => v6.word(4 * i + w)) as [number, number, number, number];
    additions.push({ at, add: (builder) => builder.add6(a, b, c, d, written, at, 1) });
  }
  // Where there is none, its position is -1, which the builder has as well until it gets another.
  additions.push({ at: publicAt, add: (builder) => builder.addRange('public', publicAt) });
  additions.push({ at: anyAt, add: (builder) => builder.addAny(anyAt) });
  return additions;
}
