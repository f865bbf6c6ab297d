// Address and Prefix as values: their texts, their errors, and every word of their bits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../src/address.ts';
import { Prefix } from '../src/prefix.ts';
import { Rules } from '../src/rules.ts';

describe('Address', () => {
  it('is a frozen value with family, words and zone', () => {
    const address = Address.parse('fe80:1:2:3:4:5:6:7%eth0');
    assert.deepEqual(
      [address.family, address.words, address.zone],
      [6, [0xfe800001, 0x20003, 0x40005, 0x60007], 'eth0'],
    );
    assert.ok(Object.isFrozen(address) && Object.isFrozen(address.words));
    assert.deepEqual(Address.parse('255.254.253.1').words, [0, 0, 0, 0xfffefd01]);
    assert.deepEqual([Address.parse('1.2.3.4').family, Address.parse('1.2.3.4').zone], [4, '']);
  });

  it('forgets the zone and the words of what was parsed before', () => {
    Address.parse('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%x');
    assert.deepEqual(Address.parse('1.2.3.4'), Address.parse('1.2.3.4'));
    assert.equal(Address.parse('1.2.3.4').zone, '');
    assert.deepEqual(Address.parse('1.2.3.4').words, [0, 0, 0, 0x01020304]);
    Address.parse('::ffff:ffff%x');
    assert.equal(Address.parse('::1').zone, '');
  });

  const texts: [text: string, canonical: string][] = [
    ['::', '::'],
    ['::0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['ABCD:Ef01::000a', 'abcd:ef01::a'],
    ['::1.2.3.4', '::102:304'],
    ['1:2:3:4:5:6:255.254.253.252', '1:2:3:4:5:6:fffe:fdfc'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['::fffe:102:304', '::fffe:102:304'],
    ['::1:0:ffff:102:304', '::1:0:ffff:102:304'],
    ['::ffff:1.2.3.4%eth0', '::ffff:1.2.3.4%eth0'],
    ['fe80::1%a%b', 'fe80::1%a%b'],
    ['0.0.0.0', '0.0.0.0'],
    ['9.10.99.100', '9.10.99.100'],
    ['199.200.249.250', '199.200.249.250'],
  ];
  for (const [text, canonical] of texts) {
    it(`parse() reads ${text} as ${canonical}`, () => {
      assert.equal(Address.parse(text).toString(), canonical);
      assert.equal(JSON.stringify([Address.parse(text)]), JSON.stringify([canonical]));
      assert.equal(Address.tryParse(text)?.toString(), canonical);
    });
  }

  const refused = [
    '',
    '.',
    ':',
    ':::',
    '%',
    '1',
    '1.2.3',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4.',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.00',
    '256.2.3.4',
    '1.2.3.256',
    '1.2.3.999',
    '1.2.3.4%x',
    '1%2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.-4',
    '1.2.3.a',
    '1.2.3./',
    '1.2.3.:',
    '127.1',
    '0x7f.0.0.1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
    ':1::',
    '1::2:',
    '1::2::3',
    '::12345',
    '::g',
    '::/',
    '::`',
    '::@',
    '::G',
    '::1%',
    '1:2:3:4:5:6:7:8:%eth0',
    '::1:%eth0',
    '1:%eth0',
    'x%1',
    '::1.2.3',
    '::1.2.3.4.5',
    '::01.2.3.4',
    '::1.2.3.4:5',
    '1:2:3:4:5:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7::1.2.3.4',
    '::ffff:1.2.3.256',
    '[::1]',
    '1.2.3.4/32',
    '００１.2.3.4',
    '١.٢.٣.٤',
    `${'0'.repeat(44)}::`,
    '0000:0000:0000:0000:0000:ffff:255.255.255.2550',
    '1.2.3.4\u0000',
    '::1\n',
    '1:2.3.4.5',
    '1a.2.3.4',
    '12a.3.4.5',
    '::1.2.3.',
    '::1.2.3.4%',
    ':12',
    ':12:3:4:5:6:7:8',
    '::1::',
    '::1::2',
    '1:x2',
    '1:2:3:4:5:6:7:',
    '1:2:3:4:5:6:7:8:',
    '::1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5:6::1.2.3.4',
  ];
  for (const text of refused) {
    it(`parse() throws ERR_NETJAIL_INVALID_ADDRESS for ${JSON.stringify(text)}`, () => {
      assert.equal(Address.tryParse(text), undefined);
      assert.throws(() => Address.parse(text), {
        name: 'SyntaxError',
        code: 'ERR_NETJAIL_INVALID_ADDRESS',
        message: /^Cannot parse ".*": it is not an IP address$/s,
      });
    });
  }

  it('parse() reads the longest text without a zone and the longest zone', () => {
    assert.equal(
      Address.parse('0000:0000:0000:0000:0000:ffff:255.255.255.255').unmap().toString(),
      '255.255.255.255',
    );
    assert.equal(Address.parse(`::1%${'z'.repeat(100_000)}`).zone.length, 100_000);
  });

  it('tryParse() gives undefined for what is no string, and asks it nothing', () => {
    const asked = (): never => assert.fail('it was asked');
    for (const value of [
      undefined,
      null,
      1,
      1n,
      Symbol('x'),
      [],
      {},
      new String('::1'),
      { toString: asked },
    ]) {
      assert.equal(Address.tryParse(value as never), undefined);
    }
  });

  it('unmap() gives the IPv4 address of a mapped one without its zone, and any other itself', () => {
    assert.deepEqual(Address.parse('::ffff:1.2.3.4%x').unmap(), Address.parse('1.2.3.4'));
    for (const text of [
      '::1.2.3.4',
      '::ffff:0:1.2.3.4',
      '1::ffff:1.2.3.4',
      '0:0:0:1:0:ffff:1.2.3.4',
      '1.2.3.4',
      '::1%x',
    ]) {
      const address = Address.parse(text);
      assert.equal(address.mapped, false, text);
      assert.equal(address.unmap(), address);
    }
    assert.equal(Address.parse('::ffff:0:0').mapped, true);
  });
});

describe('Address.fromWord() and Address.fromWords()', () => {
  it('take words signed and unsigned', () => {
    assert.equal(String(Address.fromWord(0xffffffff)), '255.255.255.255');
    assert.equal(String(Address.fromWord(-0x80000000)), '128.0.0.0');
    assert.equal(String(Address.fromWords([-1, 0, 0, 0x80000000])), 'ffff:ffff::8000:0');
  });

  it('throw ERR_NETJAIL_INVALID_ADDRESS for anything else', () => {
    const refused = {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_ADDRESS',
      message: /a word is a whole number/,
    };
    for (const word of ['1', 1.5, NaN, -0x80000001, 0x100000000, undefined, null, 1n]) {
      assert.throws(() => Address.fromWord(word as never), refused, String(word));
      assert.throws(() => Address.fromWords([0, 0, 0, word] as never), refused, String(word));
    }
    for (const words of [undefined, null, 1, '0000', [], [1, 2, 3], [1, 2, 3, 4, 5]]) {
      assert.throws(() => Address.fromWords(words as never), refused, String(words));
    }
  });
});

describe('Prefix', () => {
  const errors: [text: unknown, reason: string][] = [
    [1, 'a prefix is a string'],
    [undefined, 'a prefix is a string'],
    [new String('::/0'), 'a prefix is a string'],
    ['', 'it has no "/" and length'],
    ['10.0.0.0', 'it has no "/" and length'],
    ['/8', 'the part before "/" is not an IP address'],
    ['10.0.0/8', 'the part before "/" is not an IP address'],
    ['10.0.0.0/8/8', 'the part before "/" is not an IP address'],
    ['fe80::1%eth0/64', 'a prefix has no zone'],
    ['10.0.0.0/', 'the part after "/" is not a length'],
    ['10.0.0.0/08', 'the part after "/" is not a length'],
    ['10.0.0.0/+8', 'the part after "/" is not a length'],
    ['10.0.0.0/-1', 'the part after "/" is not a length'],
    ['10.0.0.0/8 ', 'the part after "/" is not a length'],
    ['10.0.0.0/8\n', 'the part after "/" is not a length'],
    ['10.0.0.0/1000', 'the part after "/" is not a length'],
    ['10.0.0.0/33', 'the length is 0 to 32'],
    ['::/129', 'the length is 0 to 128'],
    ['::ffff:10.0.0.0/129', 'the length is 0 to 128'],
  ];
  for (const [text, reason] of errors) {
    it(`parse() throws ERR_NETJAIL_INVALID_PREFIX for ${typeof text === 'string' ? JSON.stringify(text) : typeof text}`, () => {
      assert.throws(
        () => Prefix.parse(text as string),
        (error: Error & { code?: unknown }) => {
          assert.deepEqual([error.name, error.code], ['SyntaxError', 'ERR_NETJAIL_INVALID_PREFIX']);
          assert.ok(error.message.endsWith(`: ${reason}`), error.message);
          return true;
        },
      );
    });
  }

  it('of() is the /32 or /128 of an address, and throws ERR_NETJAIL_INVALID_PREFIX for a zone', () => {
    assert.equal(Prefix.of(Address.parse('10.0.0.1')).toString(), '10.0.0.1/32');
    assert.equal(Prefix.of(Address.parse('::1')).toString(), '::1/128');
    for (const nothing of ['10.0.0.1', undefined, null, {}]) {
      const refused = { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_ADDRESS' };
      assert.throws(() => Prefix.of(nothing as never), refused);
      assert.throws(() => Prefix.parse('10.0.0.0/8').contains(nothing as never), refused);
    }
    assert.throws(() => Prefix.of(Address.parse('::1%x')), {
      name: 'SyntaxError',
      code: 'ERR_NETJAIL_INVALID_PREFIX',
      message: 'Cannot use "::1%x": a prefix has no zone',
    });
  });

  it('is a frozen value that keeps host bits, and its JSON is its text', () => {
    const prefix = Prefix.parse('10.1.2.3/8');
    assert.ok(Object.isFrozen(prefix));
    assert.deepEqual([String(prefix.address), prefix.bits], ['10.1.2.3', 8]);
    assert.equal(JSON.stringify({ prefix }), '{"prefix":"10.1.2.3/8"}');
  });

  it('masked() clears every host bit and no other, at each length', () => {
    for (const [ones, size] of [
      ['255.255.255.255', 32],
      ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 128],
    ] as const) {
      for (let bits = 0; bits <= size; bits++) {
        const masked = Prefix.parse(`${ones}/${bits}`).masked();
        const set = masked.address.words
          .slice(size === 32 ? 3 : 0)
          .map((word) => word.toString(2).padStart(32, '0'))
          .join('');
        assert.equal(set, '1'.repeat(bits).padEnd(size, '0'));
        assert.deepEqual([masked.bits, masked.address.family], [bits, size === 32 ? 4 : 6]);
      }
    }
  });

  it('contains() compares each leading bit and no other, at each length', () => {
    for (const [zero, size] of [
      ['0.0.0.0', 32],
      ['::', 128],
    ] as const) {
      const flip = (bit: number): Address => {
        const words: [number, number, number, number] = [0, 0, 0, 0];
        const at = bit + 128 - size;
        words[at >>> 5] = (0x80000000 >>> (at & 31)) >>> 0;
        return size === 32 ? Address.fromWord(words[3]) : Address.fromWords(words);
      };
      for (let bits = 0; bits <= size; bits++) {
        const prefix = Prefix.parse(`${zero}/${bits}`);
        for (let bit = 0; bit < size; bit++)
          assert.equal(prefix.contains(flip(bit)), bit >= bits, `${bit} in /${bits}`);
      }
    }
  });

  it('contains() no address of the other family, no mapped one and none with a zone', () => {
    for (const [prefix, address] of [
      ['0.0.0.0/0', '::'],
      ['::/0', '0.0.0.0'],
      ['10.0.0.0/8', '::ffff:10.0.0.1'],
      ['fe80::/10', 'fe80::1%eth0'],
      ['::/0', '::1%1'],
    ] as const) {
      assert.equal(Prefix.parse(prefix).contains(Address.parse(address)), false, `${address} in ${prefix}`);
    }
    assert.equal(Prefix.parse('::ffff:10.0.0.0/104').contains(Address.parse('::ffff:10.0.0.1')), true);
  });

  it('unmap() gives the IPv4 prefix of a mapped one of 96 bits or more, and any other itself', () => {
    assert.equal(Prefix.parse('::ffff:10.1.2.3/104').unmap().toString(), '10.1.2.3/8');
    assert.equal(Prefix.parse('::ffff:0:0/96').unmap().toString(), '0.0.0.0/0');
    for (const text of ['::ffff:0:0/95', '::/96', '10.0.0.0/8']) {
      const prefix = Prefix.parse(text);
      assert.equal(prefix.unmap(), prefix);
    }
  });

  it('of() and contains() throw a TypeError that says what they take when given text', () => {
    const refused = {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_ADDRESS',
      message: 'Cannot use "10.0.0.1": it is not an Address, which Address.parse reads',
    };
    assert.throws(() => Prefix.of('10.0.0.1' as never), refused);
    assert.throws(() => Prefix.parse('10.0.0.0/8').contains('10.0.0.1' as never), refused);
  });
});

describe('Rules about addresses that carry two', () => {
  /** Blocked by either: each reading is looked at, not only the first. */
  const carriers: [name: string, address: string, readings: string[]][] = [
    ['6to4 with an ISATAP identifier', '2002:a01:101::5efe:a02:202', ['10.1.1.1', '10.2.2.2']],
    ['Teredo', '2001:0:a01:101:0:0:f5fd:fdfd', ['10.1.1.1', '10.2.2.2']],
    [
      'Teredo that looks like ISATAP',
      '2001:0:a01:101:0:5efe:f5fd:fdfd',
      ['10.1.1.1', '10.2.2.2', '245.253.253.253'],
    ],
    ['NAT64 of a prefix of its own with an ISATAP identifier', '64:ff9b:2::5efe:a02:202', ['10.2.2.2']],
    ['ISATAP', '2600::200:5efe:a02:202', ['10.2.2.2']],
  ];
  for (const [name, address, readings] of carriers) {
    it(`deny ${name} when any of them is blocked, and no other time`, () => {
      const allow = ['::/0', '0.0.0.0/0'];
      for (const reading of readings) {
        const verdict = new Rules({ allow, block: [reading] }).judge(address);
        assert.deepEqual([verdict.reason, verdict.carried], ['carried-address-blocked', reading]);
      }
      assert.equal(new Rules({ allow, block: ['10.3.3.3', '127.0.0.0/8'] }).accept(address), true);
    });
  }

  it('accept public IPv6 addresses that carry none', () => {
    for (const address of ['2600::1', '2a00:1450:4001:830::200e', '2606:4700:4700::1111']) {
      assert.equal(new Rules({ allow: ['public'] }).accept(address), true);
    }
  });
});
