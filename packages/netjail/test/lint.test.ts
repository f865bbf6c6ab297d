import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { EntryInput } from '../src/entry.ts';
import type { LintWarning } from '../src/lint.ts';
import type { PortInput } from '../src/ports.ts';
import { ranges } from '../src/ranges.ts';
import { Rules, type RulesInit } from '../src/rules.ts';
import type { TargetFacts } from '../src/verdict.ts';

/** Each finding as `code list entry`. */
const found = (init: RulesInit): string[] =>
  new Rules(init).lint().map(({ code, list, entry }) => [code, list, entry].filter(Boolean).join(' '));

describe('the warnings of Rules.lint()', () => {
  const warning = (
    code: LintWarning['code'],
    message: string,
    list?: 'allow' | 'block',
    entry?: string,
  ): LintWarning => ({ code, scope: 0, list, entry, message });

  const rows: [name: string, init: RulesInit, warnings: LintWarning[]][] = [
    [
      'an empty allow list',
      { block: ['::1', '::1'] },
      [warning('denies-everything', 'nothing is allowed, so everything is denied')],
    ],
    [
      'allow entries that are blocked',
      { allow: ['::1', '10.0.0.1'], block: ['10.0.0.0/8', '::/64'] },
      [
        warning('never-matches', '::1 is allowed, and blocked as a whole', 'allow', '::1'),
        warning('never-matches', '10.0.0.1 is allowed, and blocked as a whole', 'allow', '10.0.0.1'),
        warning(
          'blocks-every-allow',
          'every allow entry is blocked or denied as a whole, so everything is denied',
        ),
      ],
    ],
    [
      'entries that are covered in their own list',
      { allow: ['::1', '::/64', '10.0.0.1', '10.0.0.0/8'], block: ['::2', '10.0.0.2', '10.0.0.2', '::2'] },
      [
        warning('redundant', '::1 has no effect: other allow entries cover it', 'allow', '::1'),
        warning('redundant', '10.0.0.1 has no effect: other allow entries cover it', 'allow', '10.0.0.1'),
        warning('redundant', '10.0.0.2 has no effect: other block entries cover it', 'block', '10.0.0.2'),
        warning('redundant', '::2 has no effect: other block entries cover it', 'block', '::2'),
      ],
    ],
    [
      'two ports that are a range',
      { allow: [{ port: [80, 443] }], block: [{ port: [80, 443], prefix: '10.0.0.0/8' }, '::1'] },
      [
        warning(
          'two-ports',
          'the ports of {"port":[80,443]} are all from 80 to 443; two ports are [[80, 80], [443, 443]]',
          'allow',
          '{"port":[80,443]}',
        ),
        warning(
          'two-ports',
          'the ports of {"prefix":"10.0.0.0/8","port":[80,443]} are all from 80 to 443; two ports are [[80, 80], [443, 443]]',
          'block',
          '{"prefix":"10.0.0.0/8","port":[80,443]}',
        ),
      ],
    ],
    [
      'a host that may lead everywhere',
      { allow: [{ host: 'a.test' }] },
      [
        warning(
          'host-reaches-inside',
          '{"host":"a.test"} allows the host wherever its name leads, and loopback, private, link-local addresses are not all blocked',
          'allow',
          '{"host":"a.test"}',
        ),
      ],
    ],
    [
      'IPv4 alone',
      { allow: ['10.0.0.0/8'] },
      [warning('one-family', 'only IPv4 addresses are allowed; IPv6 ones are all denied')],
    ],
    [
      'IPv6 alone',
      { allow: ['2000::/3'] },
      [warning('one-family', 'only IPv6 addresses are allowed; IPv4 ones are all denied')],
    ],
    [
      'a block of IPv4 alone',
      { allow: ['0.0.0.0/0', '::/0'], block: ['10.0.0.0/8'] },
      [warning('one-family-blocked', 'both families are allowed, and only IPv4 is blocked; IPv6 is open')],
    ],
    [
      'a block of IPv6 alone',
      { allow: ['0.0.0.0/0', '::/0'], block: ['fc00::/7'] },
      [warning('one-family-blocked', 'both families are allowed, and only IPv6 is blocked; IPv4 is open')],
    ],
  ];
  for (const [name, init, warnings] of rows) {
    it(`are exact for ${name}`, () => {
      assert.deepEqual(new Rules(init).lint(), warnings);
    });
  }

  it('stand in the order of the list', () => {
    const allow = ['::3', '10.0.0.2', '::1', '10.0.0.1', '::/0', '0.0.0.0/0'];
    assert.deepEqual(
      found({ allow }),
      allow.slice(0, 4).map((entry) => `redundant allow ${entry}`),
    );
    assert.deepEqual(found({ allow: allow.slice(0, 4), block: ['::/16', '10.0.0.0/8'] }), [
      ...allow.slice(0, 4).map((entry) => `never-matches allow ${entry}`),
      'blocks-every-allow',
    ]);
  });
});

describe('Rules.lint() of an allow list and a block list', () => {
  const never = (init: RulesInit): string[] =>
    found(init).filter((text) => text.startsWith('never-matches') || text === 'blocks-every-allow');

  it('finds an IPv6 entry only where each of its addresses is blocked', () => {
    const allow = [
      '2001:db8::/32',
      '2001:db8:1:2::/48',
      '2001:db9::/48',
      '2001:db8:2:3:4:5:6:7',
      '2001:db8:2:3:4:5:6:8',
      '2001:dba:5::/64',
    ];
    const block = [
      '2001:db8:1::/48',
      '2001:db8:2:3:4:5:6:7',
      '2001:db9::/64',
      '2001:db8::/49',
      '2001:dba:5::/72',
    ];
    assert.deepEqual(never({ allow, block }), [
      'never-matches allow 2001:db8:1:2::/48',
      'never-matches allow 2001:db8:2:3:4:5:6:7',
    ]);
  });

  it('finds an IPv6 entry that two adjacent blocks cover', () => {
    assert.deepEqual(never({ allow: ['fc00::/7', '::1'], block: ['fc00::/8', 'fd00::/8', 'fe80::/10'] }), [
      'never-matches allow fc00::/7',
    ]);
  });

  it('finds the range public where the block list has it, or all of its prefixes', () => {
    const without = (family: string): string[] => ranges.public.filter((text) => text.includes(family));
    assert.deepEqual(never({ allow: ['public', '10.0.0.0/8'], block: ['public'] }), [
      'never-matches allow public',
    ]);
    assert.deepEqual(never({ allow: ['10.0.0.1', 'public'], block: ['::1', 'public'] }), [
      'never-matches allow public',
    ]);
    assert.deepEqual(never({ allow: ['public', '10.0.0.0/8'], block: ranges.public }), [
      'never-matches allow public',
    ]);
    assert.deepEqual(never({ allow: ['public', '10.0.0.0/8'], block: without('.') }), []);
    assert.deepEqual(never({ allow: ['public', '10.0.0.0/8'], block: without(':') }), []);
    assert.deepEqual(never({ allow: ['public', '10.0.0.0/8'], block: ['loopback'] }), []);
  });

  it('finds entries with a host or port where plain blocks cover all addresses', () => {
    const allow = [{ port: 80 }, { host: 'a.test' }, { prefix: 'public', port: 443 }, '10.0.0.1'];
    assert.deepEqual(never({ allow, block: ['0.0.0.0/0', '::/0'] }), [
      'never-matches allow {"port":80}',
      'never-matches allow {"host":"a.test"}',
      'never-matches allow {"prefix":"public","port":443}',
      'never-matches allow 10.0.0.1',
      'blocks-every-allow',
    ]);
    assert.deepEqual(never({ allow, block: ['0.0.0.0/0'] }), ['never-matches allow 10.0.0.1']);
    assert.deepEqual(never({ allow, block: ['::/0'] }), []);
  });

  it('says that a path is blocked as a whole', () => {
    const [warning] = new Rules({ allow: [{ path: '/a' }, 'public'], block: [{ path: '/a' }] }).lint();
    assert.equal(warning?.message, '{"path":"/a"} is allowed, and blocked as a whole');
  });

  it('finds each entry with a path that is blocked, a repeated one as well', () => {
    const allow = ['10.0.0.1', { path: '/a' }, { path: '/b' }, { path: '/a' }];
    const blocked = 'never-matches allow {"path":"/a"}';
    assert.deepEqual(never({ allow, block: [{ path: '/a' }, '::1'] }), [blocked, blocked]);
    assert.deepEqual(never({ allow: [{ path: '/a' }, { path: '/a' }], block: [{ path: '/a' }] }), [
      blocked,
      blocked,
      'blocks-every-allow',
    ]);
  });

  const repeated: [what: string, entry: EntryInput, block?: EntryInput[]][] = [
    ['public', 'public'],
    ['another range', 'private'],
    ['a host', { host: 'a.test' }],
    ['a port', { port: [1, 79] }],
    ['public with a port', { prefix: 'public', port: 80 }],
    ['an address that carries a blocked one', '64:ff9b::a00:1', ['10.0.0.0/8']],
  ];
  for (const [what, entry, block = [entry]] of repeated) {
    it(`finds ${what} that is blocked and written twice, both times`, () => {
      const [one] = new Rules({ allow: [entry] }).allow;
      assert.deepEqual(never({ allow: [entry, entry], block }), [
        `never-matches allow ${one}`,
        `never-matches allow ${one}`,
        'blocks-every-allow',
      ]);
    });
  }

  it('finds no other prefix of the same port', () => {
    const allow = ['10.0.0.0/8', '11.0.0.0/8'].map((prefix) => ({ prefix, port: 80 }));
    assert.deepEqual(never({ allow, block: ['10.0.0.0/8', '::1'] }), [
      'never-matches allow {"prefix":"10.0.0.0/8","port":80}',
    ]);
  });

  it('finds every entry of a host that is blocked, whatever its prefix, and no other entry', () => {
    const host = 'a.test';
    const allow = [
      'public',
      { host, prefix: '10.0.0.0/8' },
      { host, prefix: '11.0.0.0/8' },
      { host, prefix: 'fd00::/8' },
      { host, prefix: 'fc00::/8' },
      { host: 'b.test', prefix: '10.0.0.0/8' },
    ];
    assert.deepEqual(never({ allow, block: [{ host }] }), [
      'never-matches allow {"prefix":"10.0.0.0/8","host":"a.test"}',
      'never-matches allow {"prefix":"11.0.0.0/8","host":"a.test"}',
      'never-matches allow {"prefix":"fd00::/8","host":"a.test"}',
      'never-matches allow {"prefix":"fc00::/8","host":"a.test"}',
    ]);
    assert.deepEqual(never({ allow: [{ host }, '10.0.0.0/8'], block: [{ host }] }), [
      'never-matches allow {"host":"a.test"}',
    ]);
    assert.deepEqual(never({ allow: [{ host, prefix: 'public' }, '10.0.0.0/8'], block: [{ host }] }), [
      'never-matches allow {"prefix":"public","host":"a.test"}',
    ]);
  });

  const conditions: [allow: object, block: object, covered: boolean][] = [
    [{ host: 'a.test' }, { host: 'a.test' }, true],
    [{ host: 'a.test' }, { host: 'b.test' }, false],
    [{ host: 'a.test' }, { host: 'a.test', prefix: '0.0.0.0/0' }, false],
    [{ host: 'a.test' }, { host: '*.a.test' }, false],
    [{ host: '*.a.test' }, { host: 'a.test' }, false],
    [{ host: '*.a.test' }, { host: 'b.test' }, false],
    [{ host: '*.a.test' }, { host: '*.a.test' }, true],
    [{ host: '*.a.test' }, { host: '*.b.test' }, false],
    [{ host: '*.a.test' }, { host: '*.test' }, true],
    [{ host: '*.test' }, { host: '*.a.test' }, false],
    [{ host: 'x.a.test' }, { host: '*.a.test' }, true],
    [{ host: 'x.y.a.test' }, { host: '*.a.test' }, true],
    [{ host: '*.x.a.test' }, { host: '*.a.test' }, true],
    [{ host: 'xa.test' }, { host: '*.a.test' }, false],
    [{ host: 'x.b.test' }, { host: '*.a.test' }, false],
    [{ port: 80 }, { host: 'a.test' }, false],
    [{ port: 80 }, { host: '*.a.test' }, false],
    [{ host: 'a.test' }, { port: 80 }, false],
    [{ host: 'a.test', port: 80 }, { port: 80 }, true],
    [{ host: 'a.test', port: 80 }, { host: 'a.test' }, true],
    [{ host: 'a.test', port: 80 }, { host: 'a.test', port: 80 }, true],
    [{ host: 'a.test', port: 80 }, { host: 'a.test', port: 81 }, false],
    [{ host: 'a.test', port: 80 }, { host: 'b.test', port: 80 }, false],
    [{ port: 80 }, { port: 80 }, true],
    [{ port: [80, 90] }, { port: [80, 90] }, true],
    [{ port: [80, 90] }, { port: [81, 90] }, false],
    [{ port: [80, 90] }, { port: [80, 89] }, false],
    [{ port: [80, 90] }, { port: [79, 91] }, true],
    [{ port: 80 }, { port: [[1, 2], 80] }, true],
    [{ port: [[1, 2], 80] }, { port: 80 }, false],
    [{ port: [[1, 2], 80] }, { port: [1, 80] }, true],
    [{ port: [[80, 81], 90] }, { port: [[80, 82], 89] }, false],
  ];
  for (const [allow, block, covered] of conditions) {
    it(`finds ${JSON.stringify(allow)} ${covered ? '' : 'not '}blocked by ${JSON.stringify(block)}`, () => {
      assert.equal(never({ allow: [allow, '10.0.0.1'], block: [block] }).length, covered ? 1 : 0);
    });
  }
});

describe('Rules.lint() of blocks that depend on the port', () => {
  const rows: [allow: EntryInput, block: EntryInput[], covered: boolean][] = [
    ['10.0.0.1', [{ port: [0, 65_535] }], true],
    ['10.0.0.1', [{ port: [1, 65_535] }], false],
    ['10.0.0.1', [{ port: [0, 65_534] }], false],
    ['10.0.0.1', [{ port: [0, 999] }, { port: [1000, 65_535] }], true],
    ['10.0.0.1', [{ port: [0, 998] }, { port: [1000, 65_535] }], false],
    ['10.0.0.1', [{ port: [0, 999], prefix: '10.0.0.0/8' }, { port: [900, 65_535] }], true],
    ['10.0.0.1', [{ port: [0, 999], prefix: '11.0.0.0/8' }, { port: [900, 65_535] }], false],
    [{ port: [80, 90] }, [{ port: [70, 85] }, { port: [86, 90] }], true],
    [{ port: [80, 90] }, [{ port: [70, 85] }, { port: [87, 90] }], false],
    [{ port: [80, 90] }, [{ port: [70, 85] }, { port: [86, 89] }], false],
    [{ port: [80, 90] }, [{ port: [81, 90] }, { port: [91, 99] }], false],
    [{ port: [[80, 85], 443] }, [{ port: [1, 100] }, { port: 443 }], true],
    [{ port: [[80, 85], 443] }, [{ port: [1, 100] }, { port: 444 }], false],
    [{ host: 'a.test', port: [80, 90] }, [{ host: '*.test', port: [80, 85] }, { port: [86, 90] }], true],
    [{ host: 'a.test', port: [80, 90] }, [{ host: 'b.test', port: [80, 85] }, { port: [86, 90] }], false],
    // The addresses that are blocked on every port: 10.0.0.0/9 by the one, the rest by the other.
    [{ prefix: '10.0.0.0/8', port: [1, 9] }, ['10.0.0.0/9', { prefix: '10.128.0.0/9', port: [0, 10] }], true],
    [
      { prefix: '10.0.0.0/8', port: [1, 9] },
      ['10.0.0.0/9', { prefix: '10.128.0.0/9', port: [2, 10] }],
      false,
    ],
    [
      { prefix: '10.0.0.0/8', port: [1, 9] },
      [
        { prefix: '10.0.0.0/9', port: [1, 9] },
        { prefix: '10.128.0.0/9', port: [1, 5] },
        { prefix: '10.128.0.0/9', port: [6, 9] },
      ],
      true,
    ],
  ];
  for (const [allow, block, covered] of rows) {
    const text = JSON.stringify(allow);
    it(`finds ${text} ${covered ? '' : 'not '}blocked by ${JSON.stringify(block)}`, () => {
      const entries = found({ allow: [allow, { path: '/x' }], block }).filter((one) =>
        one.startsWith('never'),
      );
      assert.equal(entries.length, covered ? 1 : 0);
    });
  }

  it('finds what a name can lead to on one of its ports', () => {
    const allow = [{ host: 'a.test', port: [80, 81] as const }];
    const message = (block: EntryInput[]): string | undefined =>
      new Rules({ allow, block }).lint().find(({ code }) => code === 'host-reaches-inside')?.message;
    const block = ['private', 'link-local', { prefix: 'loopback', port: 80 }];
    assert.match(message(block)!, /and loopback addresses are/);
    assert.equal(message([...block, { prefix: 'loopback', port: 81 }]), undefined);
    assert.match(message([...block, { prefix: '8.8.8.8', port: 81 }])!, /and loopback addresses are/);
  });
});

describe('Rules.lint() of one address', () => {
  const rows: [allow: EntryInput, block: EntryInput[], never: boolean][] = [
    ['::', ['127.0.0.0/8'], true],
    ['0.0.0.0', ['::1'], true],
    ['::', ['10.0.0.0/8'], false],
    ['::/127', ['127.0.0.0/8'], false],
    ['0.0.0.0/31', ['::1'], false],
    ['64:ff9b::7f00:1', ['127.0.0.0/8'], true],
    ['64:ff9b::7f00:1', ['10.0.0.0/8'], false],
    ['2002:a00:1::', ['private'], true],
    [{ prefix: '64:ff9b::a00:1', host: 'a.test' }, ['10.0.0.0/8'], true],
    [{ prefix: '64:ff9b::a00:1', host: 'a.test' }, [{ prefix: '10.0.0.0/8', host: 'a.test' }], true],
    [{ prefix: '64:ff9b::a00:1', host: 'a.test' }, [{ prefix: '10.0.0.0/8', host: 'b.test' }], false],
    [{ prefix: '64:ff9b::a00:1', port: [80, 90] }, [{ prefix: '10.0.0.0/8', port: [80, 89] }], false],
    [{ prefix: '64:ff9b::a00:1', port: [80, 90] }, [{ prefix: '10.0.0.0/8', port: [80, 91] }], true],
  ];
  for (const [allow, block, never] of rows) {
    const text = JSON.stringify(allow);
    it(`finds ${text} ${never ? '' : 'not '}denied where ${JSON.stringify(block)} is blocked`, () => {
      const init = { allow: [allow, { path: '/x' }], block };
      assert.equal(found(init).filter((one) => one.startsWith('never')).length, never ? 1 : 0);
    });
  }

  it('says why', () => {
    const [warning] = new Rules({ allow: ['::', '8.8.8.8', '::1'], block: ['127.0.0.0/8'] }).lint();
    assert.equal(warning?.message, ':: is allowed, and denied for where it leads or what it carries');
  });
});

describe('Rules.lint() of thousands of entries', () => {
  // With each host held against each block on each port it would take minutes.
  it('ends when each host has its own ports and each block, too', () => {
    const numbers = Array.from({ length: 3000 }, (_, i) => i + 1);
    const allow = numbers.map((port) => ({ host: `h${port}.test`, port: [port, port + 20] as const }));
    const block = numbers.map((port) => ({ port, prefix: 'special-purpose' }));
    const warnings = new Rules({ allow: [...allow, 'public'], block }).lint();
    assert.deepEqual(
      warnings.filter(({ code }) => code !== 'host-reaches-inside'),
      [],
    );
  });

  it('ends when all ports are blocked, by ranges that overlap', () => {
    const numbers = Array.from({ length: 2000 }, (_, i) => i + 1);
    const allow = numbers.map((port) => ({ host: `h${port}.test`, prefix: '10.0.0.0/8' }));
    const block = numbers.map((port) => ({
      port: [port, 30_000 + port] as const,
      prefix: `11.${port >> 8}.${port & 255}.0/24`,
    }));
    assert.deepEqual(
      found({ allow: [...allow, 'public'], block: [...block, { port: [0, 65_535], prefix: '12.0.0.0/8' }] }),
      [],
    );
  });

  it('ends when entries differ by their port only', () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i + 1);
    const of = (port: number, by: number): object => ({
      host: 'a.test',
      port,
      prefix: `10.${by}.${port >> 8}.${port & 255}`,
    });
    const allow = numbers.map((port) => of(port, 0));
    const block = numbers.map((port) => of(port, 1));
    assert.deepEqual(found({ allow: [...allow, 'public'], block }), []);
    // Then no allow entry of them matches, and no block entry is needed.
    const all = found({ allow: [...allow, 'public'], block: [...block, 'special-purpose'] });
    assert.equal(all.length, 10_000);
  });

  it('ends when two entries have thousands of ports', () => {
    const ports = Array.from({ length: 32_000 }, (_, i) => [2 * i + 1, 2 * i + 1] as const);
    const last = [2, 65_534] as const;
    const codes = (port: readonly PortInput[]): string[] =>
      new Rules({ allow: ['0.0.0.0/0', '::/0'], block: [{ port: ports }, { host: 'a.test', port }] })
        .lint()
        .map(({ code }) => code);
    assert.deepEqual(codes(ports), ['redundant']);
    assert.deepEqual(codes([...ports, last]), []);
  });

  it('ends when a range is written again and again', () => {
    const allow = Array.from({ length: 4000 }, () => 'special-purpose');
    assert.equal(found({ allow: [...allow, '::/0', '0.0.0.0/0'] }).length, 4000);
  });
});

describe('Rules.lint() of one list', () => {
  const redundant = (init: RulesInit): string[] => found(init).filter((text) => text.startsWith('redundant'));

  it('finds an entry with a host or port inside of plain ones', () => {
    assert.deepEqual(redundant({ allow: ['::/0', '0.0.0.0/0', { prefix: 'public', port: 80 }] }), [
      'redundant allow {"prefix":"public","port":80}',
    ]);
    assert.deepEqual(redundant({ allow: [{ port: 80 }, '0.0.0.0/0', '::/0'] }), [
      'redundant allow {"port":80}',
    ]);
    assert.deepEqual(redundant({ allow: ['::/0', { prefix: 'fd00::/8', host: 'a.test' }] }), [
      'redundant allow {"prefix":"fd00::/8","host":"a.test"}',
    ]);
  });

  const notTransition = ranges['special-purpose'].filter((text) => !ranges.transition.includes(text));

  /** What an IPv6 address of `public` carries is judged, in the allow list: there a prefix says more. */
  const covered: [what: string, list: EntryInput[], redundant: number[], inBlock?: number[]][] = [
    ['a range that is written twice', ['private', 'loopback', 'private'], [2]],
    ['public that is written twice', ['public', 'public'], [1]],
    ['an IPv4 prefix inside public', ['8.8.8.0/24', 'public'], [0]],
    ['an IPv6 prefix inside public in the block list only', ['2600::/16', 'public'], [], [0]],
    ['no IPv4 prefix that is partly outside of public', ['8.0.0.0/5', 'public'], []],
    [
      'an IPv6 prefix with a port inside public in the block list only',
      [{ prefix: '64:ff9b::/96', port: 80 }, { prefix: '2600::/16', host: 'a.test' }, 'public'],
      [],
      [0, 1],
    ],
    [
      'an IPv6 prefix of the same port as public in the block list only',
      [
        { prefix: '2600::/16', port: 80 },
        { prefix: 'public', port: 80 },
      ],
      [],
      [0],
    ],
    ['a prefix that a range behind it has, too', ['10.0.0.0/8', 'private'], [0]],
    ['an IPv6 prefix that a range behind it has, too', ['fe80::/10', '8.8.8.8', 'link-local'], [0]],
    ['prefixes that a range behind them has, too', ['10.0.0.0/8', '192.168.0.0/16', 'private'], [0, 1]],
    [
      'a range with the prefixes of entries before it',
      [...ranges.private, 'private'],
      [ranges.private.length],
    ],
    [
      'no port beside public and all that is not, since public judges what an IPv6 address carries',
      ['public', 'special-purpose', '::/3', '4000::/2', '8000::/1', { port: 443 }],
      [],
      [5],
    ],
    ['a prefix that two ranges behind it have, too', ['10.0.0.0/8', 'special-purpose', 'private'], [0, 2]],
    ['no range of which only a part is in a range behind it', ['transition', 'special-purpose'], []],
    [
      'a range that entries before it and a range behind it have together, and not those entries',
      [...notTransition, 'special-purpose', 'transition'],
      [notTransition.length],
    ],
    ['a range inside another one behind it', ['link-local', 'special-purpose'], [0]],
    ['a range inside another one before it', ['special-purpose', 'link-local'], [1]],
    [
      'a range of which one part is covered, and the other is in a range behind it',
      ['benchmarking', 'special-purpose'],
      [0],
    ],
    [
      'ports that are all in one of several ranges',
      [
        { port: [80, 85] },
        {
          port: [
            [1, 2],
            [70, 90],
          ],
        },
      ],
      [0],
    ],
    ['no ports of which some are not in others', [{ port: [[80, 85], 443] }, { port: [80, 90] }], []],
    [
      'a prefix of the same host and port as a range behind it',
      [
        { prefix: '10.0.0.0/8', host: 'a.test', port: 80 },
        { prefix: 'private', host: 'a.test', port: 80 },
      ],
      [0],
    ],
    [
      'no prefix of another host or port than a range behind it',
      [
        { prefix: '10.0.0.0/8', host: 'b.test', port: 80 },
        { prefix: '10.0.0.0/8', host: 'a.test', port: 81 },
        { prefix: 'private', host: 'a.test', port: 80 },
      ],
      [],
    ],
    [
      'all that is in the last range, another range too',
      ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'private', 'special-purpose'],
      [0, 1, 2, 3],
    ],
    ['public with a port beside public', [{ prefix: 'public', port: 80 }, 'public'], [0]],
    ['an IPv4 prefix behind public', ['public', '8.8.8.0/24'], [1]],
    ['public beside every address of both families', ['0.0.0.0/0', 'public', '::/0'], [1]],
    ['public beside prefixes that have all of it', ['public', '128.0.0.0/1', '::/0', '0.0.0.0/1'], [0]],
    ['no public of which a part is in no prefix', ['public', '0.0.0.0/1', '::/0'], []],
    [
      'public of a port beside prefixes with it and without',
      [{ prefix: 'public', port: 80 }, { prefix: '0.0.0.0/0', port: [80, 90] }, '::/0'],
      [0],
    ],
    [
      'the prefixes of public beside it, and not public as well',
      [...ranges.public, 'public'],
      ranges.public.flatMap((text, at) => (text.includes(':') ? [] : [at])),
      ranges.public.map((_, at) => at),
    ],
    [
      'prefixes inside of public, and not public, which they cover together with others',
      [
        'public',
        '8.0.0.0/8',
        '0.0.0.0/5',
        '9.0.0.0/8',
        '10.0.0.0/7',
        '12.0.0.0/6',
        '16.0.0.0/4',
        '32.0.0.0/3',
        '64.0.0.0/2',
        '128.0.0.0/1',
        '::/0',
      ],
      [1, 3, 5, 6, 7],
    ],
    [
      'an IPv6 prefix with a port beside every address of more ports, and public beside it',
      [{ port: [80, 90] }, { prefix: 'fd00::/8', port: 85 }, { prefix: 'public', port: [80, 90] }],
      [1, 2],
    ],
    [
      'no prefixes of the same port beside each other',
      [
        { prefix: '10.0.0.0/8', port: 80 },
        { prefix: '12.0.0.0/8', port: 80 },
      ],
      [],
    ],
    ['a host that is written twice', [{ host: 'a.test' }, { host: 'A.test.' }, { host: 'b.test' }], [1]],
    ['ports that are written twice', [{ port: 80 }, { port: [[80, 80]] }, { port: 81 }], [1]],
    ['a path that is written twice', [{ path: '/a' }, { path: '/b' }, { path: '/a' }], [2]],
    [
      'a prefix inside another one of the same host and port',
      [
        { prefix: '10.1.0.0/16', host: 'a.test', port: 80 },
        { prefix: '10.0.0.0/8', host: 'a.test', port: 80 },
      ],
      [0],
    ],
    [
      'a prefix of the same port as an entry without one',
      [{ port: 80 }, { prefix: 'fd00::/8', port: 80 }, '0.0.0.0/0'],
      [1],
    ],
    ['public beside every address of the same port', [{ port: 80 }, { prefix: 'public', port: 80 }], [1]],
    [
      'a host below a wildcard, not the name of the wildcard itself',
      [{ host: '*.a.test' }, { host: 'b.a.test' }, { host: 'a.test' }, { host: '*.b.a.test' }],
      [1, 3],
    ],
    ['no wildcard of a name beside another one', [{ host: '*.a.test' }, { host: '*.ba.test' }], []],
    ['a port inside a range of ports', [{ port: [80, 90] }, { port: [85, 90] }, { port: [85, 91] }], [1]],
    ['a host and port inside the port alone', [{ host: 'a.test', port: 80 }, { port: 80 }], [0]],
    ['no port alone beside a host with it', [{ host: 'a.test' }, { port: 80 }], []],
    ['no plain prefix beside one with a port', ['10.0.0.0/8', { prefix: '10.0.0.0/7', port: 80 }], []],
    [
      'a prefix that two entries cover together',
      [
        { prefix: '10.0.0.0/8', host: 'a.test', port: 80 },
        { prefix: '10.0.0.0/9', port: 80 },
        { prefix: '10.128.0.0/9', host: '*.test' },
      ],
      [0],
    ],
    [
      'a range with a part in plain entries and a part in those of its port',
      [
        '10.0.0.0/8',
        '172.16.0.0/12',
        { prefix: 'private', port: 80 },
        { prefix: '192.168.0.0/16', port: [1, 99] },
      ],
      [],
    ],
    [
      'a range of which every part is somewhere',
      [
        '10.0.0.0/8',
        '172.16.0.0/12',
        { prefix: 'private', port: 80 },
        { prefix: '192.168.0.0/16', port: [1, 99] },
        { prefix: 'fc00::/7', port: [80, 99] },
      ],
      [2],
    ],
  ];
  for (const list of ['allow', 'block'] as const) {
    for (const [what, entries, inAllow, inBlock = inAllow] of covered) {
      const expected = list === 'allow' ? inAllow : inBlock;
      it(`finds ${what} in the ${list} list`, () => {
        const init = list === 'allow' ? { allow: entries } : { allow: ['0.0.0.0/0', '::/0'], block: entries };
        const written = new Rules(init).toJSON()[list];
        const texts = written.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
        assert.deepEqual(
          redundant(init),
          expected.map((at) => `redundant ${list} ${texts[at]}`),
        );
      });
    }
  }

  it('finds only what makes no difference when it is taken out', () => {
    const fields = {
      prefix: fc.constantFrom(
        'public',
        'private',
        'link-local',
        'special-purpose',
        'fe80::/10',
        '10.0.0.0/8',
        '10.0.0.0/9',
        '10.128.0.0/9',
        '8.8.8.0/24',
        '64:ff9b::/96',
        '2600::/16',
        'fd00::/8',
        '0.0.0.0/0',
        '::/0',
      ),
      host: fc.constantFrom('a.test', '*.test', 'b.a.test', '*.a.test'),
      port: fc.constantFrom<PortInput>(80, [80, 90], [85, 90]),
    };
    const entry = fc.record(fields, { requiredKeys: [] }).filter((one) => Object.keys(one).length > 0);
    const entries = fc.array(entry as fc.Arbitrary<EntryInput>, { minLength: 1, maxLength: 6 });
    const addresses = [
      '10.0.0.1',
      '10.200.0.1',
      '8.8.8.8',
      '1.1.1.1',
      '192.168.0.1',
      '127.0.0.1',
      '0.0.0.0',
      '64:ff9b::10.0.0.1',
      '64:ff9b::8.8.8.8',
      '2600::1',
      'fd00::1',
      '::1',
      '2002:a00:1::',
    ];
    const verdicts = (rules: Rules): boolean[] =>
      [undefined, 'test', 'a.test', 'b.a.test', 'c.b.a.test'].flatMap((host) =>
        [undefined, 80, 85, 443].flatMap((port) =>
          addresses.map((one) => rules.accept(one, { host, port } as TargetFacts)),
        ),
      );
    let taken = 0;
    fc.assert(
      fc.property(entries, entries, (allow, block) => {
        const rules = new Rules({ allow, block });
        const lists = rules.toJSON();
        for (const { code, list, entry: text } of rules.lint()) {
          if (code !== 'redundant') continue;
          const left = lists[list!].filter(
            (_, i, all) =>
              i !==
              all.findLastIndex((one) => text === (typeof one === 'string' ? one : JSON.stringify(one))),
          );
          assert.equal(left.length, lists[list!].length - 1);
          assert.deepEqual(
            verdicts(new Rules({ ...lists, [list!]: left })),
            verdicts(rules),
            `${list} ${text}`,
          );
          taken++;
        }
        // All at once, too.
        const left: { allow: readonly EntryInput[]; block: readonly EntryInput[] } = { ...rules.toJSON() };
        for (const { code, list, entry: text } of rules.lint()) {
          if (code !== 'redundant') continue;
          const written = left[list!].map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
          const at = written.lastIndexOf(text!);
          left[list!] = left[list!].filter((_, i) => i !== at);
        }
        assert.deepEqual(verdicts(new Rules(left)), verdicts(rules));
      }),
    );
    assert.ok(taken > 0);
  });

  it('finds no range redundant of which a part is open', () => {
    assert.deepEqual(redundant({ allow: ['0.0.0.0/0', 'private'] }), []);
    assert.deepEqual(redundant({ allow: ['0.0.0.0/0', 'private', 'fc00::/6'] }), ['redundant allow private']);
    assert.deepEqual(redundant({ allow: ['public', '10.0.0.0/8'] }), []);
  });

  const ports: [port: unknown, found: boolean][] = [
    [[80, 443], true],
    [[[80, 443]], true],
    [
      [
        [80, 80],
        [443, 443],
      ],
      false,
    ],
    [[79, 443], false],
    [[80, 444], false],
    [[[80, 443], 8080], false],
    [[1, [80, 443]], false],
    [80, false],
  ];
  for (const [port, twoPorts] of ports) {
    it(`${twoPorts ? 'warns of' : 'says nothing to'} the ports ${JSON.stringify(port)}`, () => {
      const warnings = found({ allow: [{ prefix: 'public', port: port as never }] });
      assert.deepEqual(
        warnings.map((text) => text.split(' ')[0]),
        twoPorts ? ['two-ports'] : [],
      );
    });
  }
});

describe('Rules.lint() of hosts', () => {
  const inside: [prefix: string, kind: string][] = [
    ['127.0.0.0/8', 'loopback'],
    ['::1/128', 'loopback'],
    ['10.0.0.0/8', 'private'],
    ['172.16.0.0/12', 'private'],
    ['192.168.0.0/16', 'private'],
    ['fc00::/7', 'private'],
    ['169.254.0.0/16', 'link-local'],
    ['fe80::/10', 'link-local'],
  ];
  const message = (kinds: string): string =>
    `{"host":"a.test"} allows the host wherever its name leads, and ${kinds} addresses are not all blocked`;
  for (const [open, kind] of inside) {
    it(`calls ${open} ${kind} when it is the only one that a name can lead to`, () => {
      const block = inside.map(([prefix]) => prefix).filter((prefix) => prefix !== open);
      const warnings = new Rules({ allow: [{ host: 'a.test' }], block }).lint();
      assert.deepEqual(
        warnings.map((one) => one.message),
        [message(kind)],
      );
    });
  }

  it('says nothing to entries that ask for an address, or for no host', () => {
    const host = 'a.test';
    for (const entry of [
      { host, prefix: '10.0.0.0/8' },
      { host, prefix: 'private' },
      { port: 80 },
      { path: '/a' },
      '10.0.0.0/8',
      'private',
    ] as const) {
      assert.deepEqual(found({ allow: [entry, '2000::/3', '192.0.2.0/24'] }), [], JSON.stringify(entry));
    }
  });

  it('says nothing to a host that is blocked itself, or whose inner addresses all are', () => {
    const allow = [{ host: 'a.test' }, 'public'];
    assert.deepEqual(found({ allow, block: [{ host: 'a.test' }] }), [
      'never-matches allow {"host":"a.test"}',
    ]);
    assert.deepEqual(found({ allow, block: inside.map(([prefix]) => prefix) }), []);
  });
});

describe('Rules.lint() of the two families', () => {
  const bothAllowed: RulesInit['allow'][] = [
    ['10.0.0.0/8', 'fd00::/8'],
    ['public'],
    ['public', '10.0.0.0/8'],
    ['public', 'fd00::/8'],
    ['10.0.0.0/8', 'public'],
    [{ port: 80 }],
    [{ port: 80 }, '10.0.0.0/8'],
    [{ port: 80 }, 'fd00::/8'],
    ['10.0.0.0/8', { port: 80 }],
    ['10.0.0.0/8', { port: 80, prefix: 'fd00::/8' }],
    [{ path: '/a' }],
  ];
  for (const allow of bothAllowed) {
    it(`says nothing when ${JSON.stringify(allow)} is allowed`, () => {
      assert.deepEqual(found({ allow: allow! }), []);
    });
  }

  const blocks: [block: RulesInit['block'], one: boolean][] = [
    [[], false],
    [['10.0.0.0/8', 'fd00::/8'], false],
    [['private'], false],
    [['public'], false],
    [[{ port: 25 }], false],
    [[{ prefix: '10.0.0.0/8', port: 25 }], true],
    [['fd00::/8'], true],
  ];
  for (const [block, one] of blocks) {
    it(`${one ? 'warns' : 'says nothing'} when everything but ${JSON.stringify(block)} is allowed`, () => {
      assert.deepEqual(
        found({ allow: ['::/0', '0.0.0.0/0'], block: block! }),
        one ? ['one-family-blocked'] : [],
      );
    });
  }

  it('says nothing to a block of one family when not all of the families is allowed', () => {
    for (const allow of [['0.0.0.0/0', '::/1'], ['0.0.0.0/1', '::/0'], ['public']]) {
      assert.deepEqual(found({ allow, block: ['127.0.0.0/8'] }), []);
    }
    const hosts = [{ host: 'a.test' }, { prefix: '::/0', port: 1 }, '0.0.0.0/1'];
    assert.ok(!found({ allow: hosts, block: ['127.0.0.0/8'] }).includes('one-family-blocked'));
  });

  it('warns of a block of one family when several entries allow all of both', () => {
    for (const allow of [
      ['0.0.0.0/1', '128.0.0.0/1', '::/0'],
      [{ port: 443 }],
      [{ prefix: '0.0.0.0/0', port: 1 }, '::/1', '8000::/1'],
    ]) {
      assert.deepEqual(found({ allow, block: ['127.0.0.0/8'] }), ['one-family-blocked']);
    }
  });
});
