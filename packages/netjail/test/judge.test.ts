// Which entry decides, and why: each reason with the facts that it depends on.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../src/address.ts';
import type { EntryFields } from '../src/entry.ts';
import { Rules, type RulesInit } from '../src/rules.ts';
import type { TargetFacts } from '../src/verdict.ts';

const everything = ['0.0.0.0/0', '::/0'];

describe('Rules.judge()', () => {
  type Row = [
    init: RulesInit,
    address: string,
    facts: TargetFacts | undefined,
    reason: string | undefined,
    entry?: string | undefined,
    carried?: string,
  ];
  const rows: Row[] = [
    [{ allow: everything, block: ['public'] }, '8.8.8.8', undefined, 'blocked', 'public'],
    [{ allow: everything, block: ['public'] }, '2606:4700::1', undefined, 'blocked', 'public'],
    [{ allow: everything, block: ['::/8', 'public'] }, '8.8.8.8', undefined, 'blocked', 'public'],
    [{ allow: everything, block: ['public'] }, '10.0.0.1', undefined, undefined, '0.0.0.0/0'],
    [{ allow: ['::/0'] }, '10.0.0.1', undefined, 'not-allowed'],
    [{ allow: ['0.0.0.0/0'] }, 'fe80::1', undefined, 'not-allowed'],
    [{ allow: ['public', '0.0.0.0/0'] }, '10.0.0.1', undefined, undefined, '0.0.0.0/0'],
    // What carries an address that is not public is not allowed by public.
    [{ allow: ['public', '::/0'] }, '64:ff9b::a9fe:a9fe', undefined, undefined, '::/0'],
    [{ allow: ['public', '::/0'] }, '64:ff9b::808:808', undefined, undefined, 'public'],
    [{ allow: ['public', '::/0'] }, '2606:4700::1', undefined, undefined, 'public'],
    [{ allow: ['64:ff9b::/96', 'public'] }, '64:ff9b::a00:1', undefined, undefined, '64:ff9b::/96'],
    [
      { allow: ['public', '64:ff9b::/96'] },
      '2606:4700::5efe:a00:1',
      undefined,
      'carried-address-not-allowed',
      undefined,
      '10.0.0.1',
    ],
    [
      { allow: [{ prefix: 'public', port: 443 }, 'public', { host: 'a.test' }] },
      '2606:4700::5efe:a00:1',
      { host: 'a.test', port: 443 },
      undefined,
      '{"host":"a.test"}',
    ],
    // On the other port it is denied for what it carries.
    [{ allow: [{ prefix: 'public', port: 443 }] }, '2606:4700::5efe:a00:1', { port: 80 }, 'not-allowed'],
    [
      { allow: [{ prefix: 'public', port: 443 }] },
      '2606:4700::5efe:808:808',
      { port: 80 },
      'port-not-allowed',
    ],
    [
      {
        allow: [
          { prefix: 'public', port: 443 },
          { prefix: '2606::/16', port: 444 },
        ],
      },
      '2606:4700::5efe:a00:1',
      { port: 80 },
      'port-not-allowed',
    ],
    [{ allow: ['::ffff:10.0.0.1'] }, '10.0.0.1', undefined, undefined, '::ffff:10.0.0.1'],
    [{ allow: ['::ffff:10.0.0.1'] }, '10.0.0.2', undefined, 'not-allowed'],
    [{ allow: ['::ffff:10.0.0.1/95'] }, '10.0.0.1', undefined, 'not-allowed'],
    // What a host or a port asks for beside a plain entry.
    [{ allow: everything, block: [{ port: 22 }] }, '1.1.1.1', { port: 22 }, 'port-blocked', '{"port":22}'],
    [{ allow: everything, block: [{ port: 22 }] }, '::2', { port: 22 }, 'port-blocked', '{"port":22}'],
    [{ allow: everything, block: [{ port: 22 }] }, '1.1.1.1', { port: 23 }, undefined, '0.0.0.0/0'],
    [
      { allow: everything, block: [{ prefix: 'private', host: 'a.test' }] },
      '10.0.0.1',
      { host: 'a.test' },
      'blocked',
      '{"prefix":"private","host":"a.test"}',
    ],
    [
      { allow: everything, block: [{ host: 'a.test', port: 1 }] },
      '10.0.0.1',
      { host: 'a.test', port: 1 },
      'host-blocked',
      '{"host":"a.test","port":1}',
    ],
    // The host and each suffix of it.
    [{ allow: [{ host: '*.a.test' }] }, '1.1.1.1', { host: 'c.b.a.test' }, undefined, '{"host":"*.a.test"}'],
    [{ allow: [{ host: '*.a.test' }] }, '1.1.1.1', { host: 'a.test' }, 'not-allowed'],
    [{ allow: [{ host: 'a.test' }] }, '1.1.1.1', { host: 'a.test' }, undefined, '{"host":"a.test"}'],
    [{ allow: [{ host: 'a.test' }] }, '1.1.1.1', { host: 'b.test' }, 'not-allowed'],
    ...[1, 2, 3].map((port): Row => [
      { allow: [1, 2, 3].map((one) => ({ host: 'a.test', port: one })) },
      '1.1.1.1',
      { host: 'a.test', port },
      undefined,
      `{"host":"a.test","port":${port}}`,
    ]),
    ...['a.test', 'b.test', 'x.a.test'].map((host): Row => [
      {
        allow: [
          { host: 'a.test', prefix: '10.0.0.0/8' },
          { host: '*.a.test', prefix: '11.0.0.0/8' },
          { host: 'b.test', prefix: '12.0.0.0/8' },
        ],
      },
      '12.0.0.1',
      { host },
      host === 'b.test' ? undefined : 'not-allowed',
      host === 'b.test' ? '{"prefix":"12.0.0.0/8","host":"b.test"}' : undefined,
    ]),
    // Another port would be allowed, of this host: that the host is not known says nothing.
    [{ allow: [{ host: 'a.test', port: 1 }] }, '1.1.1.1', { host: 'a.test', port: 2 }, 'port-not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, '1.1.1.1', { host: 'a.test' }, 'port-not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, '1.1.1.1', { port: 1 }, 'not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, '1.1.1.1', { host: 'b.test', port: 1 }, 'not-allowed'],
    [{ allow: [{ port: 1 }] }, '::1', { port: 2 }, 'port-not-allowed'],
    [{ allow: ['10.0.0.0/8'], block: [{ port: 1 }] }, '11.0.0.1', { port: 2 }, 'not-allowed'],
    // What cannot be read as a host is not known, and so is blocked.
    ...['1.[1.1.1', '1.1].1.1', '1.1.1.1]x'].map((host): Row => [
      { allow: everything, block: [{ host: 'a.test' }] },
      '1.1.1.1',
      { host },
      'host-blocked',
      '{"host":"a.test"}',
    ]),
    // Carried addresses.
    [
      { allow: everything, block: ['127.0.0.0/8'] },
      '64:ff9b::',
      undefined,
      'carried-address-blocked',
      '127.0.0.0/8',
      '0.0.0.0',
    ],
    [
      { allow: everything, block: ['::1'] },
      '64:ff9b::',
      undefined,
      'carried-address-blocked',
      '::1',
      '0.0.0.0',
    ],
    [{ allow: everything, block: ['127.0.0.0/8'] }, '64:ff9b::808:808', undefined, undefined, '::/0'],
    [{ allow: everything, block: ['10.0.0.0/8'] }, '64:ff9b::', undefined, undefined, '::/0'],
    [
      { allow: everything, block: [{ prefix: '10.0.0.0/8', host: 'a.test' }] },
      '64:ff9b::a00:1',
      { host: 'a.test' },
      'carried-address-blocked',
      '{"prefix":"10.0.0.0/8","host":"a.test"}',
      '10.0.0.1',
    ],
    // Loopback, by the first entry of the list that has it.
    [
      { allow: everything, block: ['::1', '127.0.0.1'] },
      '0.0.0.0',
      undefined,
      'loopback-blocked',
      '127.0.0.1',
    ],
    [{ allow: everything, block: ['127.0.0.2', '::2'] }, '0.0.0.0', undefined, undefined, '0.0.0.0/0'],
    [{ allow: everything, block: ['127.0.0.2', '::2'] }, '::', undefined, undefined, '::/0'],
    [{ allow: everything, block: ['::1'] }, '0.0.0.1', undefined, undefined, '0.0.0.0/0'],
    [
      { allow: everything, block: [{ prefix: '::1', port: 1 }] },
      '0.0.0.0',
      { port: 1 },
      'loopback-blocked',
      '{"prefix":"::1","port":1}',
    ],
    [
      { allow: everything, block: ['10.0.0.0/9', '10.0.0.0/8', '10.0.0.1'] },
      '10.0.0.1',
      undefined,
      'blocked',
      '10.0.0.0/9',
    ],
  ];
  for (const [init, address, facts, reason, entry, carried] of rows) {
    it(`${reason === undefined ? 'allows' : `denies (${reason})`} ${address} ${JSON.stringify(facts ?? {})} under ${JSON.stringify(init)}`, () => {
      const rules = new Rules(init);
      const verdict = {
        allowed: reason === undefined,
        address: Address.parse(address).unmap().toString(),
        reason,
        entry,
        carried,
      };
      assert.deepEqual(rules.judge(address, facts), verdict);
      assert.deepEqual(rules.judge(Address.parse(address), facts), verdict);
      assert.equal(rules.accept(address, facts), verdict.allowed);
      assert.equal(rules.accept(Address.parse(address), facts), verdict.allowed);
      assert.deepEqual(rules.explain({ address, ...facts }).verdict, verdict);
      assert.ok(Object.isFrozen(rules.judge(address, facts)));
    });
  }

  it('denies an address with a zone, as text and as a value', () => {
    const rules = new Rules({ allow: everything });
    for (const text of ['fe80::1%eth0', '::ffff:1.1.1.1%lo']) {
      for (const address of [text, Address.parse(text)]) {
        assert.equal(rules.accept(address), false);
        const { reason, address: judged, entry } = rules.judge(address);
        assert.deepEqual([reason, judged, entry], ['zone', text, undefined]);
      }
    }
    assert.ok(rules.accept(Address.parse('fe80::1')));
    assert.ok(rules.accept(Address.parse('1.1.1.1')));
  });

  it('cuts what is no address after 256 characters', () => {
    const rules = new Rules({ allow: everything });
    assert.equal(rules.judge('x'.repeat(256)).address, 'x'.repeat(256));
    assert.equal(rules.judge('x'.repeat(257)).address, 'x'.repeat(256));
    assert.equal(rules.judge('').address, '');
  });

  it('gives the first entry of the innermost scope where all scopes allow', () => {
    const both = Rules.intersect(
      new Rules({ allow: ['10.0.0.0/8'] }),
      new Rules({ allow: ['10.0.0.1', '10.0.0.0/7'] }),
    );
    assert.equal(both.judge('10.0.0.1').entry, '10.0.0.0/8');
    assert.equal(both.judge('11.0.0.1').reason, 'not-allowed');
    assert.equal(both.judge('10.0.0.2').entry, '10.0.0.0/8');
  });
});

describe('Rules.judge() when the host is not known', () => {
  it('names the first entry of the list that blocks the address, whatever its host', () => {
    const prefix = '10.0.0.0/8';
    const block = [
      { host: 'a.test', prefix: '192.0.2.0/24' },
      { host: 'b.test', prefix },
      { host: 'a.test', prefix },
      { host: 'c.test', prefix: '2001:db8::/32' },
      { host: 'a.test', prefix: '2001:db8::/32' },
      { host: 'd.test', port: 22, prefix },
    ];
    const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'], block });
    assert.equal(rules.judge('10.1.2.3').entry, '{"prefix":"10.0.0.0/8","host":"b.test"}');
    assert.equal(rules.judge('2001:db8::1').entry, '{"prefix":"2001:db8::/32","host":"c.test"}');
    assert.equal(rules.judge('192.0.2.1').entry, '{"prefix":"192.0.2.0/24","host":"a.test"}');
    assert.ok(rules.accept('11.0.0.1'));
  });

  it('is blocked by a range or an entry without a prefix of any host', () => {
    const range = { host: 'a.test', prefix: 'public' };
    const all = { host: 'b.test', port: 22 };
    const rules = new Rules({
      allow: ['0.0.0.0/0', '::/0'],
      block: [{ host: 'c.test', prefix: '10.0.0.0/8' }, range, { ...all, host: 'd.test' }, all],
    });
    assert.equal(rules.judge('8.8.8.8').entry, '{"prefix":"public","host":"a.test"}');
    assert.equal(rules.judge('192.168.0.1').entry, '{"host":"d.test","port":22}');
    assert.ok(rules.accept('192.168.0.1', { port: 23 }));
  });

  it('is blocked by a range or an entry without a prefix that stands first in the list', () => {
    const other = { host: 'c.test', prefix: '10.0.0.0/8' };
    const first = (entry: EntryFields, address: string): string | undefined =>
      new Rules({ allow: ['0.0.0.0/0', '::/0'], block: [entry, other] }).judge(address).entry;
    assert.equal(
      first({ host: 'a.test', prefix: 'public' }, '8.8.8.8'),
      '{"prefix":"public","host":"a.test"}',
    );
    assert.equal(first({ host: 'a.test' }, '192.168.0.1'), '{"host":"a.test"}');
  });
});

describe('Rules.judgeHost()', () => {
  const rows: [
    init: RulesInit,
    facts: TargetFacts | undefined,
    reason: string | undefined,
    entry?: string,
  ][] = [
    [{}, undefined, 'host-not-allowed'],
    [{}, { host: 'a.test', port: 1 }, 'host-not-allowed'],
    [{ allow: ['10.0.0.0/8'] }, { host: 'a.test' }, undefined],
    [{ allow: ['10.0.0.0/8'] }, undefined, undefined],
    [{ allow: ['public'] }, undefined, undefined],
    [{ allow: ['::1', '10.0.0.0/8'], block: ['::/0', '8.0.0.0/5'] }, undefined, 'host-not-allowed'],
    [{ allow: ['::1', '10.0.0.0/8'], block: ['::/0'] }, undefined, undefined],
    [
      { allow: everything, block: [{ port: 22 }] },
      { host: 'a.test', port: 22 },
      'port-blocked',
      '{"port":22}',
    ],
    [{ allow: everything, block: [{ port: 22 }] }, { host: 'a.test' }, 'port-blocked', '{"port":22}'],
    [{ allow: everything, block: [{ port: 22 }] }, { host: 'a.test', port: 23 }, undefined],
    [
      { allow: everything, block: [{ host: '*.test', port: 22 }] },
      { host: 'a.test', port: 22 },
      'host-blocked',
      '{"host":"*.test","port":22}',
    ],
    // Everything, in two pieces: the entry that was written first is named.
    [
      {
        allow: everything,
        block: [
          { host: 'a.test', prefix: '0.0.0.0/0' },
          { host: 'a.test', prefix: '::/0' },
        ],
      },
      { host: 'a.test' },
      'host-blocked',
      '{"prefix":"0.0.0.0/0","host":"a.test"}',
    ],
    [
      {
        allow: everything,
        block: [
          { host: 'a.test', prefix: '::/0' },
          { host: 'a.test', prefix: '0.0.0.0/0' },
        ],
      },
      { host: 'a.test' },
      'host-blocked',
      '{"prefix":"::/0","host":"a.test"}',
    ],
    // Of each piece the entry that is all of it, not one inside of it.
    [
      {
        allow: everything,
        block: ['0.0.0.0/8', '::/8', '0.0.0.0/0', '::/0'].map((prefix) => ({ host: 'a.test', prefix })),
      },
      { host: 'a.test' },
      'host-blocked',
      '{"prefix":"0.0.0.0/0","host":"a.test"}',
    ],
    [
      {
        allow: everything,
        block: [
          { host: 'a.test' },
          { host: 'a.test', prefix: '0.0.0.0/0' },
          { host: 'a.test', prefix: '::/0' },
        ],
      },
      { host: 'a.test' },
      'host-blocked',
      '{"host":"a.test"}',
    ],
    [
      {
        allow: everything,
        block: [
          { host: 'a.test', prefix: '0.0.0.0/8' },
          { host: 'a.test' },
          { host: 'a.test', prefix: '0.0.0.0' },
        ],
      },
      { host: 'a.test' },
      'host-blocked',
      '{"host":"a.test"}',
    ],
    [
      { allow: everything, block: [{ host: 'a.test' }, { host: 'a.test', prefix: '0.0.0.0/8' }] },
      { host: 'a.test' },
      'host-blocked',
      '{"host":"a.test"}',
    ],
    [{ allow: everything, block: [{ host: 'a.test', prefix: '0.0.0.0/0' }] }, { host: 'a.test' }, undefined],
    [{ allow: [{ host: 'a.test', port: 1 }] }, { host: 'a.test', port: 1 }, undefined],
    [{ allow: [{ host: 'a.test', port: 1 }] }, { host: 'a.test', port: 2 }, 'port-not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, { host: 'a.test' }, 'port-not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, { host: 'b.test', port: 1 }, 'host-not-allowed'],
    [{ allow: [{ host: 'a.test', port: 1 }] }, { port: 1 }, 'host-not-allowed'],
    [
      {
        allow: [
          { host: 'a.test', port: 1 },
          { host: 'a.test', port: 2, prefix: '10.0.0.1' },
        ],
        block: ['10.0.0.0/8'],
      },
      { host: 'a.test', port: 2 },
      'port-not-allowed',
    ],
    [
      {
        allow: [
          { host: 'a.test', port: 2, prefix: '10.0.0.1' },
          { host: 'a.test', port: [1, 2], prefix: '11.0.0.1' },
        ],
        block: ['10.0.0.0/8'],
      },
      { host: 'a.test', port: 2 },
      undefined,
    ],
    [
      { allow: [{ host: 'a.test', port: 2, prefix: '10.0.0.1' }], block: ['10.0.0.0/8'] },
      { host: 'a.test', port: 1 },
      'host-not-allowed',
    ],
    [{ allow: [{ path: '/a' }, { port: 2 }] }, { host: 'a.test', port: 1 }, 'port-not-allowed'],
  ];
  for (const [init, facts, reason, entry] of rows) {
    it(`${reason === undefined ? 'allows a look-up' : `denies (${reason})`} of ${JSON.stringify(facts ?? {})} under ${JSON.stringify(init)}`, () => {
      assert.deepEqual(new Rules(init).judgeHost(facts), {
        allowed: reason === undefined,
        address: undefined,
        reason,
        entry,
        carried: undefined,
      });
    });
  }

  it('denies what any scope denies', () => {
    const open = new Rules({ allow: everything });
    const closed = new Rules({ allow: [{ host: 'a.test' }] });
    for (const both of [Rules.intersect(open, closed), Rules.intersect(closed, open)]) {
      assert.equal(both.judgeHost({ host: 'a.test' }).allowed, true);
      assert.equal(both.judgeHost({ host: 'b.test' }).reason, 'host-not-allowed');
    }
  });

  const scopes: [string, RulesInit[], string | undefined][] = [
    ['apart', [{ allow: ['10.0.0.0/8'] }, { allow: ['public'] }], 'host-not-allowed'],
    ['of different families', [{ allow: ['0.0.0.0/0'] }, { allow: ['::/0'] }], 'host-not-allowed'],
    ['that meet', [{ allow: ['10.0.0.0/8', '::1'] }, { allow: ['10.1.0.0/16'] }], undefined],
    ['that meet in IPv6 only', [{ allow: ['10.0.0.1', '::/0'] }, { allow: ['fd00::/8'] }], undefined],
    [
      'of which one blocks what the other allows',
      [{ allow: ['10.0.0.0/8'] }, { allow: everything, block: ['10.0.0.0/9', '10.128.0.0/9'] }],
      'host-not-allowed',
    ],
    [
      'of which one blocks all but one address',
      [{ allow: ['10.0.0.0/31'] }, { allow: everything, block: ['10.0.0.0'] }],
      undefined,
    ],
    [
      'that meet where no first address of the smaller one tells',
      [{ allow: everything, block: ['10.0.0.0'] }, { allow: ['10.0.0.0/31'] }],
      undefined,
    ],
    [
      'that meet in IPv6 where no first address of the smaller one tells',
      [{ allow: everything, block: ['fd00::'] }, { allow: ['fd00::/127'] }],
      undefined,
    ],
    [
      'that meet two by two in IPv6, but not all three',
      [
        { allow: ['fd10::/16', 'fd11::/16'] },
        { allow: ['fd11::/16', 'fd12::/16'] },
        { allow: ['fd10::/16', 'fd12::/16'] },
      ],
      'host-not-allowed',
    ],
    [
      'that meet two by two, but not all three',
      [
        { allow: ['10.0.0.0/8', '11.0.0.0/8'] },
        { allow: ['11.0.0.0/8', '12.0.0.0/8'] },
        { allow: ['10.0.0.0/8', '12.0.0.0/8'] },
      ],
      'host-not-allowed',
    ],
    [
      'of which one has the addresses of the other as IPv6 only, where each is an IPv4 address',
      [
        { allow: ['::fffe:0:0/95'], block: ['::fffe:0:0/96'] },
        { allow: ['0.0.0.0/0', '10.0.0.0/8', '11.0.0.0/8'] },
      ],
      'host-not-allowed',
    ],
    [
      'that have nothing in common but IPv6 addresses of which each is an IPv4 address',
      [
        { allow: ['::fffe:0:0/95'], block: ['::fffe:0:0/96'] },
        { allow: ['::/0', '10.0.0.0/8', '11.0.0.0/8'] },
      ],
      'host-not-allowed',
    ],
    [
      'apart, where one between them asks for a host',
      [{ allow: ['10.0.0.0/8'] }, { allow: [{ host: 'a.test' }] }, { allow: ['public'] }],
      'host-not-allowed',
    ],
    [
      'that an entry with a host keeps apart: only its addresses tell',
      [{ allow: ['10.0.0.0/8'] }, { allow: [{ host: 'a.test', prefix: 'public' }] }],
      undefined,
    ],
  ];
  for (const [what, lists, reason] of scopes) {
    it(`${reason === undefined ? 'allows' : `denies (${reason})`} a look-up in scopes ${what}`, () => {
      const rules = lists.map((init) => new Rules(init)).reduce((outer, own) => Rules.intersect(own, outer));
      for (let again = 0; again < 2; again++) {
        const verdict = rules.judgeHost({ host: 'a.test', port: 80 });
        assert.equal(verdict.allowed, reason === undefined);
        assert.equal(verdict.reason, reason);
      }
    });
  }
});

describe('Rules.judgePath()', () => {
  it('names the entry that was written first, of the innermost scope', () => {
    const inner = new Rules({
      allow: [{ path: '/a' }, { path: '/a' }, { path: '/b' }],
      block: [{ path: '/b' }],
    });
    const both = Rules.intersect(inner, new Rules({ allow: [{ path: '/b' }, { path: '/a' }] }));
    assert.deepEqual(both.judgePath('/a'), {
      allowed: true,
      address: undefined,
      reason: undefined,
      entry: '{"path":"/a"}',
      carried: undefined,
    });
    assert.deepEqual(both.judgePath('/b'), {
      allowed: false,
      address: undefined,
      reason: 'path-blocked',
      entry: '{"path":"/b"}',
      carried: undefined,
    });
    assert.deepEqual(both.judgePath('/c'), {
      allowed: false,
      address: undefined,
      reason: 'path-not-allowed',
      entry: undefined,
      carried: undefined,
    });
    assert.deepEqual(
      inner.lint().map(({ code, entry }) => `${code} ${entry}`),
      ['never-matches {"path":"/b"}', 'redundant {"path":"/a"}'],
    );
  });
});
