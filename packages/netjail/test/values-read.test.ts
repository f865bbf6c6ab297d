// What the readers of addresses, prefixes, hosts and ports accept, and the exact reason for what they refuse.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../src/address.ts';
import { carried, carriedAddresses, carrierKind } from '../src/carried.ts';
import { canonicalHost, readHostPattern } from '../src/host.ts';
import { hasPort, isPort, portsAsInput, readPorts } from '../src/ports.ts';
import { Prefix } from '../src/prefix.ts';
import {
  BARE,
  IPV4,
  IPV6,
  NO_ADDRESS,
  scanAddress,
  scanned,
  scannedLength,
  scanPrefix,
  ZONED,
} from '../src/scan.ts';

/** What was read: an IPv4 address is in the last word alone. */
const words = (kind: number): number[] =>
  Array.from(kind === IPV4 ? scanned.subarray(3) : scanned, (word) => word >>> 0);
const wordsOf = (address: Address): readonly number[] =>
  address.family === 4 ? address.words.slice(3) : address.words;

describe('scanAddress()', () => {
  const found: [text: string, kind: number][] = [
    ['', NO_ADDRESS],
    [':', NO_ADDRESS],
    ['1', NO_ADDRESS],
    ['1.2.3', NO_ADDRESS],
    ['1.2.3.', NO_ADDRESS],
    ['1.2.3.4', IPV4],
    ['1.2.3.45', IPV4],
    ['255.255.255.255', IPV4],
    ['::', IPV6],
    ['::1', IPV6],
    ['::12', IPV6],
    ['::123', IPV6],
    ['::1234', IPV6],
    ['1::', IPV6],
    ['1:', NO_ADDRESS],
    ['1:2:3:4:5:6:7:', NO_ADDRESS],
    ['1:2:3:4:5:6:7:8', IPV6],
    ['::1.2.3.', NO_ADDRESS],
    ['::1.2.3', NO_ADDRESS],
    ['::1.2.3.4', IPV6],
    ['::1%', NO_ADDRESS],
    ['::1%x', ZONED],
    ['0000:0000:0000:0000:0000:ffff:255.255.255.255', IPV6],
    ['0000:0000:0000:0000:0000:ffff:255.255.255.255%x', ZONED],
  ];
  for (const [text, kind] of found) {
    it(`reads the first ${text.length} characters and no more when others follow ${JSON.stringify(text)}`, () => {
      assert.equal(scanAddress(text, text.length), kind);
      const alone = words(kind);
      for (const more of ['0', '4', 'a', 'g', '.', '.4', ':', '::', ':1', '%', '%x', '/', '/8', '\0']) {
        assert.equal(scanAddress(text + more, text.length), kind, `before ${more}`);
        if (kind !== NO_ADDRESS) assert.deepEqual(words(kind), alone, `before ${more}`);
      }
    });
  }
});

describe('scanAddress() of more groups than an address has', () => {
  for (const digits of [1, 2, 3, 4]) {
    for (const [where, before, most] of [
      ['without "::"', '', 8],
      ['behind "::"', '::', 7],
      ['behind "1::"', '1::', 6],
    ] as const) {
      it(`finds none ${where} in groups of ${digits} digits, however many there are`, () => {
        const group = 'a'.repeat(digits);
        const longest = before + Array(most).fill(group).join(':');
        assert.equal(scanAddress(longest, longest.length), IPV6);
        for (let count = most + 1; count <= 40; count++) {
          const text = before + Array(count).fill(group).join(':');
          for (const behind of ['', ':', '::', ':1', ':1.2.3.4', '%x']) {
            assert.equal(scanAddress(text + behind, (text + behind).length), NO_ADDRESS, text + behind);
          }
        }
      });
    }
  }
});

describe('scanPrefix()', () => {
  it('refuses a length that is no number, whichever character stands for a digit', () => {
    // Those beside the digits in the character set, too.
    const characters = ['', ...'+,-./0123456789:;<=?@ aA\u00b2\u0661'];
    for (const [address, longest] of [
      ['10.0.0.0', 32],
      ['::', 128],
    ] as const) {
      for (const x of characters) {
        for (const y of characters) {
          for (const z of characters) {
            const length = `${x}${y}${z}`;
            const text = `${address}/${length}`;
            const isLength = /^(0|[1-9][0-9]*)$/.test(length) && Number(length) <= longest;
            assert.equal(scanPrefix(text) !== NO_ADDRESS, isLength, text);
            if (isLength) assert.equal(scannedLength[0], Number(length), text);
          }
        }
      }
    }
  });

  const lengths = (text: string, most: number): [string, number][] =>
    Array.from({ length: most + 1 }, (_, bits) => [`${text}/${bits}`, bits]);

  it('reads each length of a prefix', () => {
    for (const [kind, all] of [
      [IPV4, lengths('1.2.3.4', 32)],
      [IPV6, lengths('1:2:3:4:5:6:7:8', 128)],
      [IPV6, lengths('::', 128)],
    ] as const) {
      for (const [text, bits] of all) {
        assert.deepEqual([scanPrefix(text), scannedLength[0]], [kind, bits], text);
        assert.deepEqual(words(kind), wordsOf(Prefix.parse(text).address));
      }
    }
  });

  it('reads a bare address and says that it has no length', () => {
    assert.ok(BARE < 0);
    for (const [text, kind] of [
      ['1.2.3.4', IPV4],
      ['::', IPV6],
      ['::1', IPV6],
      ['1:2:3:4:5:6:7:8', IPV6],
      ['::ffff:1.2.3.4', IPV6],
    ] as const) {
      scannedLength[0] = 7;
      assert.deepEqual([scanPrefix(text), scannedLength[0]], [kind, BARE], text);
      assert.deepEqual(words(kind), wordsOf(Address.parse(text)));
    }
  });

  const refused = [
    '',
    '/',
    '/8',
    '//8',
    '1',
    'a.test',
    '1.2.3/8',
    '1.2.3.4/',
    '::/',
    '1.2.3.4/33',
    '1.2.3.4/99',
    '1.2.3.4/128',
    '::/129',
    '::/999',
    '::/1000',
    '::/0008',
    '1.2.3.4/00',
    '1.2.3.4/08',
    '1.2.3.4/000',
    '1.2.3.4/-1',
    '1.2.3.4/+8',
    '1.2.3.4/ 8',
    '1.2.3.4/8 ',
    '1.2.3.4/1:',
    '1.2.3.4/:',
    '1.2.3.4/a',
    '1.2.3.4/8/8',
    '1.2.3.4/8/',
    '::1%x',
    '::1%x/64',
    '::1%/64',
    '::/8%x',
  ];
  for (const text of refused) {
    it(`finds no prefix in ${JSON.stringify(text)}, as Prefix.parse() and Address.parse()`, () => {
      assert.equal(scanPrefix(text), NO_ADDRESS);
      assert.throws(() => Prefix.parse(text), { code: 'ERR_NETJAIL_INVALID_PREFIX' });
      assert.ok((Address.tryParse(text)?.zone ?? '%') !== '');
    });
  }
});

describe('carriedAddresses()', () => {
  const all: [text: string, readings: [address: string, kind: string][]][] = [
    ['::', []],
    ['::1', []],
    ['::2', [['0.0.0.2', 'IPv4-compatible']]],
    ['::10.1.2.3', [['10.1.2.3', 'IPv4-compatible']]],
    ['::ffff:0:10.1.2.3', [['10.1.2.3', 'IPv4-translated']]],
    ['::1:ffff:0:10.1.2.3', []],
    ['1::ffff:0:10.1.2.3', []],
    ['1::10.1.2.3', []],
    ['0:0:1::10.1.2.3', []],
    ['64:ff9b::10.1.2.3', [['10.1.2.3', 'NAT64']]],
    ['64:ff9b:0:1::10.1.2.3', []],
    ['64:ff9b:2::10.1.2.3', []],
    ['64:ff9b::1:10.1.2.3', []],
    ['64:ff9b::5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['64:ff9b:2::5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    [
      '64:ff9b:1:203:4:506:708:90a',
      [
        ['7.8.9.10', 'NAT64'],
        ['2.3.4.5', 'NAT64'],
        ['3.4.5.6', 'NAT64'],
        ['4.5.6.7', 'NAT64'],
      ],
    ],
    ['64:ff9b:1::10.1.2.3', [['10.1.2.3', 'NAT64']]],
    [
      '64:ff9b:1:a01:2:300::',
      [
        ['10.1.2.3', 'NAT64'],
        ['1.2.3.0', 'NAT64'],
        ['2.3.0.0', 'NAT64'],
      ],
    ],
    [
      '2001:0:a01:203:0:5efe:f5fe:fdfb',
      [
        ['10.1.2.3', 'Teredo'],
        ['10.1.2.4', 'Teredo'],
        ['245.254.253.251', 'ISATAP'],
      ],
    ],
    [
      '2001:0:a01:203::f5fe:fdfb',
      [
        ['10.1.2.3', 'Teredo'],
        ['10.1.2.4', 'Teredo'],
      ],
    ],
    ['2001:1:a01:203::f5fe:fdfb', []],
    ['2002:a01:203::', [['10.1.2.3', '6to4']]],
    [
      '2002:a01:203:4:200:5efe:10.1.2.4',
      [
        ['10.1.2.3', '6to4'],
        ['10.1.2.4', 'ISATAP'],
      ],
    ],
    ['2003:a01:203::', []],
    ['2600::5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['2600::100:5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['2600::200:5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['2600::300:5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['2600::400:5efe:10.1.2.3', []],
    ['2600::1:5efe:10.1.2.3', []],
    ['::5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
    ['0:1::5efe:10.1.2.3', [['10.1.2.3', 'ISATAP']]],
  ];
  for (const [text, readings] of all) {
    it(`finds ${readings.map((one) => one.join(' by ')).join(', ') || 'nothing'} in ${text}`, () => {
      const [a, b, c, d] = Address.parse(text).words.map((word) => word | 0) as [
        number,
        number,
        number,
        number,
      ];
      const count = carriedAddresses(a, b, c, d);
      assert.deepEqual(
        Array.from(carried.subarray(0, count), (word, index) => [
          Address.fromWord(word).toString(),
          carrierKind(a, b, c, index),
        ]),
        readings,
      );
    });
  }
});

describe('canonicalHost()', () => {
  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  const names: [text: string, canonical: string][] = [
    ['a', 'a'],
    ['a.test', 'a.test'],
    ['a.test.', 'a.test'],
    ['A.Test', 'a.test'],
    ['LOCALHOST', 'localhost'],
    ['XN--R8JZ45G', 'xn--r8jz45g'],
    ['例え', 'xn--r8jz45g'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['ａ。test', 'a.test'],
    ['_a-b.1-c', '_a-b.1-c'],
    ['1a.test', '1a.test'],
    ['1.test', '1.test'],
    ['0x1.test', '0x1.test'],
    ['a.0xg', 'a.0xg'],
    ['a0x1', 'a0x1'],
    [`${'a'.repeat(63)}.test`, `${'a'.repeat(63)}.test`],
    [`x.${'a'.repeat(63)}`, `x.${'a'.repeat(63)}`],
    [long, long],
    [`${long}.`, long],
    // Soft hyphens are nothing to IDNA.
    [`${'\u00ad'.repeat(1006)}a.test`, 'a.test'],
  ];
  for (const [text, canonical] of names) {
    it(`reads ${JSON.stringify(text.slice(-30))} of ${text.length} characters`, () => {
      assert.equal(canonicalHost(text), canonical);
    });
  }

  const none = [
    '',
    '.',
    '..',
    '.a',
    'a..',
    'a..b',
    'a b',
    ' a',
    'a ',
    'a\n',
    'a/b',
    'é/b',
    'a:80',
    'a@b',
    'a%2e',
    'a\0',
    '*.a',
    '例え/',
    '[a]',
    '1',
    '12',
    'a.1',
    'a.12',
    'a.12.',
    '127.1',
    '1.2.3.4',
    '0x',
    '0x7f',
    '0X7F',
    'a.0x',
    'a.0x7f',
    'a.0x7f.',
    'a.0x1a2b3c',
    `${'a'.repeat(64)}.test`,
    `x.${'a'.repeat(64)}`,
    `${long}e`,
    `${long}..`,
    `${'\u00ad'.repeat(1007)}a.test`,
  ];
  for (const text of none) {
    it(`gives undefined for ${JSON.stringify(text.slice(-30))} of ${text.length} characters`, () => {
      assert.equal(canonicalHost(text), undefined);
    });
  }
});

describe('readHostPattern()', () => {
  it('reads a name, and "*." and a name', () => {
    assert.deepEqual(readHostPattern('A.test.'), { name: 'a.test', below: false });
    assert.deepEqual(readHostPattern('*.A.test.'), { name: 'a.test', below: true });
  });

  const star = 'only "*." at its beginning stands for other names';
  const address = 'it is an address, and an address has no host: use prefix';
  const noName = 'it is not a host name, nor "*." and one';
  const reasons: [text: string, reason: string][] = [
    ['*', star],
    ['*a', star],
    ['a.*', star],
    ['*.*', star],
    ['*.*.a', star],
    ['1.2.3.4', address],
    ['*.1.2.3.4', address],
    ['::1', address],
    ['[::1]', address],
    ['[fe80::1%x]', address],
    ['*.[::1]', address],
    ['', noName],
    ['*.', noName],
    ['a b', noName],
    ['127.1', noName],
    ['1[.2.3.4', noName],
    ['1.2.3].4', noName],
    ['[[::1]', noName],
  ];
  for (const [text, reason] of reasons) {
    it(`says "${reason}" for ${JSON.stringify(text)}`, () => {
      assert.equal(readHostPattern(text), reason);
    });
  }
});

describe('readPorts()', () => {
  const kind = 'it is a port (0 to 65535), [from, to], or a list of them';
  const each = 'each port is a whole number from 0 to 65535';
  const reasons: [value: unknown, reason: string][] = [
    ['80', kind],
    [undefined, kind],
    [null, kind],
    [80n, kind],
    [{ from: 1 }, kind],
    [-1, kind],
    [65536, kind],
    [1.5, kind],
    [NaN, kind],
    [new Number(80), kind],
    [[], 'it is an empty list'],
    [[65536], each],
    [['80'], each],
    [[80, '80'], each],
    [['80', 80], each],
    [[80, 65536], each],
    [[-1, 80], each],
    [[[80, 65536]], each],
    [[[-1, 80]], each],
    [[[1, '2']], each],
    [[[1, 2, 3]], each],
    [[[1]], each],
    [[[[1, 2]]], each],
    [[80, [81, 65536]], each],
    [Array(1), each],
    [[443, 80], 'the range from 443 to 80 is empty'],
    [[22, [443, 80]], 'the range from 443 to 80 is empty'],
  ];
  for (const [value, reason] of reasons) {
    const shown = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
    it(`says "${reason}" for ${typeof value} ${shown}`, () => {
      assert.equal(readPorts(value), reason);
    });
  }

  const read: [value: unknown, ports: [number, number][], input: unknown][] = [
    [0, [[0, 0]], 0],
    [65535, [[65535, 65535]], 65535],
    [[80], [[80, 80]], 80],
    [[80, 80], [[80, 80]], 80],
    [[80, 443], [[80, 443]], [80, 443]],
    [[[80, 443]], [[80, 443]], [80, 443]],
    [
      [
        [80, 80],
        [443, 443],
      ],
      [
        [80, 80],
        [443, 443],
      ],
      [
        [80, 80],
        [443, 443],
      ],
    ],
    [
      [8080, 80, 443],
      [
        [80, 80],
        [443, 443],
        [8080, 8080],
      ],
      [80, 443, 8080],
    ],
    [
      [443, [1, 9]],
      [
        [1, 9],
        [443, 443],
      ],
      [[1, 9], 443],
    ],
    [[[1, 9], 10, [5, 6], 3], [[1, 10]], [1, 10]],
    [
      [[1, 3], [1, 9], 11],
      [
        [1, 9],
        [11, 11],
      ],
      [[1, 9], 11],
    ],
    [
      [[1, 9], [1, 3], 11],
      [
        [1, 9],
        [11, 11],
      ],
      [[1, 9], 11],
    ],
    [[3, 2, 1], [[1, 3]], [1, 3]],
  ];
  for (const [value, ports, input] of read) {
    it(`reads ${JSON.stringify(value)} as ${JSON.stringify(input)}, the shortest that says the same`, () => {
      const result = readPorts(value);
      assert.deepEqual(result, ports);
      assert.ok(typeof result !== 'string' && Object.isFrozen(result) && result.every(Object.isFrozen));
      assert.deepEqual(portsAsInput(result), input);
      assert.deepEqual(readPorts(portsAsInput(result)), ports);
    });
  }

  it('hasPort() is true for the ends and what is between them', () => {
    const ports = readPorts([[80, 82], 443, 8080]);
    assert.ok(typeof ports !== 'string');
    const inside = [79, 80, 81, 82, 83, 442, 443, 444, 8079, 8080, 8081].filter((port) =>
      hasPort(ports, port),
    );
    assert.deepEqual(inside, [80, 81, 82, 443, 8080]);
  });

  it('isPort() is true for whole numbers from 0 to 65535', () => {
    for (const port of [0, 1, 65535]) assert.equal(isPort(port), true);
    for (const value of [-1, 65536, 0.5, NaN, Infinity, '80', 80n, [80], null, undefined, new Number(80)])
      assert.equal(isPort(value), false);
  });
});
