import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Address } from '../src/address.ts';
import { show } from '../src/internal/assert.ts';
import type { EntryInput } from '../src/entry.ts';
import { Rules } from '../src/rules.ts';

describe('Rules.explain()', () => {
  it('names a range once that has the address in two of its prefixes', () => {
    const rules = new Rules({ allow: ['reserved'], block: ['reserved'] });
    const [step] = rules.explain('255.255.255.255').steps;
    assert.deepEqual([step?.allow, step?.block], [['reserved'], ['reserved']]);
  });

  it('shows every reading of an address with the entries that match it', () => {
    const rules = new Rules({
      allow: ['::/0', { prefix: '0.0.0.0/0', port: 80 }],
      block: ['10.0.0.0/8', '127.0.0.0/8', '127.0.0.1'],
    });
    const explanation = rules.explain({ address: '2002:7f00:1::5efe:a00:1', host: 'a.test', port: 80 });
    assert.deepEqual(
      explanation.steps.map(({ scope, reading, kind, carrier, allow, block }) => [
        scope,
        reading,
        kind,
        carrier,
        allow,
        block,
      ]),
      [
        [0, '2002:7f00:1::5efe:a00:1', 'itself', undefined, ['::/0'], []],
        [
          0,
          '127.0.0.1',
          'carried',
          '6to4',
          ['{"prefix":"0.0.0.0/0","port":80}'],
          ['127.0.0.0/8', '127.0.0.1'],
        ],
        [0, '10.0.0.1', 'carried', 'ISATAP', ['{"prefix":"0.0.0.0/0","port":80}'], ['10.0.0.0/8']],
      ],
    );
    assert.equal(explanation.verdict.reason, 'carried-address-blocked');
    assert.equal(
      String(explanation),
      [
        '2002:7f00:1::5efe:a00:1 for a.test port 80: denied, carried-address-blocked',
        '  2002:7f00:1::5efe:a00:1 itself: allowed by ::/0, blocked by nothing',
        '  127.0.0.1 carried (6to4): allowed by {"prefix":"0.0.0.0/0","port":80}, blocked by 127.0.0.0/8 127.0.0.1',
        '  10.0.0.1 carried (ISATAP): allowed by {"prefix":"0.0.0.0/0","port":80}, blocked by 10.0.0.0/8',
        '  2002:7f00:1::5efe:a00:1 carries 127.0.0.1, which is blocked by 127.0.0.0/8',
      ].join('\n'),
    );
    assert.deepEqual(JSON.parse(JSON.stringify(explanation)).steps[1].block, ['127.0.0.0/8', '127.0.0.1']);
    assert.ok(Object.isFrozen(explanation) && Object.isFrozen(explanation.steps));
  });

  const carriers: [address: string, steps: string[]][] = [
    ['10.0.0.1', ['10.0.0.1 itself']],
    ['::ffff:10.0.0.1', ['10.0.0.1 unmapped']],
    ['0.0.0.0', ['0.0.0.0 itself', '127.0.0.1 loopback', '::1 loopback']],
    ['64:ff9b::a00:1', ['64:ff9b::a00:1 itself', '10.0.0.1 NAT64']],
    ['64:ff9b:1::a00:1', ['64:ff9b:1::a00:1 itself', '10.0.0.1 NAT64']],
    ['::a00:1', ['::a00:1 itself', '10.0.0.1 IPv4-compatible']],
    ['::ffff:0:a00:1', ['::ffff:0:a00:1 itself', '10.0.0.1 IPv4-translated']],
    ['2001:0:a00:1::f5ff:fffd', ['2001:0:a00:1::f5ff:fffd itself', '10.0.0.1 Teredo', '10.0.0.2 Teredo']],
    ['2600::5efe:a00:1', ['2600::5efe:a00:1 itself', '10.0.0.1 ISATAP']],
    ['::1', ['::1 itself']],
    ['not an address', []],
    ['fe80::1%eth0', []],
  ];
  for (const [address, expected] of carriers) {
    it(`names the readings of ${address}`, () => {
      const { steps, verdict } = new Rules({ allow: ['public'] }).explain(address);
      assert.deepEqual(
        steps.map(({ reading, kind, carrier }) => `${reading} ${carrier ?? kind}`),
        expected,
      );
      assert.deepEqual(verdict, new Rules({ allow: ['public'] }).judge(address));
    });
  }

  it('gives the verdict on a name and on a path where there is no address', () => {
    const rules = new Rules({ allow: [{ host: 'a.test', port: 443 }, { path: '/run/a' }] });
    assert.match(
      String(rules.explain({ host: 'a.test', port: 443 })),
      /^a\.test port 443: allowed\n.*looked up/,
    );
    assert.equal(rules.explain({ host: 'a.test', port: 80 }).verdict.reason, 'port-not-allowed');
    assert.equal(rules.explain({ host: 'b.test' }).verdict.reason, 'host-not-allowed');
    assert.match(String(rules.explain({ path: '/run/a' })), /allowed by {"path":"\/run\/a"}/);
    assert.equal(rules.explain({ path: '/run/b' }).verdict.reason, 'path-not-allowed');
    assert.equal(rules.explain({}).verdict.reason, 'host-not-allowed');
  });

  it('shows each scope', () => {
    const both = Rules.intersect(new Rules({ allow: ['10.0.0.0/8'] }), new Rules({ allow: ['10.1.0.0/16'] }));
    const { steps, verdict } = both.explain('10.2.0.1');
    assert.deepEqual(
      steps.map(({ scope, allow }) => [scope, allow]),
      [
        [0, ['10.0.0.0/8']],
        [1, []],
      ],
    );
    assert.equal(verdict.reason, 'not-allowed');
  });

  it('shows entries in the order of the list, for an Address as for its text', () => {
    const rules = new Rules({
      allow: [
        { port: 80 },
        '10.0.0.1',
        'private',
        { prefix: '10.0.0.0/9', port: 80 },
        '10.0.0.0/10',
        '10.0.0.1',
      ],
      block: ['10.0.0.1/32', { host: 'a.test' }, '10.0.0.0/16', { port: [79, 80] }],
    });
    const facts = { host: 'a.test', port: 80 };
    const explanation = rules.explain({ address: Address.parse('::ffff:10.0.0.1'), ...facts });
    assert.deepEqual(explanation, rules.explain({ address: '::ffff:10.0.0.1', ...facts }));
    assert.deepEqual(explanation.steps, [
      {
        scope: 0,
        reading: '10.0.0.1',
        kind: 'unmapped',
        carrier: undefined,
        allow: ['{"port":80}', '10.0.0.1', 'private', '{"prefix":"10.0.0.0/9","port":80}', '10.0.0.0/10'],
        block: ['10.0.0.1/32', '{"host":"a.test"}', '10.0.0.0/16', '{"port":[79,80]}'],
      },
    ]);
    const [step] = explanation.steps;
    assert.ok(Object.isFrozen(step) && Object.isFrozen(step!.allow) && Object.isFrozen(step!.block));
    assert.deepEqual(rules.explain(Address.parse('10.0.0.1')), rules.explain('10.0.0.1'));
    assert.deepEqual(Object.keys(explanation.toJSON()), ['target', 'steps', 'verdict']);
  });

  it('cuts and quotes a text that is no address and a zone, however long', () => {
    const long = 'x'.repeat(300);
    const rules = new Rules({ allow: ['public'] });
    for (const [address, target] of [
      [long, `"${long.slice(0, 200)}" (300 characters)`],
      [`fe80::1%${long}`, `"${`fe80::1%${long}`.slice(0, 200)}" (308 characters)`],
      [Address.parse(`fe80::1%${long}`), `"${`fe80::1%${long}`.slice(0, 200)}" (308 characters)`],
      ['x'.repeat(200), 'x'.repeat(200)],
    ] as const) {
      assert.equal(rules.explain(address).target, target);
    }
  });

  const texts: [target: Parameters<Rules['explain']>[0], lines: string[]][] = [
    [
      '10.2.0.1',
      [
        '10.2.0.1: denied, not-allowed',
        '  10.2.0.1 itself: allowed by 10.0.0.0/8, blocked by nothing',
        '  10.2.0.1 itself, scope 1: allowed by nothing, blocked by nothing',
        '  10.2.0.1 is not allowed by any entry',
      ],
    ],
    [
      { address: '10.1.0.1', port: 80 },
      [
        '10.1.0.1 port 80: allowed',
        '  10.1.0.1 itself: allowed by 10.0.0.0/8, blocked by nothing',
        '  10.1.0.1 itself, scope 1: allowed by 10.1.0.0/16, blocked by nothing',
        '  allowed by 10.0.0.0/8',
      ],
    ],
    [
      { address: 'x', host: 'a.test' },
      ['x for a.test: denied, not-an-address', '  x is not an address; to ask about a name, give { host }'],
    ],
    [{}, ['an unknown host: allowed', '  its addresses are judged once it is looked up']],
    [
      { host: 'a.test', port: 1 },
      ['a.test port 1: allowed', '  its addresses are judged once it is looked up'],
    ],
    [{ host: 1 as never }, ['an unknown host: allowed', '  its addresses are judged once it is looked up']],
    [{ path: '/a' }, ['/a: denied, path-not-allowed', '  no entry allows this path']],
  ];
  for (const [target, lines] of texts) {
    it(`is text for people when asked about ${JSON.stringify(target)}`, () => {
      const both = Rules.intersect(
        new Rules({ allow: ['10.0.0.0/8'] }),
        new Rules({ allow: ['10.1.0.0/16', { path: '/a' }] }),
      );
      assert.equal(both.explain(target).toString(), lines.join('\n'));
    });
  }

  const shape = 'a target is text or { address, host, port, path }';
  const alone = 'a path has no address, host or port';
  const refused: [target: unknown, message: string, code?: string][] = [
    [1, `Cannot explain 1: ${shape}`],
    [undefined, `Cannot explain undefined: ${shape}`],
    [null, `Cannot explain null: ${shape}`],
    [[], `Cannot explain an array: ${shape}`],
    [{ addres: '::1' }, 'Cannot explain an object: there is no property "addres"'],
    [{ [Symbol('x')]: 1 }, 'Cannot explain an object: there is no property "Symbol(x)"'],
    [{ path: '/a', port: 1 }, `Cannot explain an object: ${alone}`],
    [{ path: '/a', host: 'a.test' }, `Cannot explain an object: ${alone}`],
    [{ path: '/a', address: '::1' }, `Cannot explain an object: ${alone}`],
    [{ address: 1 }, 'Cannot judge 1: an address is a string or an Address', 'ERR_NETJAIL_INVALID_ADDRESS'],
    [{ path: 1 }, 'Cannot judge 1: a path is a string'],
  ];
  for (const [target, message, code = 'ERR_NETJAIL_INVALID_ARGUMENT'] of refused) {
    it(`throws ${code} when given ${show(target)} ${typeof target === 'object' && target !== null ? Reflect.ownKeys(target).map(String).join() : ''}`, () => {
      assert.throws(() => new Rules({}).explain(target as never), { name: 'TypeError', code, message });
    });
  }
});

describe('Rules.explain() of an address that carries 0.0.0.0', () => {
  it('looks for loopback, where that leads', () => {
    const rules = new Rules({ allow: ['::/0', '0.0.0.0/0'], block: ['127.0.0.0/8'] });
    const { steps, verdict } = rules.explain('64:ff9b::');
    assert.deepEqual(
      steps.map(({ reading, kind, block }) => [reading, kind, block]),
      [
        ['64:ff9b::', 'itself', []],
        ['0.0.0.0', 'carried', []],
        ['127.0.0.1', 'loopback', ['127.0.0.0/8']],
        ['::1', 'loopback', []],
      ],
    );
    assert.deepEqual([verdict.reason, verdict.entry], ['carried-address-blocked', '127.0.0.0/8']);
  });

  it('shows a port that is none, without calling code of its own', () => {
    const rules = new Rules({ allow: ['public'] });
    const port = {
      toString() {
        throw new Error('called');
      },
    };
    for (const [given, shown] of [
      [Symbol('x'), 'a symbol'],
      [port, 'an object'],
    ]) {
      assert.equal(
        rules.explain({ address: '8.8.8.8', port: given } as never).target,
        `8.8.8.8 port ${String(shown)}`,
      );
    }
    assert.throws(() => rules.explain({ address: 5 } as never), { code: 'ERR_NETJAIL_INVALID_ADDRESS' });
  });
});

describe('Rules.lint()', () => {
  const codes = (init: ConstructorParameters<typeof Rules>[0]): string[] =>
    new Rules(init).lint().map(({ code, list, entry }) => [code, list, entry].filter(Boolean).join(' '));

  const rows: [name: string, init: ConstructorParameters<typeof Rules>[0], expected: string[]][] = [
    ['nothing', { allow: ['public'], block: ['10.0.0.0/8', 'fc00::/7'] }, []],
    ['an empty allow list', { block: ['10.0.0.0/8'] }, ['denies-everything']],
    [
      'an allow entry that a block covers',
      { allow: ['10.1.0.0/16', '::/0'], block: ['10.0.0.0/8'] },
      ['never-matches allow 10.1.0.0/16'],
    ],
    [
      'an allow entry that two adjacent blocks cover',
      { allow: ['10.0.0.0/8', '::/0'], block: ['10.0.0.0/9', '10.128.0.0/9'] },
      ['never-matches allow 10.0.0.0/8'],
    ],
    [
      'a range that is blocked by its parts',
      { allow: ['loopback', '10.0.0.0/8', '2600::/16'], block: ['127.0.0.0/8', '0.0.0.0', '::/127'] },
      ['never-matches allow loopback'],
    ],
    [
      'blocks that cover every allow',
      { allow: ['10.0.0.0/8', '::1'], block: ['0.0.0.0/0', '::/0'] },
      ['never-matches allow 10.0.0.0/8', 'never-matches allow ::1', 'blocks-every-allow'],
    ],
    [
      'public under a block of everything',
      { allow: ['public'], block: ['0.0.0.0/0', '::/0'] },
      ['never-matches allow public', 'blocks-every-allow'],
    ],
    [
      'duplicates and nested entries',
      { allow: ['10.0.0.0/8', '10.1.2.3', '10.9.9.9/8', '::/0'], block: ['::1', '127.0.0.1', '::1/128'] },
      ['redundant allow 10.1.2.3', 'redundant allow 10.9.9.9/8', 'redundant block ::1/128'],
    ],
    [
      'an entry with a port inside one without',
      { allow: ['10.0.0.0/8', '::/0', { prefix: '10.0.0.0/9', port: 80 }] },
      ['redundant allow {"prefix":"10.0.0.0/9","port":80}'],
    ],
    [
      'a host that may lead inside',
      { allow: [{ host: 'a.test' }] },
      ['host-reaches-inside allow {"host":"a.test"}'],
    ],
    [
      'a host that cannot lead inside',
      { allow: [{ host: 'a.test' }], block: ['loopback', 'private', 'link-local'] },
      [],
    ],
    ['a host with a prefix', { allow: [{ host: 'a.test', prefix: 'public' }] }, []],
    [
      'a host that is allowed and blocked',
      { allow: [{ host: 'a.b.test', prefix: 'public', port: 80 }, 'public'], block: [{ host: '*.b.test' }] },
      [
        'never-matches allow {"prefix":"public","host":"a.b.test","port":80}',
        'redundant allow {"prefix":"public","host":"a.b.test","port":80}',
      ],
    ],
    ['one family', { allow: ['10.0.0.0/8'] }, ['one-family']],
    ['the other family', { allow: ['2000::/3'] }, ['one-family']],
    [
      'a block of one family',
      { allow: ['0.0.0.0/0', '::/0'], block: ['127.0.0.0/8'] },
      ['one-family-blocked'],
    ],
    [
      'two ports that are a range',
      { allow: [{ prefix: 'public', port: [80, 443] }] },
      ['two-ports allow {"prefix":"public","port":[80,443]}'],
    ],
    [
      'a path that is allowed and blocked',
      { allow: [{ path: '/a' }, 'public'], block: [{ path: '/a' }] },
      ['never-matches allow {"path":"/a"}'],
    ],
  ];
  for (const [name, init, expected] of rows) {
    it(`finds ${expected.length === 0 ? 'nothing in' : ''} ${name}`, () => {
      assert.deepEqual(codes(init), expected);
    });
  }

  it('looks at each scope, and gives sentences', () => {
    const both = Rules.intersect(new Rules({ allow: ['public'] }), new Rules({ allow: ['10.0.0.0/8'] }));
    const warnings = both.lint();
    assert.deepEqual(
      warnings.map(({ code, scope, message }) => [code, scope, message]),
      [['one-family', 1, 'only IPv4 addresses are allowed; IPv6 ones are all denied']],
    );
    assert.ok(Object.isFrozen(warnings) && Object.isFrozen(warnings[0]));
  });

  it('calls an entry without effect only when leaving it out changes no verdict', () => {
    const octet = fc.constantFrom(0, 1, 128);
    const prefix = fc
      .tuple(fc.constantFrom(10, 11), octet, fc.constant(0), fc.constant(0), fc.constantFrom(7, 8, 9, 16, 32))
      .map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`);
    const list = fc.array(prefix, { maxLength: 6 });
    fc.assert(
      fc.property(list, list, fc.tuple(fc.constantFrom(10, 11), octet, octet), (allow, block, [a, b, c]) => {
        const rules = new Rules({ allow, block });
        for (const { code, list: name, entry } of rules.lint()) {
          if (code !== 'never-matches' && code !== 'redundant') continue;
          const lists = { allow: [...rules.allow], block: [...rules.block] };
          const own = lists[name!];
          own.splice(own.lastIndexOf(entry!), 1);
          assert.equal(new Rules(lists).accept(`${a}.${b}.${c}.0`), rules.accept(`${a}.${b}.${c}.0`));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('looks at blocks with a host or a port as well, and at all of a range', () => {
    const codes = (allow: readonly EntryInput[], block: readonly EntryInput[]): string[] =>
      new Rules({ allow, block })
        .lint()
        .map(({ code, entry }) => (entry === undefined ? code : `${code} ${entry}`));
    const all = ['0.0.0.0/0', '::/0'];
    const a = '{"host":"a.test"}';
    // No false alarm.
    assert.deepEqual(codes([{ host: '*.a.test' }], [{ host: '*.a.test', prefix: 'special-purpose' }]), []);
    assert.deepEqual(
      codes([{ host: 'a.test', port: 443 }], [{ port: [0, 65535], prefix: 'special-purpose' }]),
      [],
    );
    assert.deepEqual(codes([{ host: 'a.test' }], ['127.0.0.0/8', '::1', 'private', 'link-local']), []);
    // A part of a range is open.
    for (const [block, kinds] of [
      [['127.0.0.1', '::1', 'private', 'link-local'], 'loopback'],
      [['loopback', '10.0.0.0/16', '172.16.0.0/16', '192.168.0.0/24', 'fd00::/64', 'link-local'], 'private'],
      [['loopback', 'private', '169.254.169.254', 'fe80::/10'], 'link-local'],
      [[{ host: 'b.test', prefix: 'special-purpose' }], 'loopback, private, link-local'],
      [[{ host: 'a.test', port: 80, prefix: 'special-purpose' }], 'loopback, private, link-local'],
    ] as const) {
      const [warning] = new Rules({ allow: [{ host: 'a.test' }], block }).lint();
      assert.equal(warning?.code, 'host-reaches-inside');
      assert.ok(warning.message.includes(`and ${kinds} addresses`), warning.message);
    }
    // Blocked by several, or by a range.
    assert.deepEqual(codes(['8.8.8.8', '::1'], ['public']), ['never-matches 8.8.8.8']);
    assert.deepEqual(codes([{ host: 'a.test' }, ...all], ['0.0.0.0/1', '128.0.0.0/1', '::/0']), [
      `never-matches ${a}`,
      'never-matches 0.0.0.0/0',
      'never-matches ::/0',
      'blocks-every-allow',
      `redundant ${a}`,
    ]);
    assert.deepEqual(
      codes(
        [{ host: 'a.test', prefix: '10.0.0.0/8' }, '::1'],
        [
          { host: 'a.test', prefix: '10.0.0.0/9' },
          { host: '*.test', prefix: '10.128.0.0/9' },
        ],
      ),
      ['never-matches {"prefix":"10.0.0.0/8","host":"a.test"}'],
    );
    const nothing = ['never-matches 0.0.0.0/0', 'never-matches ::/0', 'blocks-every-allow'];
    assert.deepEqual(codes(all, [{ port: [0, 65535] }]), nothing);
    assert.deepEqual(codes(all, [{ port: [0, 65534] }]), []);
  });
});
