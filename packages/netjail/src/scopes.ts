import type { Intervals } from './group.ts';
import { differenceOf } from './intervals.ts';
import type { Layer } from './layer.ts';

/** How many addresses of the smallest scope are tried before all lists are compared. */
const TRIED = 64;

/** The mapped addresses, ::ffff:0:0/96, as a prefix of IPv6 has them: each is judged as the IPv4 address that it is. */
const MAPPED: Uint32Array = Uint32Array.of(0, 0, 0xffff, 0, 0, 0, 0xffff, 0xffffffff);

/** Whether an address can pass all of these scopes, as far as that is the same for every host and port. */
export function scopesMeet(layers: readonly Layer[]): boolean {
  const fixed = layers.filter((layer) => !layer.conditional);
  if (fixed.length < 2) return true;
  const [smallest, ...others] = fixed.sort((x, y) => sizeOf(x) - sizeOf(y)) as [Layer, ...Layer[]];
  const { v4, v6 } = smallest.open();
  const open = { v4, v6: differenceOf(v6, MAPPED, 4) };
  // Most often one of its first addresses tells, and the intervals of long lists need not be made.
  return firstPass(open, others) || haveCommon(open, others);
}

function sizeOf({ allow, block }: Layer): number {
  return allow.length + block.length;
}

function firstPass({ v4, v6 }: Intervals, layers: readonly Layer[]): boolean {
  for (let i = 0; i < v4.length && i < 2 * TRIED; i += 2) {
    if (layers.every((layer) => layer.accepts4(v4[i]! | 0, undefined))) return true;
  }
  for (let i = 0; i < v6.length && i < 8 * TRIED; i += 8) {
    const [a, b, c, d] = [v6[i]! | 0, v6[i + 1]! | 0, v6[i + 2]! | 0, v6[i + 3]! | 0] as const;
    if (layers.every((layer) => layer.accepts6(a, b, c, d, undefined))) return true;
  }
  return false;
}

function haveCommon(open: Intervals, layers: readonly Layer[]): boolean {
  const { v4, v6 } = layers.reduce((common, layer) => layer.partOf(common), open);
  return v4.length > 0 || v6.length > 0;
}
