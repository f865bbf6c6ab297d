// The same question to other implementations, where they mean the same by it. Where Go's toolchain is,
// tools/differential asks Go itself.
import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { Address } from '../src/address.ts';
import { Prefix } from '../src/prefix.ts';
import { Rules } from '../src/rules.ts';
import { accepts, carried, contains, parseAddress } from './oracle.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** Bits of an address, close to a few heads so that prefixes meet addresses. */
const bits = (size: number, heads: bigint[]): fc.Arbitrary<bigint> =>
  fc
    .tuple(fc.constantFrom(...heads), fc.bigInt({ min: 0n, max: (1n << 12n) - 1n }), fc.nat(size - 12))
    .map(([head, change, at]) => (head ^ (change << BigInt(at))) & ((1n << BigInt(size)) - 1n));
const value4 = bits(32, [0n, 0x0a000001n, 0x7f000001n, 0x80000000n, 0xc0a80001n, 0xffffffffn]);
const value6 = bits(128, [
  0n,
  1n,
  0xffff7f000001n,
  0x0064ff9bn << 96n,
  0x20010db8n << 96n,
  0x2002n << 112n,
  0xfe80n << 112n,
  (1n << 128n) - 1n,
]);

const write4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((n) => (value >> n) & 255n).join('.');
const write6 = (value: bigint): string =>
  Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');
const address4 = value4.map(write4);
const address6 = value6.map(write6);
const prefix4 = fc.tuple(address4, fc.nat(32)).map((parts) => parts.join('/'));
const prefix6 = fc.tuple(address6, fc.nat(128)).map((parts) => parts.join('/'));
const prefix = fc.oneof(prefix4, prefix6);
const address = fc.oneof(address4, address6);

/** The addresses at which an answer can change: both ends of each prefix and their neighbours. */
function edges(prefixes: readonly string[], family: 4 | 6): string[] {
  const size = family === 4 ? 32n : 128n;
  return prefixes.flatMap((text) => {
    const [host, length] = text.split('/');
    const parsed = parseAddress(host!);
    if (parsed.family !== family) return [];
    const shift = size - BigInt(length!);
    const first = (parsed.value >> shift) << shift;
    const last = first + (1n << shift) - 1n;
    return [first - 1n, first, last, last + 1n]
      .filter((value) => value >= 0n && value < 1n << size)
      .map(family === 4 ? write4 : write6);
  });
}

describe('differential', () => {
  it('accept() answers as a naive oracle does, at every edge and at random', () => {
    const list = fc.array(prefix, { maxLength: 6 });
    fc.assert(
      fc.property(list, list, fc.array(address, { maxLength: 8 }), (allow, block, more) => {
        const rules = new Rules({ allow, block });
        const all = [...allow, ...block];
        for (const text of [...edges(all, 4), ...edges(all, 6), ...more]) {
          const expected = accepts(allow, block, text);
          assert.equal(rules.accept(text), expected, `${text} in ${rules.toString()}`);
          assert.equal(rules.judge(text).allowed, expected);
        }
      }),
      { numRuns },
    );
  });

  it('accept() looks at every address that another one carries, as a naive oracle does', () => {
    const word = fc.constantFrom(0x7f000001n, 0x0a000001n, 0n, 0x08080808n, 0xc0a80001n);
    const heads = fc.constantFrom(
      0n,
      0x0064ff9b00000000n,
      0x0064ff9b00010000n,
      0x2002n << 48n,
      0x20010000n << 32n,
      0x26000000n << 32n,
    );
    const middle = fc.constantFrom(0n, 0xffff0000n, 0x5efen, 0x02005efen, 0x01005efen);
    const carrier = fc
      .tuple(heads, word, fc.constantFrom(0n, 8n, 16n, 32n, 40n, 48n, 56n), middle, word, fc.boolean())
      .map(([head, inner, shift, part, last, inverted]) => {
        const upper = (head | (inner << shift)) & ((1n << 64n) - 1n);
        const lower = (part << 32n) | (inverted ? last ^ 0xffffffffn : last);
        return write6((upper << 64n) | lower);
      })
      // In local NAT64 a reading in 0.0.0.0/8 says nothing, and ISATAP reads the same bits there.
      .filter((text) => {
        const { value } = parseAddress(text);
        const isatap = ((value >> 32n) & 0xfcffffffn) === 0x5efen;
        return !(value >> 80n === 0x64ff9b0001n && isatap && (value & 0xff000000n) === 0n);
      });
    const entry = fc.constantFrom(
      '127.0.0.0/8',
      '10.0.0.0/8',
      '0.0.0.0/8',
      '192.168.0.1/32',
      '::1/128',
      '8.0.0.0/8',
      '0.0.0.0/0',
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 2 }),
        fc.array(carrier, { minLength: 10, maxLength: 20 }),
        (block, all) => {
          const allow = ['0.0.0.0/0', '::/0'];
          const rules = new Rules({ allow, block });
          for (const text of all)
            assert.equal(rules.accept(text), accepts(allow, block, text), `${text} in ${rules.toString()}`);
        },
      ),
      { numRuns },
    );
  });

  it('Prefix.contains() answers as a naive oracle does where nothing is mapped', () => {
    fc.assert(
      fc.property(prefix, address, (text, other) => {
        const one = Address.parse(other);
        fc.pre(!one.mapped && !Prefix.parse(text).address.mapped);
        assert.equal(
          Prefix.parse(text).contains(one),
          contains(text, parseAddress(other)),
          `${other} in ${text}`,
        );
      }),
      { numRuns: numRuns * 10 },
    );
  });

  it('a block list of IPv4 prefixes answers as net.BlockList does', () => {
    fc.assert(
      fc.property(fc.array(prefix4, { minLength: 1, maxLength: 6 }), fc.array(address4), (block, more) => {
        const other = new BlockList();
        for (const text of block) {
          const [host, length] = text.split('/');
          other.addSubnet(host!, Number(length), 'ipv4');
        }
        const rules = new Rules({ allow: ['0.0.0.0/0'], block });
        for (const text of [...edges(block, 4), ...more]) {
          // The unspecified address reaches the local host, which BlockList does not know.
          if (text === '0.0.0.0') continue;
          assert.equal(rules.accept(text), !other.check(text, 'ipv4'), `${text} in ${rules.toString()}`);
        }
      }),
      { numRuns },
    );
  });

  it('a block list of IPv6 prefixes answers as net.BlockList does, but for mapped and unspecified addresses', () => {
    fc.assert(
      fc.property(fc.array(prefix6, { minLength: 1, maxLength: 6 }), fc.array(address6), (block, more) => {
        fc.pre(block.every((text) => !Prefix.parse(text).address.mapped));
        const other = new BlockList();
        for (const text of block) {
          const [host, length] = text.split('/');
          other.addSubnet(host!, Number(length), 'ipv6');
        }
        const rules = new Rules({ allow: ['::/0'], block });
        for (const text of [...edges(block, 6), ...more]) {
          const parsed = Address.parse(text);
          if (parsed.mapped || parsed.toString() === '::') continue;
          // What carries 0.0.0.0 reaches the local host as well.
          if (carried(parseAddress(text).value).includes(0n)) continue;
          assert.equal(rules.accept(text), !other.check(text, 'ipv6'), `${text} in ${rules.toString()}`);
        }
      }),
      { numRuns },
    );
  });

  it('a list of prefixes answers as ipaddr.js does, but for mapped addresses', () => {
    fc.assert(
      fc.property(fc.array(prefix, { minLength: 1, maxLength: 6 }), fc.array(address), (allow, more) => {
        fc.pre(allow.every((text) => !Prefix.parse(text).address.mapped));
        const ranges = allow.map((text) => ipaddr.parseCIDR(text));
        const rules = new Rules({ allow });
        for (const text of [...edges(allow, 4), ...edges(allow, 6), ...more]) {
          if (Address.parse(text).mapped) continue;
          const one = ipaddr.parse(text);
          const expected = ranges.some(
            ([network, length]) => network.kind() === one.kind() && one.match(network, length),
          );
          assert.equal(rules.accept(text), expected, `${text} in ${rules.toString()}`);
        }
      }),
      { numRuns },
    );
  });

  it('Address.parse() reads an address as ipaddr.js does where both read it', () => {
    fc.assert(
      fc.property(address, (text) => {
        const own = Address.parse(text);
        const bytes = ipaddr.parse(text).toByteArray();
        const words = own.words.slice(own.family === 4 ? 3 : 0);
        assert.deepEqual(
          words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
          bytes,
        );
      }),
      { numRuns: numRuns * 10 },
    );
  });
});
