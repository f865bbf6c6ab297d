import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../src/address.ts';
import { Group, GroupBuilder, newHash, publicly } from '../src/group.ts';
import { readHostPattern, type HostPattern } from '../src/host.ts';
import { maskOf } from '../src/internal/bits.ts';
import { sortInto } from '../src/sort.ts';
import {
  differenceOf,
  follows,
  inIntervals,
  intervalsCover,
  unionOf,
  withoutCovered,
} from '../src/intervals.ts';
import { Conditions } from '../src/list.ts';
import type { Ports } from '../src/ports.ts';
import { Prefix } from '../src/prefix.ts';
import { ranges } from '../src/ranges.ts';
import {
  BARE4,
  BARE6,
  bitsOf4,
  bitsOf6,
  MAPPED4,
  metaOf,
  positionOf,
  writtenOf,
  type Columns,
} from '../src/columns.ts';
import { Table4 } from '../src/table4.ts';
import { Table6 } from '../src/table6.ts';
import { parseAddress } from './oracle.ts';

// The parts below Rules, each against a model that does the same one by one with BigInt.

/** The same numbers in every run: a failure can be looked at again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Pick = (below: number) => number;

/** A prefix in the model: an address with its host bits, and the length. */
interface Plain {
  readonly value: bigint;
  readonly bits: number;
}

const plain = (text: string): Plain => {
  const [address, bits] = text.split('/');
  return { value: parseAddress(address!).value, bits: Number(bits) };
};

/** Everything that differs between the families. */
interface Family {
  readonly name: string;
  readonly width: 1 | 4;
  readonly size: 32 | 128;
  readonly make: (columns: Columns) => Searched;
}

interface Searched {
  readonly table: Table4 | Table6;
  has(value: bigint): boolean;
  matches(value: bigint): number[];
}

const signed = (value: bigint, width: number): number[] =>
  Array.from({ length: width }, (_, w) => Number((value >> BigInt(32 * (width - 1 - w))) & 0xffffffffn) | 0);

const IPV4: Family = {
  name: 'Table4',
  width: 1,
  size: 32,
  make(columns) {
    const table = new Table4(columns);
    return {
      table,
      has: (value) => table.has(Number(value) | 0),
      matches: (value) => table.matches(Number(value) | 0),
    };
  },
};
const IPV6: Family = {
  name: 'Table6',
  width: 4,
  size: 128,
  make(columns) {
    const table = new Table6(columns);
    const four = (value: bigint): [number, number, number, number] =>
      signed(value, 4) as [number, number, number, number];
    return {
      table,
      has: (value) => table.has(...four(value)),
      matches: (value) => table.matches(...four(value)),
    };
  },
};

function columnsOf({ width }: Family, prefixes: readonly Plain[]): Columns {
  return {
    words: Uint32Array.from(prefixes.flatMap(({ value }) => signed(value, width))),
    meta: Uint32Array.from(prefixes.map(({ bits }, at) => metaOf(at, bits))),
    count: prefixes.length,
    shared: undefined,
  };
}

/** First and last address of a prefix. */
function span({ size }: Family, { value, bits }: Plain): [bigint, bigint] {
  const hosts = BigInt(size - bits);
  const start = (value >> hosts) << hosts;
  return [start, start + (1n << hosts) - 1n];
}

/** What a table must answer, prefix by prefix. */
function model(family: Family, prefixes: readonly Plain[]) {
  const spans = prefixes.map((prefix) => span(family, prefix));
  const inside = (i: number, value: bigint): boolean => spans[i]![0] <= value && value <= spans[i]![1];
  const merged: [bigint, bigint][] = [];
  for (const [start, end] of [...spans].sort(([x, a], [y, b]) =>
    x === y ? (a > b ? -1 : 1) : x < y ? -1 : 1,
  )) {
    const last = merged.at(-1);
    if (last === undefined || start > last[1] + 1n) merged.push([start, end]);
    else if (end > last[1]) last[1] = end;
  }
  return {
    spans,
    merged,
    has: (value: bigint): boolean => spans.some((_, i) => inside(i, value)),
    /** The positions of those that contain the address, the shortest first, each once. */
    matches: (value: bigint): number[] => {
      const first = new Map<number, number>();
      spans.forEach((_, i) => {
        const { bits } = prefixes[i]!;
        if (inside(i, value) && !first.has(bits)) first.set(bits, i);
      });
      return [...first].sort(([x], [y]) => x - y).map(([, i]) => i);
    },
  };
}

const valueOf = (words: Uint32Array, at: number, width: number): bigint =>
  Array.from(words.subarray(at, at + width)).reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);

/** Intervals as pairs of numbers. */
function pairs(words: Uint32Array, width: number): [bigint, bigint][] {
  return Array.from({ length: words.length / (2 * width) }, (_, i) => [
    valueOf(words, 2 * width * i, width),
    valueOf(words, 2 * width * i + width, width),
  ]);
}

/** Compares a table with the model at every edge of every prefix, and at `more`. */
function check(family: Family, prefixes: readonly Plain[], more: readonly bigint[] = []): void {
  const expected = model(family, prefixes);
  const { table, has, matches } = family.make(columnsOf(family, prefixes));
  const last = (1n << BigInt(family.size)) - 1n;
  const probes = new Set([...more, 0n, last]);
  prefixes.forEach(({ value }, i) => {
    const [start, end] = expected.spans[i]!;
    for (const probe of [value - 1n, value, value + 1n, start - 1n, start, end, end + 1n]) {
      if (probe >= 0n && probe <= last) probes.add(probe);
    }
  });
  for (const probe of probes) {
    const text = `${family.name} ${probe.toString(16)}`;
    assert.equal(has(probe), expected.has(probe), text);
    const found = matches(probe).map((i) => positionOf(table.metaAt(i)));
    assert.deepEqual(found, expected.matches(probe), text);
  }
  assert.equal(table.count, prefixes.length);
  assert.equal(table.empty, prefixes.length === 0);
  assert.equal(
    table.all,
    prefixes.some(({ bits }) => bits === 0),
  );
  assert.deepEqual(pairs(table.intervals(), family.width), expected.merged);
  // Each prefix is kept once, whole, with its place in the list.
  const kept = Array.from({ length: table.count }, (_, i) => ({
    value: valueOf(
      Uint32Array.from({ length: family.width }, (__, w) => table.word(i * family.width + w)),
      0,
      family.width,
    ),
    bits: writtenOf(table.metaAt(i)),
    at: positionOf(table.metaAt(i)),
  }));
  assert.deepEqual(
    kept.sort((x, y) => x.at - y.at),
    prefixes.map(({ value, bits }, at) => ({ value, bits, at })),
  );
  // How many there are of each depth, the first of equal ones only.
  const counts: number[] = [];
  prefixes.forEach(({ bits }, i) => {
    const around = expected.matches(expected.spans[i]![0]).filter((at) => prefixes[at]!.bits <= bits);
    if (around.at(-1) === i) counts[around.length - 1] = (counts[around.length - 1] ?? 0) + 1;
  });
  let end = 0;
  assert.deepEqual(
    table.depths,
    counts.map((count) => (end += count)),
  );
  for (let i = 0; i < table.count; i++) assert.equal(table.isTop(i), i < counts[0]!);
}

/**
 * `count` prefixes that share their first `shared` bits and no more, none in another.
 * The bits behind those count up from 0 to `count` - 1.
 */
function network({ size }: Family, shared: number, count: number, pick: Pick): Plain[] {
  const digits = 32 - Math.clz32(count - 1);
  let base = 0n;
  for (let i = 0; i < shared; i++) base = (base << 1n) | BigInt(pick(2));
  return Array.from({ length: count }, (_, i) => {
    let value = base;
    // The last has all bits set, so that the first and the last differ in the bit behind.
    const digit = i === count - 1 ? (1 << digits) - 1 : i;
    value = (value << BigInt(digits)) | BigInt(digit);
    const rest = size - shared - digits;
    for (let bit = 0; bit < rest; bit++) value = (value << 1n) | BigInt(pick(2));
    return { value, bits: shared + digits + pick(rest + 1) };
  });
}

const shuffled = <T>(list: readonly T[], pick: Pick): T[] =>
  list
    .map((one) => ({ one, key: pick(1e9) }))
    .sort((x, y) => x.key - y.key)
    .map(({ one }) => one);

for (const family of [IPV4, IPV6]) {
  const { name, size } = family;
  const top = (prefix: string): Plain => plain(prefix);
  const zero: Plain = { value: 0n, bits: 0 };

  describe(name, () => {
    it('of nothing holds nothing', () => check(family, []));

    it('of one prefix holds its addresses', () => {
      for (let bits = 0; bits <= size; bits++) {
        for (const value of [
          0n,
          (1n << BigInt(size)) - 1n,
          0xa5a5a5a5c3c3c3c30f0f0f0f99999999n >> BigInt(128 - size),
        ]) {
          check(family, [{ value, bits }]);
        }
      }
    });

    it('holds everything when the prefix of length 0 is in it, wherever that stands', () => {
      const others = family === IPV4 ? ['10.0.0.0/8', '10.0.0.1/32'] : ['2001:db8::/32', '2001:db8::1/128'];
      for (const prefixes of [[zero], [zero, zero], [zero, ...others.map(top)], [...others.map(top), zero]]) {
        check(family, prefixes);
        check(
          family,
          prefixes.map(({ value, bits }) => ({ value: value + 5n, bits })),
        );
      }
    });

    it('holds what two halves hold, but knows no prefix of everything', () => {
      const half = 1n << BigInt(size - 1);
      const halves = [
        { value: half, bits: 1 },
        { value: 0n, bits: 1 },
      ];
      check(family, halves);
      assert.equal(family.make(columnsOf(family, halves)).table.all, false);
    });

    it('joins what is adjacent and leaves what is one apart', () => {
      const at = (from: bigint, ...lengths: number[]): Plain[] => {
        let value = from;
        return lengths.map((bits) => {
          const one = { value, bits };
          value += 1n << BigInt(size - bits);
          return one;
        });
      };
      for (const edge of family === IPV4
        ? [0n, 0xfffffff0n]
        : [0n, 0xfffffff0n, 0xfffffffffffffff0n, (1n << 96n) - 16n, (1n << 128n) - 16n]) {
        check(family, at(edge, size - 2, size - 2, size - 3));
        check(family, at(edge, size, size, size - 1, size - 2, size - 3));
        check(family, [
          { value: edge + 3n, bits: size },
          { value: edge + 5n, bits: size },
          { value: edge + 15n, bits: size },
        ]);
      }
    });

    it('finds each of thousands of addresses, and none between them', () => {
      for (const count of [2047, 2048, 5000]) {
        const prefixes = Array.from({ length: count }, (_, i) => ({ value: 2n * BigInt(i), bits: size }));
        const { has } = family.make(columnsOf(family, prefixes));
        const held = Array.from({ length: 2 * count + 3 }, (_, i) => i).filter((i) => has(BigInt(i)));
        assert.deepEqual(
          held,
          prefixes.map((_, i) => 2 * i),
        );
      }
    });

    it('has an index behind the bits that nearly all prefixes share, as large as they are many', () => {
      const pick = random(size + 1);
      /** Bits in front of those of the index, and how many it has. */
      const indexOf = (prefixes: readonly Plain[]): [skip: number, bits: number] => {
        const { table } = family.make(columnsOf(family, shuffled(prefixes, pick)));
        const bits = 32 - table['shift'];
        // Nothing but the prefixes, and a place for each value of those bits and one more.
        const words = prefixes.length * (family.width + 1) + (bits === 0 ? 0 : 2 ** bits + 1);
        assert.equal(table['data'].length, words);
        return [table['skip'], bits];
      };
      const sizes = [0, 1, 2, 7, 8, 15, 16, 31, 2047, 2048, 4095, 4096].map((count) => [
        count,
        ...indexOf(count < 2 ? network(family, 3, 2, pick).slice(0, count) : network(family, 3, count, pick)),
      ]);
      assert.deepEqual(sizes, [
        [0, 0, 0],
        [1, 0, 0],
        [2, 0, 0],
        [7, 0, 0],
        [8, 3, 5],
        [15, 3, 5],
        [16, 3, 6],
        [31, 3, 6],
        [2047, 3, 12],
        [2048, 3, 9],
        [4095, 3, 9],
        [4096, 3, 10],
      ]);
      for (let shared = 1; shared <= size - 6; shared++) {
        const own = network(family, shared, 64, pick);
        assert.deepEqual(indexOf(own), [shared, 8]);
        // One in 32 at each end may be far away.
        const highest = (1n << BigInt(size)) - 1n;
        const first = own[0]!.value >> BigInt(size - 1);
        const far = first === 1n ? [0n, 1n] : [highest, highest - 1n];
        assert.deepEqual(indexOf([...own, ...far.map((value) => ({ value, bits: size }))]), [shared, 8]);
      }
    });

    it('keeps each of many near ones when one of them holds two others', () => {
      const pick = random(size + 2);
      const near = Array.from({ length: 240 }, (_, i) => ({
        value: ((BigInt(i % 12) << 28n) + BigInt(Math.floor(i / 12))) << BigInt(size - 32),
        bits: size,
      }));
      check(family, shuffled([...near, { value: near[0]!.value, bits: 31 }], pick));
    });

    it('finds all that are nested in one another, many times over', () => {
      const pick = random(size + 3);
      const nested = Array.from({ length: 60 }, (_, i) =>
        [8, 9, 17, 30, 31, size].map((bits) => ({ value: BigInt(4 * i + 1) << BigInt(size - 8), bits })),
      ).flat();
      check(family, shuffled(nested, pick));
    });

    for (const shape of [
      'alone',
      'with neighbours',
      'with others far away',
      'with half of all addresses far away',
      'with others inside',
    ] as const) {
      it(`finds each prefix of a network ${shape}, whatever bits the network shares`, () => {
        const pick = random(size);
        for (const count of [8, 40, 70]) {
          const digits = 32 - Math.clz32(count - 1);
          for (let shared = 0; shared <= size - digits; shared += count === 40 ? 1 : 9) {
            const own = network(family, shared, count, pick);
            const step = 1n << BigInt(size - shared);
            const { value } = own[0]!;
            const far = [0n, 1n, 2n, 3n].flatMap((n) => [n, (1n << BigInt(size)) - 1n - n]);
            const others: Plain[] = {
              alone: [],
              'with neighbours': [value - step, value + step].map((one) => ({ value: one, bits: size })),
              'with others far away': far.slice(0, 2 + pick(6)).map((one) => ({ value: one, bits: size })),
              // Its bits behind those of the network say nothing about it.
              'with half of all addresses far away':
                shared === 0 ? [] : [{ value: value ^ (1n << BigInt(size - 1)), bits: 1 }],
              'with others inside': own.flatMap(({ value: one, bits }) =>
                pick(3) === 0
                  ? [
                      { value: one, bits },
                      { value: one ^ 1n, bits: bits + pick(size - bits + 1) },
                    ]
                  : [],
              ),
            }[shape];
            const fitting = others.filter(({ value: one }) => one >= 0n && one < 1n << BigInt(size));
            check(
              family,
              shuffled([...own, ...fitting], pick),
              Array.from({ length: 8 }, () => (value ^ (1n << BigInt(pick(size)))) as bigint),
            );
          }
        }
      });
    }
  });
}

describe('Table4.has() behind the last prefix', () => {
  it('takes no other number of the table for an address', () => {
    // In the table, the position and the length stand behind the addresses: 32 is 0.0.0.32 as well.
    check(IPV4, [plain('0.0.0.1/32')], [32n]);
    check(IPV4, [plain('0.0.0.1/32'), plain('0.0.0.2/32')], [32n, 256n + 32n]);
    check(IPV4, [plain('0.0.0.1/8')], [1n << 24n, 8n]);
    check(IPV6, [plain('::1/128')], [128n, 256n, 128n << 96n]);
    check(IPV6, [plain('::1/16'), plain('1::/16')], [128n << 96n, (272n << 96n) + 5n]);
  });
});

describe('the word of a position and a length', () => {
  it('gives both back', () => {
    for (const at of [0, 1, 255, 256, 0xfffffe]) {
      for (const written of [0, 1, 32, 32 | BARE4, 32 | MAPPED4 | BARE4, MAPPED4, 128, BARE6]) {
        const [meta] = Uint32Array.of(metaOf(at, written));
        assert.equal(positionOf(meta!), at);
        assert.equal(writtenOf(meta!), written);
      }
    }
  });

  it('has the length whichever way the prefix was written', () => {
    for (let bits = 0; bits <= 32; bits++) {
      for (const how of [0, MAPPED4, BARE4, MAPPED4 | BARE4])
        assert.equal(bitsOf4(metaOf(77, bits | how)), bits);
    }
    for (let bits = 0; bits <= 128; bits++) assert.equal(bitsOf6(metaOf(77, bits)), bits);
    assert.equal(bitsOf6(metaOf(77, BARE6)), 128);
  });
});

describe('maskOf()', () => {
  it('sets the leading bits of a word, none below 0 and all above 32', () => {
    const masks = [-96, -1, 0, 1, 2, 8, 31, 32, 33, 128].map((bits) => maskOf(bits) >>> 0);
    assert.deepEqual(
      masks,
      [0, 0, 0, 0x80000000, 0xc0000000, 0xff000000, 0xfffffffe, 0xffffffff, 0xffffffff, 0xffffffff],
    );
  });
});

describe('sortInto()', () => {
  /** The words of one prefix after those of another, and their lengths: their numbers, sorted. */
  const sorted = (
    rows: readonly (readonly number[])[],
    width: 1 | 4,
    shared?: number,
    written = (length: number): number => length,
  ): number[] => {
    const words = Uint32Array.from(rows.flatMap((row) => row.slice(0, width)));
    const meta = Uint32Array.from(rows, (row, at) => metaOf(at, written(row[width]!)));
    const data = new Uint32Array(rows.length * (width + 1));
    const base = rows.length * width;
    const given = { words: words.slice(), meta: meta.slice(), base: 0, width };
    sortInto({ words: data, meta: data, base, width }, given, 0, rows.length, shared);
    const order = Array.from(data.subarray(base), positionOf);
    // Each is there as it was given.
    order.forEach((at, i) => {
      assert.deepEqual(
        [...data.subarray(i * width, (i + 1) * width), data[base + i]],
        [...words.subarray(at * width, (at + 1) * width), meta[at]],
      );
    });
    return order;
  };
  const expected = (rows: readonly (readonly number[])[]): number[] =>
    rows
      .map((_, i) => i)
      .sort((x, y) => {
        const [one, other] = [significant(rows[x]!), significant(rows[y]!)];
        const w = one.findIndex((word, i) => word !== other[i]);
        return w === -1 ? x - y : one[w]! - other[w]!;
      });
  /** The words with their host bits left out, and the length. */
  const significant = (row: readonly number[]): number[] => {
    const length = row.at(-1)!;
    return row.map((word, w) =>
      w === row.length - 1 ? word : Math.floor(word / 2 ** hostBits(length, w)) * 2 ** hostBits(length, w),
    );
  };
  const hostBits = (length: number, w: number): number => Math.min(32, Math.max(0, 32 * (w + 1) - length));

  for (const width of [1, 4] as const) {
    it(`sorts by each byte of each of ${width} words, the first most, then by length`, () => {
      const pick = random(width);
      // More than 24 are sorted by digits.
      for (const count of [2, 20, 24, 25, 26, 60, 4096]) {
        for (let word = 0; word <= width; word++) {
          for (let shift = 0; shift < (word === width ? 8 : 32); shift += 8) {
            const rows = Array.from({ length: count }, () =>
              Array.from({ length: width + 1 }, (_, w) =>
                w === word
                  ? w === width
                    ? pick(32 * width + 1)
                    : (pick(256) << shift) >>> 0
                  : w === width
                    ? 32 * width
                    : 7,
              ),
            );
            assert.deepEqual(sorted(rows, width), expected(rows));
          }
        }
      }
    });

    it(`sorts many of ${width} words that share bits, whether it is said or not`, () => {
      const pick = random(width + 20);
      // Runs of the same digits as long as are sorted by insertion, and longer; others far away.
      for (const run of [23, 24, 25, 26, 70]) {
        for (const far of [0, 1, 3]) {
          const rows = Array.from({ length: run * 12 }, (_, i) => {
            const words = Array.from({ length: width }, (_, w) =>
              w === width - 1 ? ((i % 12) * 0x10000000 + pick(width === 1 ? 32 : 40_000)) >>> 0 : 0x20010db8,
            );
            return [...words, 32 * width - pick(3)];
          });
          for (let i = 0; i < far; i++) rows[pick(rows.length)]![0] = 0x80000000 + i;
          assert.deepEqual(sorted(rows, width), expected(rows));
          assert.deepEqual(sorted(rows, width, 0), expected(rows));
        }
      }
    });

    it(`sorts each run of the same first bits of ${width} words by the bits behind and the length`, () => {
      const pick = random(width + 30);
      const rows = Array.from({ length: 240 }, (_, i) => {
        const words = [(i % 8) * 0x20000000 + (width === 1 ? 8 * pick(2) : 0)];
        if (width === 4) words.push(pick(2) * 0x800000, pick(32) * 0x1000000, 0);
        return [...words, 32 * width - pick(3)];
      });
      assert.deepEqual(sorted(rows, width), expected(rows));
    });

    it(`sorts a run of ${width} words that are all 0 in their first bits, and ends with the last`, () => {
      const rows = Array.from({ length: 32 }, (_, i) => [
        ...Array<number>(width - 1).fill(0),
        31 - i,
        32 * width,
      ]);
      assert.deepEqual(sorted(rows, width, 0), expected(rows));
    });

    it(`sorts by the length of ${width} words however a prefix was written`, () => {
      const pick = random(width + 40);
      const rows = Array.from({ length: 300 }, () => [
        ...Array.from({ length: width }, (_, w) => (w === width - 1 ? pick(2 ** 32) : 1)),
        32 * width - pick(28),
      ]);
      const ways =
        width === 1
          ? [0, MAPPED4, BARE4, MAPPED4 | BARE4].map((how) => (length: number) => length | how)
          : [(length: number) => (length === 128 ? BARE6 : length)];
      for (const way of ways) assert.deepEqual(sorted(rows, width, undefined, way), expected(rows));
    });

    it(`sorts runs of equal words of ${width} by what follows, as they stood where nothing does`, () => {
      const pick = random(width + 10);
      for (const kinds of [1, 2, 3]) {
        for (let round = 0; round < 10; round++) {
          const rows = Array.from({ length: 90 }, () =>
            Array.from({ length: width + 1 }, (_, w) =>
              w === width
                ? [32 * width, 32 * width - 1, 5][pick(kinds)]!
                : [0, 0xffffffff, 0x01000001][pick(kinds)]!,
            ),
          );
          assert.deepEqual(sorted(rows, width), expected(rows));
        }
      }
    });
  }
});

describe('GroupBuilder of many prefixes', () => {
  for (const family of [IPV4, IPV6]) {
    const { size } = family;
    const build = (prefixes: readonly Plain[]): Table4 | Table6 => {
      const builder = new GroupBuilder();
      prefixes.forEach(({ value, bits }, at) => {
        const [a, b, c, d] = signed(value, family.width) as [number, number, number, number];
        if (family === IPV4) builder.add4(a, bits, at, 1);
        else builder.add6(a, b, c, d, bits, at, 1);
      });
      const group = builder.build();
      return family === IPV4 ? group.v4 : group.v6;
    };
    for (const shared of [0, 1, 8, 20, 27]) {
      for (const [shape, others] of [
        ['alone', []],
        ['with shorter ones around them', [0, 1, 5, 8, 19, 26, 28]],
      ] as const) {
        it(`arranges ${family.name} as if nothing were known when the first ${shared} bits are the same, ${shape}`, () => {
          const pick = random(size + shared);
          const own = network(family, shared, 30, pick);
          const around = others.map((bits) => ({ value: own[pick(30)]!.value, bits }));
          const far = [{ value: own[0]!.value ^ (1n << BigInt(size - 1)), bits: size }];
          for (const more of [around, [...around, ...around], [...around, ...far]]) {
            const prefixes = shuffled([...own, ...more], pick);
            const table = build(prefixes);
            const { table: expected } = family.make(columnsOf(family, prefixes));
            assert.deepEqual(table['data'], expected['data']);
            assert.deepEqual(table.depths, expected.depths);
          }
        });
      }
    }
  }
});

/** The intervals that the ones among the bits of a number make: 0b1011 is 0 to 1 and 3. */
function runs(set: number): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < 31; i++) {
    if (((set >> i) & 1) === 0) continue;
    if (found.at(-1)?.[1] === i - 1) found.at(-1)![1] = i;
    else found.push([i, i]);
  }
  return found;
}

/** Small numbers as addresses in the same order: in one word, or spread over two of four. */
const spreads: readonly ((n: number) => number[])[] = [
  (n) => [n],
  (n) => [0xf0000000 + n],
  (n) => [n, 9, 9, 9],
  (n) => [0xffffffff, n, 9, 9],
  (n) => [9, 9, n >> 1, (n & 1) * 0xffffffff],
  (n) => [n >> 1, 0, 0, n & 1],
  (n) => [0, 0, 0, n],
];
const SETS = Array.from({ length: 64 }, (_, set) => set);

describe('follows()', () => {
  it('knows the next address, across all words', () => {
    const M = 0xffffffff;
    const cases: [x: number[], y: number[], boolean][] = [
      [[0, 0, 0, 0], [0, 0, 0, 1], true],
      [[0, 0, 0, 0], [0, 0, 0, 0], false],
      [[0, 0, 0, 0], [0, 0, 0, 2], false],
      [[0, 0, 0, 1], [0, 0, 0, 0], false],
      [[1, 2, 3, 4], [1, 2, 3, 5], true],
      [[1, 2, 3, 4], [0, 2, 3, 5], false],
      [[1, 2, 3, 4], [2, 2, 3, 5], false],
      [[1, 2, 3, 4], [1, 1, 3, 5], false],
      [[1, 2, 3, 4], [1, 3, 3, 5], false],
      [[1, 2, 3, 4], [1, 2, 4, 5], false],
      [[0, 0, 0, M], [0, 0, 1, 0], true],
      [[0, 0, 0, M], [0, 0, 0, 0], false],
      [[0, 0, M, M], [0, 1, 0, 0], true],
      [[0, 0, M, M], [0, 1, M, 0], false],
      [[0, 0, M, M], [0, 0, 0, 0], false],
      [[0, M, M, M], [1, 0, 0, 0], true],
      [[7, M, M, M], [8, 0, 0, 0], true],
      [[7, M, M, M], [7, 0, 0, 0], false],
      // A word of all ones carries only what is carried to it.
      [[0, 0, M, 5], [0, 0, M, 6], true],
      [[0, 0, M, 5], [0, 1, 0, 6], false],
      [[0, M, 0, 5], [0, M, 0, 6], true],
      [[0, M, 0, 5], [1, M, 0, 6], false],
      [[M, 0, 0, 5], [M, 0, 0, 6], true],
      // Nothing follows the last address.
      [[M, M, M, M], [0, 0, 0, 0], false],
    ];
    for (const [x, y, expected] of cases) {
      assert.equal(follows(Uint32Array.from([5, ...x, 5, 5, ...y]), 1, 7), expected, `${x} ${y}`);
    }
  });
});

for (const spread of spreads) {
  const width = spread(0).length as 1 | 4;
  const flat = (set: number): Uint32Array =>
    Uint32Array.from(runs(set).flatMap(([from, to]) => [...spread(from), ...spread(to)]));

  describe(`intervals of numbers such as ${spread(5).join('.')}`, () => {
    it('intervalsCover() knows subsets', () => {
      const wrong = SETS.flatMap((outer) =>
        SETS.filter(
          (inner) => intervalsCover(flat(outer), flat(inner), width) !== ((inner & ~outer) === 0),
        ).map((inner) => ({ outer, inner })),
      );
      assert.deepEqual(wrong, []);
    });

    it('inIntervals() finds the interval that contains all of another', () => {
      for (const set of SETS) {
        for (let from = 0; from < 6; from++) {
          for (let to = from; to < 6; to++) {
            const inside = runs(set).some(([first, last]) => first <= from && to <= last);
            assert.equal(inIntervals(flat(set), spread(from), spread(to)), inside, `${set} ${from} ${to}`);
          }
        }
      }
    });

    if (width === 4) return;
    it('withoutCovered() leaves the intervals that are not inside one of the others', () => {
      for (const inner of SETS) {
        for (const outer of SETS) {
          const left = runs(inner).filter(
            ([from, to]) => !runs(outer).some(([first, last]) => first <= from && to <= last),
          );
          assert.deepEqual(
            Array.from(withoutCovered(flat(inner), flat(outer))),
            left.flatMap(([from, to]) => [...spread(from), ...spread(to)]),
          );
        }
      }
    });
  });
}

/** Small numbers as addresses that follow one another as they do. */
const adjacent: readonly (readonly [name: string, spread: (n: number) => number[]])[] = [
  ['the first of IPv4', (n) => [n]],
  ['the last of IPv4', (n) => [(0xfffffffa + n) >>> 0]],
  ['the first of IPv6', (n) => [0, 0, 0, n]],
  ['the last of IPv6', (n) => [0xffffffff, 0xffffffff, 0xffffffff, (0xfffffffa + n) >>> 0]],
  ['of IPv6 across two words', (n) => [7, 7, n < 3 ? 6 : 7, (0xfffffffd + n) >>> 0]],
  [
    'of IPv6 across all words',
    (n) => (n < 3 ? [6, 0xffffffff, 0xffffffff, 0xfffffffd + n] : [7, 0, 0, n - 3]),
  ],
];

for (const [name, spread] of adjacent) {
  const width = spread(0).length as 1 | 4;
  const flat = (set: number): Uint32Array =>
    Uint32Array.from(runs(set).flatMap(([from, to]) => [...spread(from), ...spread(to)]));
  describe(`intervals of addresses, ${name}`, () => {
    it('unionOf() has what is in one of the lists, adjacent ones as one', () => {
      for (const x of SETS) {
        for (const y of SETS) {
          assert.deepEqual(unionOf([flat(x), flat(y)], width), flat(x | y), `${x} ${y}`);
        }
        assert.deepEqual(unionOf([flat(x), flat(0), flat(63 - x), flat(21)], width), flat(63), String(x));
        assert.deepEqual(unionOf([flat(x)], width), flat(x));
      }
      assert.deepEqual(unionOf([], width), flat(0));
    });

    it('unionOf() takes intervals of one list that stand beside each other', () => {
      const apart = Uint32Array.from([...spread(0), ...spread(1), ...spread(2), ...spread(3)]);
      assert.deepEqual(unionOf([apart, flat(32)], width), flat(32 + 15));
    });

    it('differenceOf() has what is in the first list and not in the other', () => {
      for (const x of SETS) {
        for (const y of SETS) {
          assert.deepEqual(differenceOf(flat(x), flat(y), width), flat(x & ~y), `${x} ${y}`);
        }
      }
    });
  });
}

/** A group of prefixes, bare addresses, range names and `*` (an entry without a prefix), in this order. */
function groupOf(...entries: readonly string[]): Group {
  const builder = new GroupBuilder();
  entries.forEach((entry, at) => {
    if (entry === '*') builder.addAny(at);
    else if (entry in ranges) builder.addRange(entry as keyof typeof ranges, at);
    else if (entry.includes('/')) builder.addPrefix(Prefix.parse(entry), false, at);
    else builder.addPrefix(Prefix.of(Address.parse(entry)), true, at);
  });
  return builder.build();
}

const has = (group: Group, text: string): boolean => {
  const { family, words } = Address.parse(text);
  const [a, b, c, d] = words.map((word) => word | 0) as [number, number, number, number];
  return family === 4 ? group.has4(d) : group.has6(a, b, c, d);
};
const found = (group: Group, text: string): string[] => {
  const { family, words } = Address.parse(text);
  const [a, b, c, d] = words.map((word) => word | 0) as [number, number, number, number];
  return (family === 4 ? group.matches4(d) : group.matches6(a, b, c, d))
    .sort((x, y) => x.at - y.at)
    .map(({ at, text: written }) => `${at} ${written}`);
};

describe('Group', () => {
  it('keeps each prefix as it was written, in the table of its family', () => {
    const entries = [
      '10.1.2.3/8',
      '10.1.2.3',
      '::ffff:10.1.2.3/104',
      '::ffff:10.1.2.3',
      '::ffff:10.1.2.3/128',
      '::ffff:9.9.9.9/96',
      '::ffff:8.8.8.8/95',
      '::1',
      '::1/128',
      '2001:db8::1/32',
      '0.0.0.0/0',
      '::/0',
    ];
    const group = groupOf(...entries);
    const texts: string[] = [];
    group.writeTexts(texts);
    assert.deepEqual(texts, entries);
    assert.equal(group.v4.count, 7);
    assert.equal(group.v6.count, 5);
    assert.deepEqual(found(group, '10.1.2.3'), ['0 10.1.2.3/8', '1 10.1.2.3', '5 ::ffff:9.9.9.9/96']);
    assert.deepEqual(found(group, '::1'), ['7 ::1', '11 ::/0']);
    assert.deepEqual(found(groupOf('::ffff:10.0.0.0/104'), '10.255.0.1'), ['0 ::ffff:10.0.0.0/104']);
    assert.deepEqual(found(groupOf('::ffff:10.0.0.0/104'), '11.0.0.0'), []);
    assert.deepEqual(found(groupOf('::ffff:10.0.0.0'), '10.0.0.0'), ['0 ::ffff:10.0.0.0']);
    assert.deepEqual(found(groupOf('::ffff:10.0.0.0/95'), '::fffe:1.2.3.4'), ['0 ::ffff:10.0.0.0/95']);
    assert.deepEqual(found(groupOf('::ffff:10.0.0.0/95'), '10.0.0.0'), []);
  });

  it('finds the range public and entries without a prefix at the place of the first of them', () => {
    for (const [address, word] of [
      ['8.8.8.8', '8.8.8.8/32'],
      ['2606:4700::1', '2606:4700::1/128'],
    ] as const) {
      assert.deepEqual(found(groupOf('public', 'public'), address), ['0 undefined']);
      assert.deepEqual(found(groupOf('*', '*'), address), ['0 undefined']);
      assert.deepEqual(found(groupOf(word, '*', 'public', '*', 'public'), address), [
        `0 ${word}`,
        '1 undefined',
        '2 undefined',
      ]);
    }
    for (const address of ['10.0.0.1', 'fc00::1']) {
      assert.deepEqual(found(groupOf('public'), address), []);
      assert.deepEqual(found(groupOf('public', '*'), address), ['1 undefined']);
      assert.deepEqual(found(groupOf('private', 'public'), address).length, 1);
    }
  });

  it('has what one of its entries has', () => {
    const addresses = ['8.8.8.8', '10.0.0.1', '2606:4700::1', 'fc00::1'];
    const cases: [entries: string[], expected: boolean[]][] = [
      [[], [false, false, false, false]],
      [['public'], [true, false, true, false]],
      [
        ['10.0.0.0/8', 'public'],
        [true, true, true, false],
      ],
      [['private'], [false, true, false, true]],
      [['*'], [true, true, true, true]],
      [['10.0.0.0/8'], [false, true, false, false]],
      [
        ['fc00::/7', 'public'],
        [true, false, true, true],
      ],
    ];
    for (const [entries, expected] of cases) {
      const group = groupOf(...entries);
      assert.deepEqual(
        addresses.map((address) => has(group, address)),
        expected,
        entries.join(),
      );
    }
    // By name: the range public is not asked.
    assert.equal(groupOf('public').hasByName6(0x26064700, 0, 0, 1), false);
    assert.equal(groupOf('public', '2606::/16').hasByName6(0x26064700, 0, 0, 1), true);
    assert.equal(groupOf('*').hasByName6(0x26064700, 0, 0, 1), true);
  });

  it('is empty without entries only, and everything only for both families', () => {
    const cases: [entries: string[], empty: boolean, all: boolean][] = [
      [[], true, false],
      [['10.0.0.0/8'], false, false],
      [['fc00::/7'], false, false],
      [['public'], false, false],
      [['10.0.0.0/8', 'public'], false, false],
      [['*'], false, true],
      [['10.0.0.0/8', '*'], false, true],
      [['0.0.0.0/0'], false, false],
      [['::/0'], false, false],
      [['0.0.0.0/0', '::/0'], false, true],
      [['::ffff:0:0/96', '::/0'], false, true],
    ];
    for (const [entries, empty, all] of cases) {
      assert.equal(groupOf(...entries).within(groupOf()), empty, entries.join());
      assert.equal(groupOf(...entries).all, all, entries.join());
    }
  });

  it('has every port without ports, and otherwise its own, the unknown one only where that is asked', () => {
    const anyPort = new GroupBuilder().build();
    const web = new GroupBuilder().build(undefined, [
      [80, 80],
      [443, 444],
    ]);
    for (const port of [undefined, 0, 80]) {
      assert.equal(anyPort.fits(port, false), true);
      assert.equal(anyPort.fits(port, true), true);
    }
    for (const [port, expected] of [
      [79, false],
      [80, true],
      [81, false],
      [443, true],
      [444, true],
      [445, false],
      [0, false],
    ] as const) {
      assert.equal(web.fits(port, false), expected);
      assert.equal(web.fits(port, true), expected);
    }
    assert.equal(web.fits(undefined, false), false);
    assert.equal(web.fits(undefined, true), true);
    assert.equal(anyPort.host, undefined);
  });

  it('is within another that has all its addresses', () => {
    const cases: [inner: string[], outer: string[], within: boolean][] = [
      [[], [], true],
      [[], ['10.0.0.0/8'], true],
      [['10.0.0.0/8'], [], false],
      [['10.0.0.0/8'], ['10.0.0.0/8'], true],
      [['10.0.0.0/8'], ['10.0.0.0/9'], false],
      [['10.0.0.0/8'], ['10.128.0.0/9', '10.0.0.0/9'], true],
      [['10.0.0.0/8', '11.0.0.0/8'], ['10.0.0.0/8'], false],
      [['10.0.0.0/8', '11.0.0.0/8'], ['10.0.0.0/7'], true],
      [['10.0.0.0/8', 'fc00::/7'], ['10.0.0.0/8'], false],
      [['10.0.0.0/8', 'fc00::/7'], ['fc00::/7'], false],
      [['10.0.0.0/8', 'fc00::/7'], ['fc00::/7', '10.0.0.0/8'], true],
      [['fc00::/8'], ['fc00::/7'], true],
      [['fc00::/7'], ['fc00::/8'], false],
      [['fc00::/7'], ['0.0.0.0/0'], false],
      [['*'], ['*'], true],
      [['*'], ['0.0.0.0/0', '::/0'], true],
      [['*'], ['0.0.0.0/0'], false],
      [['*'], ['public'], false],
      [['public'], ['*'], true],
      [['10.0.0.0/8', 'fc00::/7'], ['*'], true],
      [['public'], ['public'], true],
      [['public'], ['10.0.0.0/8', 'public'], true],
      [['public', '10.0.0.0/8'], ['public'], false],
      [['public', '10.0.0.0/8'], ['10.0.0.0/8', 'public'], true],
      [['public'], ['10.0.0.0/8'], false],
      [['public'], ['0.0.0.0/0'], false],
      [['public'], ['::/0'], false],
      [['public'], ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'], true],
      [['public'], ['0.0.0.0/0', '2000::/3'], false],
      [['public'], ['0.0.0.0/0', '2000::/3', '64:ff9b::/96'], true],
      [['8.8.8.8/32'], ['public'], true],
      [['8.8.8.8/32', '10.0.0.1'], ['public'], false],
      [['8.8.8.8/32', '10.0.0.1'], ['public', '10.0.0.0/8'], true],
      [['2606:4700::/32'], ['public'], true],
      [['*'], ['0.0.0.0/1', '128.0.0.0/1', '::/0'], true],
    ];
    for (const [inner, outer, within] of cases) {
      assert.equal(groupOf(...inner).within(groupOf(...outer)), within, `${inner} in ${outer}`);
    }
  });

  it('shares one empty table for a family that has no prefix', () => {
    const [none, ipv4, ipv6] = [groupOf(), groupOf('10.0.0.0/8'), groupOf('::1')];
    assert.equal(none.v4, ipv6.v4);
    assert.equal(none.v6, ipv4.v6);
    assert.notEqual(none.v4, ipv4.v4);
    assert.notEqual(none.v6, ipv6.v6);
  });

  it('keeps all of many prefixes, however many were expected', () => {
    for (const hint of [0, 1, 3, 4, 5, 1000]) {
      for (const count of [1, 3, 4, 5, 8, 9, 100]) {
        const builder = new GroupBuilder();
        for (let i = 0; i < count; i++) {
          builder.add4(0x0a000000 + i, 32 | BARE4, 2 * i, hint);
          builder.add6(0x10002, 0x30004, 0x50006, 0x70001 + i, BARE6, 2 * i + 1, hint);
        }
        const texts: string[] = [];
        builder.build().writeTexts(texts);
        const expected = Array.from({ length: count }, (_, i) => [
          `10.0.0.${i}`,
          `1:2:3:4:5:6:7:${(1 + i).toString(16)}`,
        ]).flat();
        assert.deepEqual(texts, expected);
      }
    }
  });
});

describe('Group.addTo()', () => {
  const digest = (...entries: string[]): string => {
    const hash = newHash();
    groupOf(...entries).addTo(hash);
    return hash.digest('hex');
  };
  const inOneHash = (...groups: string[][]): string => {
    const hash = newHash();
    for (const entries of groups) groupOf(...entries).addTo(hash);
    return hash.digest('hex');
  };

  it('is the same for the same addresses', () => {
    const same = (...lists: string[][]): void => {
      for (const list of lists) assert.equal(digest(...list), digest(...lists[0]!), list.join());
    };
    same(
      ['10.0.0.0/8', '11.0.0.0/8'],
      ['11.0.0.0/8', '10.0.0.0/8'],
      ['10.0.0.0/7'],
      ['10.1.2.3/7', '11.0.0.1'],
    );
    same(['fc00::/7'], ['fc00::/8', 'fd00::/8'], ['fd00::/8', 'fc00::/8', 'fd00::1']);
    same(['*'], ['*', '10.0.0.0/8'], ['fc00::/7', '*', '*'], ['*', '8.8.8.8']);
    same(['public'], ['public', '8.8.8.8'], ['8.8.0.0/16', '9.9.9.9', 'public']);
    same(['public', '10.0.0.0/8'], ['8.8.8.8', '10.0.0.0/9', 'public', '10.128.0.0/9']);
  });

  it('differs where the addresses do', () => {
    const lists = [
      [],
      ['10.0.0.0/8'],
      ['10.0.0.0/9'],
      ['fc00::/7'],
      ['10.0.0.0/8', 'fc00::/7'],
      ['*'],
      ['public'],
      ['public', '10.0.0.0/8'],
      ['public', '2606:4700::1'],
      ['8.8.8.8'],
      ['0.0.0.0/0', '::/0'],
    ];
    assert.equal(new Set(lists.map((list) => digest(...list))).size, lists.length);
    assert.equal(digest('*', 'public'), digest('*'));
  });

  it('tells two groups after one another from two others', () => {
    const lists = [
      [[], ['*']],
      [['*'], []],
      [['public'], []],
      [[], ['public']],
      [['*'], ['public']],
    ];
    assert.equal(new Set(lists.map((groups) => inOneHash(...groups))).size, lists.length);
  });

  it('hashes what the group has besides prefixes, how many words, and the words', () => {
    const parts = (...entries: string[]): unknown[] => {
      const given: unknown[] = [];
      const recorder = {
        update(part: string | Uint32Array) {
          given.push(typeof part === 'string' ? part : Array.from(part));
          return recorder;
        },
      };
      groupOf(...entries).addTo(recorder as never);
      return given;
    };
    assert.deepEqual(parts(), [' ', ' 0 0 ', [], []]);
    assert.deepEqual(parts('10.0.0.0/8'), [' ', ' 2 0 ', [0x0a000000, 0x0affffff], []]);
    assert.deepEqual(parts('::2/127'), [' ', ' 0 8 ', [], [0, 0, 0, 2, 0, 0, 0, 3]]);
    assert.deepEqual(parts('8.8.8.8', 'public'), [' public', ' 0 0 ', [], []]);
    assert.deepEqual(parts('public', '10.0.0.1'), [' public', ' 2 0 ', [0x0a000001, 0x0a000001], []]);
    assert.deepEqual(parts('10.0.0.1', '*'), ['any ']);
    assert.deepEqual(parts('public', '*'), ['any ']);
  });
});

describe('Conditions.namesFor()', () => {
  it('is the same for two hosts when they have the same groups, and for no others', () => {
    const patterns = ['a.test', 'ba.test', '*.a.test', '*.b.a.test', '*.b.test', 'c'];
    const conditions = new Conditions(
      [undefined, ...patterns, 'a.test'].map((text) =>
        new GroupBuilder().build(text === undefined ? undefined : (readHostPattern(text) as HostPattern)),
      ),
    );
    // Some end in the text of a pattern, and are not below it.
    const names = ['', 'x.', 'y.', 'a', 'b.', 'x.b.', 'x.y.b.', '*.'].map((before) => `${before}a.test`);
    const hosts = [...names, 'b.test', 'x.b.test', 'xb.test', '*.b.test', 'c', 'd', 'x.c', 'x.d'];
    const groupsOf = (host: string): string =>
      conditions
        .ofHost(host, false)
        .map((group) => conditions.all.indexOf(group))
        .join();
    for (const one of hosts) {
      for (const other of hosts) {
        const same = groupsOf(one) === groupsOf(other);
        assert.equal(conditions.namesFor(one) === conditions.namesFor(other), same, `${one} ${other}`);
      }
    }
  });
});

describe('Conditions.ofHost() when the host is not known', () => {
  it('gives a group itself when it is the only one of its ports: what it holds is not copied', () => {
    const groupFor = (host: string, ports?: Ports): Group =>
      new GroupBuilder().build(readHostPattern(host) as HostPattern, ports);
    const alone = groupFor('a.test', [[22, 22]]);
    const conditions = new Conditions([groupFor('b.test'), alone, groupFor('c.test')]);
    const found = conditions.ofHost(undefined, true);
    assert.equal(found.length, 2);
    assert.ok(found.includes(alone));
  });
});

describe('publicly()', () => {
  it('has the prefixes of the range public, compiled once', () => {
    const { v4, v6 } = publicly();
    assert.equal(publicly().v4, v4);
    assert.equal(v4.count + v6.count, ranges.public.length);
    const group = groupOf();
    assert.equal(group.within(groupOf('192.0.2.0/24')), true);
    const texts = Array.from({ length: v4.count }, (_, i) => {
      const address = Address.fromWord(v4.word(i));
      return `${address}/${writtenOf(v4.metaAt(i))}`;
    });
    assert.deepEqual(texts.sort(), ranges.public.filter((text) => !text.includes(':')).sort());
    for (let i = 0; i < v6.count; i++) assert.notEqual(writtenOf(v6.metaAt(i)), BARE6);
  });
});

describe('Table4 of mapped prefixes', () => {
  it('holds every address of a wide one, wherever it is in the index', () => {
    const small = Array.from({ length: 8 }, (_, i) => plain(`10.${i}.0.0/16`));
    const given = columnsOf(IPV4, [plain('128.0.0.0/1'), ...small]);
    given.meta[0] = metaOf(0, 1 | MAPPED4);
    const table = new Table4(given);
    for (const text of ['128.0.0.0', '160.1.2.3', '255.255.255.255', '10.7.0.1']) {
      assert.equal(table.has(Number(parseAddress(text).value) | 0), true, text);
    }
    for (const text of ['127.255.255.255', '0.0.0.0', '10.8.0.0']) {
      assert.equal(table.has(Number(parseAddress(text).value) | 0), false, text);
    }
  });
});
