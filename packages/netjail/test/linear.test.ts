// Hostile input of ten megabytes: sixty-four times as much text takes about sixty-four times as much
// time of the processor, where a parser that goes back over what it read takes four thousand times.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address, parsePolicy, Prefix, Rules } from '../src/index.ts';

const LARGE = 10 * 1024 * 1024;
const FACTOR = 64;
/** Between linear and quadratic there is room for a noisy machine, and for the garbage of a million entries. */
const SLACK = 4;
/** Shorter times than this, in milliseconds, say nothing: quadratic work on ten megabytes takes minutes. */
const FLOOR = 10;

function shortest(call: () => unknown): number {
  let best = Infinity;
  for (let i = 0; i < 2; i++) {
    const start = process.cpuUsage();
    try {
      call();
    } catch (error) {
      // A stack overflow is a RangeError without a code.
      assert.match(String((error as { code?: unknown }).code), /^ERR_NETJAIL_INVALID_/, String(error));
      assert.ok((error as Error).message.length < 2000, 'the message is short');
    }
    // Of the processor: what else the machine does counts less.
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const fill = (unit: string, size: number): string =>
  unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

const rules = new Rules({ allow: ['public'] });
const parsers: [name: string, parse: (text: string) => unknown, inputs: ((size: number) => string)[]][] = [
  [
    'Address.parse()',
    (text) => Address.parse(text),
    [
      ...[':', '::', '1:', '0', '1.', '.', 'f', '%', ' ', '\0', 'é'].map(
        (unit) => (size: number) => fill(unit, size),
      ),
      (size) => `::${fill('0', size)}`,
      (size) => `::1%${fill('%', size)}`,
      (size) => `1.1.1.1${fill(' ', size)}`,
      (size) => `::1.1.1.${fill('1', size)}`,
    ],
  ],
  [
    'accept() and judge()',
    (text) => [rules.accept(text), rules.judge(text)],
    [':', '1:', '1.', '0']
      .map((unit) => (size: number) => fill(unit, size))
      .concat((size) => `fe80::1%${fill('x', size)}`),
  ],
  [
    'Prefix.parse()',
    (text) => Prefix.parse(text),
    [
      (size) => `10.0.0.0/${fill('0', size)}`,
      (size) => `10.0.0.0/${fill('1', size)}`,
      (size) => `::/${fill('/', size)}`,
      (size) => `${fill(':', size)}/8`,
      (size) => `::1%${fill('x', size)}/8`,
      (size) => fill('/', size),
    ],
  ],
  [
    'an entry',
    (text) => new Rules({ allow: [text] }),
    ['a', '-', 'a-', '::/', '1.', '*.', '@', ' '].map((unit) => (size: number) => fill(unit, size)),
  ],
  [
    'Rules.parse()',
    (text) => Rules.parse(text),
    [
      (size) => fill(' ', size),
      (size) => `ALLOW${fill(' ', size)}`,
      (size) => `ALLOW ${fill('x', size)}`,
      (size) => `ALLOW ${fill(', ', size)}`,
      // Every entry is read before the end is found to be none.
      (size) => `ALLOW ${fill('::1 ', size)},`,
      (size) => fill('ALLOW ::1, ', size),
      (size) => fill('ALLOW ::1, BLOCK ::1, ', size),
      (size) => `ALLOW ::1${fill(', BLOCK', size)}`,
    ],
  ],
  [
    'parsePolicy()',
    (text) => parsePolicy(text),
    [
      ...[
        '[',
        '{',
        '{"a":',
        '[[],',
        '"',
        '\\',
        ',',
        ' ',
        '\n',
        '/',
        '//',
        '/*',
        '/**/',
        '-',
        '1',
        '1e',
        't',
        'true ',
      ].map((unit) => (size: number) => fill(unit, size)),
      (size) => `"${fill('x', size)}`,
      (size) => `"${fill('\\u0041', size)}"`,
      (size) => `"${fill('\\"', size)}`,
      (size) => `"${fill('\\', size)}`,
      (size) => `// ${fill('x', size)}`,
      (size) => `/* ${fill('*', size)}`,
      (size) => `{"allow":[]}${fill(' ', size)}x`,
      (size) => `{"allow":[${fill('/**/', size)}x`,
      (size) => `{"allow":[${fill('\n', size)}x`,
      (size) => `{"allow":["${fill('x', size)}"]}`,
      (size) => `{"allow":["@${fill('x', size)}"]}`,
      (size) => `{"allow":[${fill('1', size)}]}`,
      (size) => `{"allow":[${fill('[],', size)}`,
      (size) => `{"${fill('x', size)}":1}`,
    ],
  ],
];

describe('hostile text of 10 MB', () => {
  for (const [name, parse, inputs] of parsers) {
    it(`${name} takes time in proportion to its length at most, and overflows no stack`, () => {
      for (const input of inputs) {
        const small = input(LARGE / FACTOR);
        const large = input(LARGE);
        const before = shortest(() => parse(small));
        const after = shortest(() => parse(large));
        assert.ok(
          after <= Math.max(before, FLOOR) * FACTOR * SLACK,
          `${JSON.stringify(large.slice(0, 30))}: ${before.toFixed(1)} ms, then ${after.toFixed(1)} ms`,
        );
      }
    });
  }
});

describe('many answers for a host that is not known', () => {
  it('are judged in no more time where the block list names many hosts', () => {
    const answers = Array.from({ length: 2000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    const time = (hosts: number): number => {
      const block = Array.from({ length: hosts }, (_, i) => ({
        host: `h${i}.test`,
        prefix: i === 0 ? '10.1.2.3' : '192.0.2.0/24',
      }));
      const many = new Rules({ allow: ['10.0.0.0/8'], block });
      const facts = { host: '*.attacker.test', port: 443 };
      // Made once for all answers.
      assert.equal(many.accept('8.8.8.8', facts), false);
      return shortest(() => {
        const denied = answers.filter((answer) => !many.accept(answer, facts));
        assert.deepEqual(denied, ['10.1.2.3']);
        assert.equal(many.judge('10.1.2.3', facts).entry, '{"prefix":"10.1.2.3","host":"h0.test"}');
      });
    };
    const few = time(2);
    const large = time(20_000);
    assert.ok(large <= Math.max(few, FLOOR) * SLACK, `${few.toFixed(1)} ms, then ${large.toFixed(1)} ms`);
  });
});
