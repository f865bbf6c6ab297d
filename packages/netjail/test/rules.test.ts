import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Address } from '../src/address.ts';
import { Prefix } from '../src/prefix.ts';
import { Rules } from '../src/rules.ts';
import { accepts } from './oracle.ts';

const everything = ['0.0.0.0/0', '::/0'];

describe('Rules', () => {
  it('deny everything when empty', () => {
    for (const address of ['1.1.1.1', '::1', '2000::1']) {
      const verdict = new Rules({}).judge(address);
      assert.deepEqual(
        [verdict.allowed, verdict.reason, verdict.address, verdict.entry],
        [false, 'not-allowed', address, undefined],
      );
    }
  });

  it('block beats allow whatever the order and the length', () => {
    assert.equal(new Rules({ allow: ['10.0.0.1/32'], block: ['10.0.0.0/8'] }).accept('10.0.0.1'), false);
    assert.equal(new Rules({ allow: ['10.0.0.0/8'], block: ['10.0.0.1'] }).accept('10.0.0.1'), false);
    assert.equal(new Rules({ allow: ['10.0.0.0/8'], block: ['10.0.0.1'] }).accept('10.0.0.2'), true);
  });

  it('are a frozen copy of what they are made of', () => {
    const init = { allow: ['10.0.0.0/8'], block: ['10.0.0.1'] };
    const rules = new Rules(init);
    init.allow.push('0.0.0.0/0');
    init.block.length = 0;
    assert.equal(rules.accept('1.1.1.1'), false);
    assert.equal(rules.accept('10.0.0.1'), false);
    assert.throws(() => (rules.allow as string[]).push('x'), TypeError);
    assert.throws(() => Object.assign(rules, { allow: [] }), TypeError);
  });

  it('read a getter once when it answers differently the second time', () => {
    let reads = 0;
    const rules = new Rules({
      get allow() {
        return reads++ === 0 ? ['10.0.0.0/8'] : everything;
      },
    });
    assert.equal(reads, 1);
    assert.equal(rules.accept('1.1.1.1'), false);
  });

  it('do not inherit lists when Object.prototype is polluted', () => {
    Object.defineProperty(Object.prototype, 'allow', { value: everything, configurable: true });
    try {
      assert.equal(new Rules({}).accept('1.1.1.1'), false);
    } finally {
      delete (Object.prototype as { allow?: unknown }).allow;
    }
  });

  it('take prefixes, addresses, values and ranges as entries', () => {
    const rules = new Rules({
      allow: [
        '10.1.2.3/8',
        '192.168.0.1',
        Prefix.parse('172.16.0.0/12'),
        Address.parse('fd00::1'),
        'link-local',
      ],
    });
    assert.deepEqual(rules.allow, ['10.1.2.3/8', '192.168.0.1', '172.16.0.0/12', 'fd00::1', 'link-local']);
    for (const address of ['10.255.0.1', '192.168.0.1', '172.31.0.1', 'fd00::1', '169.254.0.1', 'fe80::1'])
      assert.ok(rules.accept(address));
    for (const address of ['192.168.0.2', 'fd00::2', '172.32.0.0']) assert.ok(!rules.accept(address));
  });

  const carriers: [name: string, address: string, carriedAddress: string][] = [
    ['NAT64', '64:ff9b::7f00:1', '127.0.0.1'],
    ['local NAT64, /96', '64:ff9b:1::7f00:1', '127.0.0.1'],
    ['local NAT64, /48', '64:ff9b:1:7f00:0:100:dead:beef', '127.0.0.1'],
    ['local NAT64, /56', '64:ff9b:1:7f:0:1::', '127.0.0.1'],
    ['local NAT64, /64', '64:ff9b:1:0:7f:0:100:0', '127.0.0.1'],
    ['6to4', '2002:7f00:1::', '127.0.0.1'],
    ['Teredo server', '2001:0:7f00:1::f7f7:f7f7', '127.0.0.1'],
    ['Teredo client', '2001:0:808:808::80ff:fffe', '127.0.0.1'],
    ['IPv4-compatible', '::7f00:1', '127.0.0.1'],
    ['IPv4-translated', '::ffff:0:7f00:1', '127.0.0.1'],
    ['ISATAP', '2600::5efe:7f00:1', '127.0.0.1'],
    ['ISATAP with the u bit', 'fe80::200:5efe:7f00:1', '127.0.0.1'],
  ];
  for (const [name, address, inner] of carriers) {
    it(`deny an address that carries a blocked one when it is ${name}`, () => {
      const rules = new Rules({ allow: everything, block: ['127.0.0.0/8'] });
      const verdict = rules.judge(address);
      assert.deepEqual(
        [verdict.allowed, verdict.reason, verdict.entry, verdict.carried, rules.accept(address)],
        [false, 'carried-address-blocked', '127.0.0.0/8', inner, false],
      );
      assert.equal(new Rules({ allow: everything, block: ['10.0.0.0/8'] }).accept(address), true);
    });
  }

  it('deny an address that carries a blocked one when it is at either end of 6to4', () => {
    const rules = new Rules({ allow: everything, block: ['0.0.0.0/32', '255.255.255.255'] });
    for (const [address, inner] of [
      ['2002::', '0.0.0.0'],
      ['2002:ffff:ffff::', '255.255.255.255'],
      ['2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '255.255.255.255'],
    ] as const) {
      const verdict = rules.judge(address);
      assert.deepEqual(
        [verdict.reason, verdict.carried, rules.accept(address)],
        ['carried-address-blocked', inner, false],
      );
    }
    for (const address of ['2001:ffff:ffff:ffff::', '2003::']) assert.ok(rules.accept(address), address);
  });

  it('accept 64:ff9b:1::8.8.8.8 when private addresses are blocked, since 0.0.0.8 is no reading', () => {
    assert.ok(
      new Rules({ allow: everything, block: ['private', '0.0.0.0/8', '127.0.0.0/8'] }).accept(
        '64:ff9b:1::808:808',
      ),
    );
  });

  it('accept public addresses in every layout of local NAT64 when loopback and private are blocked', () => {
    const rules = new Rules({ allow: everything, block: ['loopback', 'private'] });
    for (const address of [
      '64:ff9b:1:808:8:800::',
      '64:ff9b:1:8:8:808::',
      '64:ff9b:1:0:8:808:800:0',
      '64:ff9b:1::808:808',
    ]) {
      assert.ok(rules.accept(address), address);
    }
  });

  it('deny a carrier that only the range public allows when what it carries is not public', () => {
    const rules = new Rules({ allow: ['public'] });
    for (const [address, inner] of [
      ['64:ff9b::7f00:1', '127.0.0.1'],
      ['64:ff9b::a9fe:a9fe', '169.254.169.254'],
      ['2600::5efe:a00:1', '10.0.0.1'],
    ] as const) {
      const verdict = rules.judge(address);
      assert.deepEqual(
        [verdict.reason, verdict.carried, rules.accept(address)],
        ['carried-address-not-allowed', inner, false],
      );
    }
    assert.ok(rules.accept('64:ff9b::808:808'));
    assert.ok(new Rules({ allow: ['public', '64:ff9b::/96'] }).accept('64:ff9b::a00:1'));
  });

  it('unmap first, in rules and in targets', () => {
    for (const rules of [
      new Rules({ allow: everything, block: ['127.0.0.0/8'] }),
      new Rules({ allow: everything, block: ['::ffff:127.0.0.0/104'] }),
    ]) {
      for (const address of ['::ffff:127.0.0.1', '127.0.0.1', '0:0:0:0:0:FFFF:7f00:1']) {
        const verdict = rules.judge(address);
        assert.deepEqual(
          [verdict.reason, verdict.address, verdict.entry],
          ['blocked', '127.0.0.1', rules.block[0]],
        );
        assert.equal(rules.accept(address), false);
      }
    }
    assert.equal(new Rules({ allow: ['::/0'] }).accept('::ffff:1.1.1.1'), false);
    // A prefix that is shorter than that of the mapped addresses is about IPv6 only.
    const short = new Rules({ allow: everything, block: ['::/8'] });
    assert.deepEqual(
      ['::ffff:1.1.1.1', '::ffff:0:1', '::1'].map((address) => short.accept(address)),
      [true, true, false],
    );
  });

  it('deny unspecified addresses when loopback is blocked', () => {
    for (const [block, entry] of [
      [['127.0.0.0/8'], '127.0.0.0/8'],
      [['::1'], '::1'],
    ] as const) {
      for (const address of ['0.0.0.0', '::', '::ffff:0.0.0.0']) {
        const rules = new Rules({ allow: everything, block });
        const verdict = rules.judge(address);
        assert.deepEqual([verdict.reason, verdict.entry], ['loopback-blocked', entry]);
        assert.equal(rules.accept(address), false);
      }
    }
    assert.ok(new Rules({ allow: everything, block: ['10.0.0.0/8'] }).accept('0.0.0.0'));
    assert.equal(new Rules({ allow: everything, block: ['loopback'] }).judge('::').reason, 'blocked');
  });

  it('deny zones and text that is no address, each with its own reason', () => {
    const rules = new Rules({ allow: everything });
    assert.equal(rules.judge('fe80::1%eth0').reason, 'zone');
    assert.equal(rules.judge('::ffff:1.1.1.1%lo').reason, 'zone');
    for (const text of [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '1.1.1.1 ',
      '１.1.1.1',
      '[::1]',
      `1.1.1.1${'0'.repeat(1e7)}`,
    ]) {
      assert.equal(rules.judge(text).reason, 'not-an-address');
      assert.equal(rules.accept(text), false);
    }
  });

  it('have an id that is the same for the same policy and another for another', () => {
    const id = new Rules({ allow: ['10.1.2.3/8', '::/0'], block: ['127.0.0.1'] }).id;
    assert.equal(
      new Rules({
        allow: ['::/0', '10.0.0.0/8', '::ffff:10.0.0.0/104', '10.9.9.9/8'],
        block: ['127.0.0.1/32'],
      }).id,
      id,
    );
    assert.notEqual(new Rules({ allow: ['10.1.2.3/8', '::/0'], block: ['127.0.0.2'] }).id, id);
    assert.notEqual(new Rules({ block: ['10.1.2.3/8', '::/0'], allow: ['127.0.0.1'] }).id, id);
  });
});

describe('Rules.intersect()', () => {
  const wide = new Rules({ allow: ['10.0.0.0/8'], block: ['10.0.0.1'] });
  const narrow = new Rules({ allow: ['10.1.0.0/16', '11.0.0.0/8'] });

  it('accepts what both accept, keeps its text and does not grow when repeated', () => {
    const both = Rules.intersect(narrow, wide);
    assert.deepEqual(
      ['10.1.0.1', '10.2.0.1', '11.0.0.1', '10.0.0.1'].map((address) => both.accept(address)),
      [true, false, false, false],
    );
    assert.equal(both.toString(), 'ALLOW 10.1.0.0/16 11.0.0.0/8, WITHIN ALLOW 10.0.0.0/8, BLOCK 10.0.0.1');
    assert.equal(Rules.parse(both.toString()).id, both.id);
    assert.equal(Rules.intersect(wide, narrow).id, both.id);
    assert.equal(Rules.intersect(narrow, both), both);
    assert.equal(Rules.intersect(both, wide), both);
    assert.equal(Rules.intersect(narrow, wide), both);
  });

  it('names the reason of the first rules to deny, from the inside out', () => {
    const both = Rules.intersect(new Rules({ allow: ['10.0.0.0/8'] }), wide);
    assert.deepEqual([both.judge('10.0.0.1').reason, both.judge('10.0.0.1').entry], ['blocked', '10.0.0.1']);
  });
});

describe('Rules properties', () => {
  const ipv4 = fc
    .tuple(
      fc.constantFrom(0, 1, 10, 127, 255),
      fc.constantFrom(0, 1, 255),
      fc.constantFrom(0, 128),
      fc.nat(255),
    )
    .map((octets) => octets.join('.'));
  const ipv6 = fc.oneof(
    fc.ipV6().filter((text) => Address.tryParse(text) !== undefined),
    ipv4.map((text) => `::ffff:${text}`),
    ipv4.map((text) => `64:ff9b::${text}`),
    ipv4.map((text) => `::${text}`),
    fc.constantFrom(
      '::',
      '::1',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '2002:7f00:1::',
      '2001:0:1:1::80ff:fffe',
    ),
  );
  const address = fc.oneof(ipv4, ipv6);
  const prefix = fc.oneof(
    fc.tuple(ipv4, fc.nat(32)).map(([text, bits]) => `${text}/${bits}`),
    fc.tuple(ipv6, fc.nat(128)).map(([text, bits]) => `${text}/${bits}`),
  );
  const list = fc.array(prefix, { maxLength: 8 });
  const runs = { numRuns: 2000 };

  it('accept as the bit-by-bit oracle', () => {
    fc.assert(
      fc.property(list, list, address, (allow, block, text) => {
        const rules = new Rules({ allow, block });
        assert.equal(rules.accept(text), accepts(allow, block, text));
        assert.equal(rules.judge(text).allowed, rules.accept(text));
      }),
      runs,
    );
  });

  it('accept never more when a block is added, never less when an allow is', () => {
    fc.assert(
      fc.property(list, list, prefix, address, (allow, block, more, text) => {
        const accepted = new Rules({ allow, block }).accept(text);
        if (!accepted) assert.equal(new Rules({ allow, block: [...block, more] }).accept(text), false);
        else assert.equal(new Rules({ allow: [...allow, more], block }).accept(text), true);
      }),
      runs,
    );
  });

  it('read back what they print, with the same id in another order', () => {
    fc.assert(
      fc.property(list, list, (allow, block) => {
        const rules = new Rules({ allow, block });
        assert.equal(Rules.parse(rules.toString()).toString(), rules.toString());
        assert.equal(
          new Rules({ allow: allow.toReversed().concat(allow), block: block.toReversed() }).id,
          rules.id,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('intersect to what both accept', () => {
    fc.assert(
      fc.property(list, list, list, list, address, (allowA, blockA, allowB, blockB, text) => {
        const a = new Rules({ allow: allowA, block: blockA });
        const b = new Rules({ allow: allowB, block: blockB });
        assert.equal(Rules.intersect(a, b).accept(text), a.accept(text) && b.accept(text));
      }),
      runs,
    );
  });

  it('answer at each edge of each prefix as the oracle does', () => {
    const edges = [
      '0.0.0.0/0',
      '128.0.0.0/1',
      '255.255.255.255/32',
      '10.0.0.0/9',
      '10.128.0.0/9',
      '::/0',
      '8000::/1',
      '::/96',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
      '2000::/3',
      '::1/128',
    ];
    const points = [
      '0.0.0.0',
      '9.255.255.255',
      '10.0.0.0',
      '10.127.255.255',
      '10.128.0.0',
      '10.255.255.255',
      '11.0.0.0',
      '127.255.255.255',
      '128.0.0.0',
      '255.255.255.254',
      '255.255.255.255',
      '::',
      '::1',
      '::2',
      '::1:0:0',
      '::ffff:ffff',
      '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '2000::',
      '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '4000::',
      '7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '8000::',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ];
    for (const allow of edges) {
      for (const block of [undefined, ...edges]) {
        const blocks = block === undefined ? [] : [block];
        const rules = new Rules({ allow: [allow], block: blocks });
        for (const point of points)
          assert.equal(
            rules.accept(point),
            accepts([allow], blocks, point),
            `${point} in ${rules.toString()}`,
          );
      }
    }
  });
});

describe('Rules malformed input', () => {
  const cases: [name: string, call: () => unknown, errorName: string, code: string, message: RegExp][] = [
    [
      'no object',
      () => new Rules(undefined as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_RULES',
      /not undefined/,
    ],
    ['an array', () => new Rules([] as never), 'TypeError', 'ERR_NETJAIL_INVALID_RULES', /not an array/],
    [
      'text of more than 256 scopes',
      () => Rules.parse(`ALLOW ::1${', WITHIN ALLOW ::1'.repeat(256)}`),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_RULES',
      /it has more than 256 scopes/,
    ],
    [
      'an unknown list',
      () => new Rules({ deny: [] } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_RULES',
      /no list "deny"/,
    ],
    [
      'a string as list',
      () => new Rules({ allow: 'public' } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_RULES',
      /allow is an array, not "public"/,
    ],
    [
      'a number as entry',
      () => new Rules({ allow: [1] } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /Cannot use 1 as allow\[0\]/,
    ],
    [
      'a hole',
      () => new Rules({ allow: ['::1', , '::2'] } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /undefined as allow\[1\]/,
    ],
    [
      'an unknown range',
      () => new Rules({ block: ['publik'] }),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /"publik" as block\[0\].*nor a range \(public/,
    ],
    [
      'a length too long',
      () => new Rules({ allow: ['10.0.0.0/33'] }),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /"10.0.0.0\/33" as allow\[0\]: the length is 0 to 32/,
    ],
    [
      'a short address',
      () => new Rules({ allow: ['10/8'] }),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /not an IP address/,
    ],
    [
      'a zone',
      () => new Rules({ allow: ['fe80::1%eth0'] }),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /no zone/,
    ],
    [
      '__proto__ as range',
      () => new Rules({ allow: ['__proto__'] }),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /not an IP address/,
    ],
    [
      'an unknown field in an entry',
      () => new Rules({ allow: [{ prefix: '10.0.0.0/8', cidr: 8 }] } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_ENTRY',
      /an object as allow\[0\]: there is no field "cidr"/,
    ],
    [
      'text that is no rules',
      () => Rules.parse('PERMIT 10.0.0.0/8'),
      'SyntaxError',
      'ERR_NETJAIL_INVALID_RULES',
      /ALLOW/,
    ],
    ['no text', () => Rules.parse(1 as never), 'TypeError', 'ERR_NETJAIL_INVALID_RULES', /not 1/],
    [
      'a subclass',
      () => new (class extends Rules {})({}),
      'TypeError',
      'ERR_NETJAIL_INVALID_RULES',
      /subclassed/,
    ],
    [
      'a number to accept',
      () => new Rules({}).accept(1 as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_ADDRESS',
      /Cannot judge 1/,
    ],
    [
      'an object to judge',
      () => new Rules({}).judge({ toString: () => '1.1.1.1' } as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_ADDRESS',
      /an object/,
    ],
    [
      'no rules to intersect',
      () => Rules.intersect(new Rules({}), {} as never),
      'TypeError',
      'ERR_NETJAIL_INVALID_RULES',
      /no Rules/,
    ],
  ];
  for (const [name, call, errorName, code, message] of cases) {
    it(`throws ${code} when given ${name}`, () => {
      assert.throws(call, { name: errorName, code, message });
    });
  }
});
