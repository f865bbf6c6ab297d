import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { metaOf, positionOf } from '../src/columns.ts';
import { maskOf } from '../src/internal/bits.ts';
import { sortInto } from '../src/sort.ts';
import { Rules } from '../src/rules.ts';
import { accepts, contains, parseAddress, unmap } from './oracle.ts';

/** The same numbers in every run: a failure can be looked at again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Pick = (below: number) => number;
const hex = (pick: Pick): string => pick(65_536).toString(16);
const quad = (pick: Pick): string => `${pick(256)}.${pick(256)}.${pick(256)}.${pick(256)}`;
const eight = (pick: Pick): string => Array.from({ length: 8 }, () => hex(pick)).join(':');

/** Where the addresses of a list lie: an index must not care. */
const shapes: [name: string, ipv4: (pick: Pick) => string, ipv6: (pick: Pick) => string][] = [
  ['all over the space', quad, eight],
  [
    'in one network',
    (pick) => `10.7.${pick(256)}.${pick(256)}`,
    (pick) => `2001:db8:7:${hex(pick)}:${hex(pick)}::${hex(pick)}`,
  ],
  ['in one small network', (pick) => `10.7.7.${pick(256)}`, (pick) => `2001:db8::${hex(pick)}:${hex(pick)}`],
  [
    'in one network, with others far away',
    (pick) => (pick(20) === 0 ? quad(pick) : `10.7.${pick(256)}.${pick(256)}`),
    (pick) => (pick(20) === 0 ? eight(pick) : `2001:db8:7:7:7:7:${hex(pick)}:${hex(pick)}`),
  ],
  [
    'at both ends',
    (pick) => `${pick(2) * 255}.${pick(2) * 255}.${pick(2) * 255}.${pick(256)}`,
    (pick) => (pick(2) === 0 ? `::${hex(pick)}` : `ffff:ffff:ffff:ffff:ffff:ffff:ffff:${hex(pick)}`),
  ],
];

describe('Rules of many prefixes', () => {
  for (const [name, ipv4, ipv6] of shapes) {
    for (const size of [7, 8, 9, 24, 25, 200, 1500]) {
      it(`answer as the oracle for ${size} prefixes ${name}`, () => {
        const pick = random(size);
        const block = Array.from({ length: size }, () =>
          pick(2) === 0 ? `${ipv4(pick)}/${9 + pick(24)}` : `${ipv6(pick)}/${17 + pick(112)}`,
        );
        const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'], block });
        assert.deepEqual(rules.block.length, size);
        for (let i = 0; i < 120; i++) {
          const near = block[pick(size)]!.split('/')[0]!;
          const address = [near, ipv4(pick), ipv6(pick), quad(pick)][i % 4]!;
          const verdict = rules.judge(address);
          assert.equal(rules.accept(address), accepts(['0.0.0.0/0', '::/0'], block, address), address);
          assert.equal(verdict.allowed, rules.accept(address));
          if (verdict.reason === 'blocked') {
            const first = block.find((prefix) => contains(prefix, unmap(parseAddress(address))))!;
            const [at, bits] = first.split('/');
            assert.equal(verdict.entry, `${new Rules({ allow: [at!] }).allow[0]}/${bits}`);
          }
        }
      });
    }
  }

  it('keep the order and the text of what was written', () => {
    const pick = random(1);
    const block = Array.from({ length: 5000 }, () =>
      [
        `${quad(pick)}/${pick(33)}`,
        quad(pick),
        `::ffff:${quad(pick)}/${96 + pick(33)}`,
        `::ffff:${quad(pick)}`,
        'private',
        `2001:db8:${1 + pick(9)}::${1 + pick(9)}/${pick(129)}`,
        '::1',
      ].at(pick(7))!,
    );
    const rules = new Rules({ allow: ['::/0'], block });
    assert.deepEqual(rules.block, block);
    assert.equal(rules.toString(), `ALLOW ::/0, BLOCK ${block.join(' ')}`);
    assert.deepEqual(rules.toJSON().block, block);
    assert.equal(Rules.parse(rules.toString()).id, rules.id);
  });

  it('have the same id when a list is shuffled, nested entries are added, or prefixes are split', () => {
    const pick = random(2);
    const block = Array.from({ length: 2000 }, () => `${quad(pick)}/${12 + pick(10)}`);
    const { id } = new Rules({ allow: ['public'], block });
    const shuffled = block
      .map((prefix) => ({ prefix, key: pick(1e9) }))
      .sort((x, y) => x.key - y.key)
      .map(({ prefix }) => prefix);
    const nested = block.map((prefix) => prefix.replace(/\/.*/, '/32'));
    assert.equal(new Rules({ allow: ['public'], block: shuffled }).id, id);
    assert.equal(new Rules({ allow: ['public'], block: [...nested, ...shuffled] }).id, id);
    assert.equal(new Rules({ allow: ['public', '8.8.8.8'], block }).id, id);
    assert.notEqual(new Rules({ allow: ['public'], block: block.slice(1) }).id, id);
    const halves = (whole: string, first: string, second: string): void =>
      assert.equal(new Rules({ allow: [whole] }).id, new Rules({ allow: [second, first] }).id);
    halves('10.0.0.0/8', '10.0.0.0/9', '10.128.0.0/9');
    halves('0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1');
    halves('2001:db8::/32', '2001:db8::/33', '2001:db8:8000::/33');
    halves('::/0', '::/1', '8000::/1');
  });

  it('find the deciding entry without a walk through the list', () => {
    const pick = random(3);
    const block = Array.from({ length: 200_000 }, () => `${quad(pick)}/32`);
    const large = new Rules({ allow: ['0.0.0.0/0'], block: [...block, '10.0.0.1'] });
    const small = new Rules({ allow: ['0.0.0.0/0'], block: [...block.slice(0, 20), '10.0.0.1'] });
    const time = (rules: Rules): number => {
      let best = Infinity;
      for (let round = 0; round < 20; round++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < 200; i++) assert.equal(rules.judge('10.0.0.1').entry, '10.0.0.1');
        best = Math.min(best, Number(process.hrtime.bigint() - start));
      }
      return best;
    };
    // Ten thousand times as many entries.
    assert.ok(time(large) < 50 * time(small));
  });

  it('throw when a list has more entries than can be counted', () => {
    const list = Array.from<string>({ length: 0 });
    list.length = 0x1000000;
    assert.throws(() => new Rules({ allow: list }), {
      name: 'RangeError',
      code: 'ERR_NETJAIL_INVALID_RULES',
      message: /allow has 16777216 entries/,
    });
  });
});

describe('Rules of prefixes that few or many of the same list contain', () => {
  for (const every of [1, 2, 3, 16, 17, 18, 40, 400]) {
    it(`find all of them with one in ${every} that holds others`, () => {
      const block = Array.from({ length: 400 }, (_, i) => [
        `2001:db8:${(i + 1).toString(16)}::/48`,
        ...(i % every === 0
          ? [
              `2001:db8:${(i + 1).toString(16)}:1::/64`,
              `2001:db8:${(i + 1).toString(16)}:1::1`,
              `2001:db8:${(i + 1).toString(16)}::/48`,
            ]
          : []),
      ]).flat();
      const rules = new Rules({ allow: ['::/0'], block });
      assert.deepEqual(rules.toJSON().block, block);
      for (let i = 0; i < 400; i++) {
        for (const host of ['::1', ':1::1', ':1::2', ':2::']) {
          const address = `2001:db8:${(i + 1).toString(16)}${host}`;
          const parsed = parseAddress(address);
          const verdict = rules.judge(address);
          assert.equal(verdict.allowed, false);
          assert.ok(contains(verdict.entry!, parsed));
          // The first one in the list.
          assert.equal(
            verdict.entry,
            block.find((entry) => contains(entry, parsed)),
          );
        }
        assert.equal(rules.accept(`2001:db9:${(i + 1).toString(16)}::1`), true);
      }
    });
  }
});

describe('sortInto()', () => {
  for (const width of [1, 4] as const) {
    for (const count of [0, 1, 2, 24, 25, 300, 5000]) {
      it(`sorts ${count} prefixes of ${width} words by start, length and position`, () => {
        const pick = random(count);
        // Few different words, so that many are equal.
        const start = Uint32Array.from({ length: count * width }, () => pick(4) * 0x3fffffff);
        const length = Uint8Array.from({ length: count }, () => pick(3) * 16 * width);
        const masked = (i: number, w: number): number =>
          (start[i * width + w]! & maskOf(length[i]! - 32 * w)) >>> 0;
        const expected = Array.from({ length: count }, (_, i) => i).sort((x, y) => {
          for (let w = 0; w < width; w++) {
            const order = masked(x, w) - masked(y, w);
            if (order !== 0) return order;
          }
          return length[x]! - length[y]! || x - y;
        });
        const meta = Uint32Array.from(length, (bits, at) => metaOf(at, bits));
        const data = new Uint32Array(count * (width + 1));
        const base = count * width;
        sortInto(
          { words: data, meta: data, base, width },
          { words: start.slice(), meta, base: 0, width },
          0,
          count,
        );
        assert.deepEqual(Array.from(data.subarray(base), positionOf), expected);
      });
    }
  }
});

describe('Rules.lint() and Rules.judgeHost() memory', () => {
  it('take no more memory for many hosts beside a long list of blocks', () => {
    const block = Array.from({ length: 20_000 }, (_, i) => `11.${i >> 8}.${i & 255}.128/25`);
    const allow = Array.from({ length: 2000 }, (_, i) => ({ host: `host-${i}.test` }));
    const rules = new Rules({ allow, block: [...block, 'special-purpose', { port: 25, prefix: 'public' }] });
    // Each host with intervals of its own would be 160 KB: 320 MB for lint, at its end 80 MB for names.
    const peak = process.resourceUsage().maxRSS;
    assert.deepEqual(rules.lint(), []);
    assert.ok(process.resourceUsage().maxRSS - peak < 150_000, 'kilobytes');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (const { host } of allow.slice(0, 500)) assert.ok(rules.judgeHost({ host, port: 25 }).allowed);
    collect();
    assert.ok(process.memoryUsage().arrayBuffers - before < 20e6);
  });
});

describe('Rules.accept() memory', () => {
  it('allocates nothing on the hot path: millions of calls and no garbage collection', () => {
    // The built module beside the built test, the source beside the source (mutation testing runs that).
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const module = fileURLToPath(new URL(`../src/rules.${extension}`, import.meta.url));
    const script = `
      import { Rules } from ${JSON.stringify(`file://${module}`)};
      const rules = [
        new Rules({ allow: ['0.0.0.0/0', '::/0'], block: ['special-purpose'] }),
        new Rules({ allow: ['public'] }),
        new Rules({ allow: ['::/0', '128.0.0.0/1'], block: Array.from({ length: 4000 }, (_, i) => '200.' + (i >> 4) + '.' + (i & 15) * 9 + '.0/28') }),
      ];
      const texts = ['8.8.8.8', '10.0.0.1', '200.1.2.3', '255.255.255.255', '2606:4700::1111', '::1',
        'fe80:1:2:3:4:5:6:7', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:7f00:1::', '::', '0.0.0.0', 'a name'];
      let accepted = 0;
      const run = (rounds) => {
        for (let i = 0; i < rounds; i++)
          for (let r = 0; r < rules.length; r++)
            for (let t = 0; t < texts.length; t++) if (rules[r].accept(texts[t])) accepted++;
      };
      run(20_000);
      gc();
      console.log('begin');
      run(100_000);
      console.log('end', accepted > 0);
    `;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--expose-gc', '--trace-gc', '--max-semi-space-size=1', '--input-type=module', '--eval', script],
      { encoding: 'utf8', cwd: join(module, '..') },
    );
    assert.equal(status, 0, stderr);
    const between = /begin\n([^]*)end true/.exec(stdout)?.[1];
    assert.equal(between, '', stdout);
    assert.match(stdout, /Mark-Compact/, 'the trace was on');
  });
});
