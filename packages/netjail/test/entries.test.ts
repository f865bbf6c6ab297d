import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Address } from '../src/address.ts';
import { faultOf, parseEntry, type EntryFields, type EntryInput } from '../src/entry.ts';
import { DeniedError } from '../src/errors.ts';
import { Guard } from '../src/guard.ts';
import { Prefix } from '../src/prefix.ts';
import { ranges } from '../src/ranges.ts';
import { Rules } from '../src/rules.ts';
import type { TargetFacts } from '../src/verdict.ts';
import { accepts } from './oracle.ts';

const everything = ['0.0.0.0/0', '::/0'];

function assertError(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  return assert.fail('nothing was thrown');
}

describe('Entries with a host', () => {
  const rules = new Rules({ allow: [{ host: 'api.example.com' }, { host: '*.partner.test' }] });
  const rows: [host: string | undefined, accepted: boolean][] = [
    ['api.example.com', true],
    ['API.Example.COM.', true],
    ['api。example．com', true],
    ['example.com', false],
    ['x.api.example.com', false],
    ['xapi.example.com', false],
    ['api.example.com..', false],
    ['partner.test', false],
    ['a.partner.test', true],
    ['a.b.PARTNER.test.', true],
    ['xpartner.test', false],
    ['.partner.test', false],
    ['partner.test.evil.test', false],
    ['a.partner.test:80', false],
    ['user@a.partner.test', false],
    ['%61.partner.test', false],
    ['a.partner.test\0', false],
    [' a.partner.test', false],
    ['1.1.1.1', false],
    ['[::1]', false],
    ['', false],
    [undefined, false],
  ];
  for (const [host, accepted] of rows) {
    it(`${accepted ? 'accept' : 'do not accept'} an address when asked for ${JSON.stringify(host)}`, () => {
      assert.equal(rules.accept('1.1.1.1', { host }), accepted);
      assert.equal(rules.judge('1.1.1.1', { host }).allowed, accepted);
      assert.equal(rules.judgeHost({ host }).allowed, accepted);
    });
  }

  it('compare international names in their ASCII form', () => {
    const ascii = new Rules({ allow: [{ host: 'xn--mnchen-3ya.test' }] });
    const unicode = new Rules({ allow: [{ host: 'München.test' }] });
    assert.equal(unicode.allow[0], '{"host":"xn--mnchen-3ya.test"}');
    assert.equal(ascii.id, unicode.id);
    for (const host of ['münchen.test', 'MÜNCHEN.test', 'xn--mnchen-3ya.TEST'])
      assert.ok(ascii.accept('1.1.1.1', { host }));
  });

  it('fail closed when the host is not known, or cannot be read', () => {
    const blocking = new Rules({ allow: everything, block: [{ host: 'evil.test' }] });
    for (const host of [undefined, 'evil.test', 'EVIL.test.', 'not a name', 'a..b', '127.1', 1 as never]) {
      const verdict = blocking.judge('1.1.1.1', { host });
      assert.deepEqual([verdict.reason, verdict.entry], ['host-blocked', '{"host":"evil.test"}']);
      assert.equal(blocking.judgeHost({ host }).reason, 'host-blocked');
    }
    assert.equal(blocking.accept('1.1.1.1'), false);
    for (const host of ['good.test', '1.1.1.1', '[::1]', '::1', 'fe80::1%lo']) {
      assert.ok(blocking.accept('1.1.1.1', { host }));
      assert.ok(blocking.judgeHost({ host }).allowed);
    }
  });

  it('judge as fast as a table look-up when there are thousands', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `host${i}.test`);
    const many = new Rules({ allow: names.map((host) => ({ host, prefix: '10.0.0.0/8' })) });
    const few = new Rules({ allow: [{ host: names[9_999]!, prefix: '10.0.0.0/8' }] });
    const time = (rules: Rules): number => {
      let best = Infinity;
      for (let round = 0; round < 20; round++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < 500; i++) assert.ok(rules.accept('10.0.0.1', { host: names[9_999]! }));
        best = Math.min(best, Number(process.hrtime.bigint() - start));
      }
      return best;
    };
    // A linear search would take thousands of times as long.
    assert.ok(time(many) < 50 * time(few));
  });
});

describe('Entries with a port', () => {
  const rows: [port: EntryFields['port'], accepted: number[], denied: number[], text: string][] = [
    [443, [443], [442, 444, 0], '443'],
    [[8000, 8999], [8000, 8500, 8999], [7999, 9000], '[8000,8999]'],
    [[80, [8000, 8999]], [80, 8000, 8999], [81, 7999], '[80,[8000,8999]]'],
    [
      [
        [80, 80],
        [443, 443],
      ],
      [80, 443],
      [81, 442],
      '[[80,80],[443,443]]',
    ],
    [[1, 3, 2, 9], [1, 2, 3, 9], [0, 4, 8], '[[1,3],9]'],
    [[[0, 65535]], [0, 1, 65535], [], '[0,65535]'],
    [[22], [22], [23], '22'],
  ];
  for (const [port, accepted, refused, text] of rows) {
    it(`match their ports only when written ${JSON.stringify(port)}`, () => {
      const allowing = new Rules({ allow: [{ port: port! }] });
      const blocking = new Rules({ allow: everything, block: [{ port: port! }] });
      assert.equal(allowing.allow[0], `{"port":${text}}`);
      for (const one of accepted) {
        assert.equal(allowing.accept('1.1.1.1', { port: one }), true);
        assert.equal(blocking.judge('::2', { port: one }).reason, 'port-blocked');
      }
      for (const one of refused) {
        assert.equal(allowing.judge('1.1.1.1', { port: one }).reason, 'port-not-allowed');
        assert.equal(blocking.accept('::2', { port: one }), true);
      }
      for (const unknown of [undefined, -1, 65_536, 1.5, NaN, '80' as never]) {
        assert.equal(allowing.accept('1.1.1.1', { port: unknown }), false);
        assert.equal(blocking.accept('::2', { port: unknown }), false);
      }
    });
  }

  it('say that another port is allowed, for a literal and for a name', () => {
    const rules = new Rules({ allow: [{ prefix: '10.0.0.0/8', host: 'db.test', port: 5432 }] });
    assert.equal(rules.judge('10.0.0.1', { host: 'db.test', port: 5433 }).reason, 'port-not-allowed');
    assert.equal(rules.judge('11.0.0.1', { host: 'db.test', port: 5433 }).reason, 'not-allowed');
    assert.equal(rules.judgeHost({ host: 'db.test', port: 5433 }).reason, 'port-not-allowed');
    assert.equal(rules.judgeHost({ host: 'other.test', port: 5432 }).reason, 'host-not-allowed');
    assert.equal(rules.judgeHost({ host: 'db.test', port: 5432 }).allowed, true);
  });
});

describe('Entries with a prefix and more', () => {
  it('judge every reading of an address under the same host and port', () => {
    const rules = new Rules({ allow: everything, block: [{ prefix: '127.0.0.0/8', port: 22 }] });
    const facts = { host: 'name.test', port: 22 };
    for (const [address, reason, carried] of [
      ['127.0.0.1', 'blocked', undefined],
      ['::ffff:127.0.0.1', 'blocked', undefined],
      ['64:ff9b::7f00:1', 'carried-address-blocked', '127.0.0.1'],
      ['2002:7f00:1::', 'carried-address-blocked', '127.0.0.1'],
      ['0.0.0.0', 'loopback-blocked', undefined],
      ['::', 'loopback-blocked', undefined],
    ] as const) {
      const verdict = rules.judge(address, facts);
      assert.deepEqual(
        [verdict.reason, verdict.carried, verdict.entry],
        [reason, carried, '{"prefix":"127.0.0.0/8","port":22}'],
      );
      assert.equal(rules.accept(address, facts), false);
      assert.equal(rules.accept(address), false, 'the port is not known');
      assert.equal(rules.accept(address, { ...facts, port: 23 }), true);
    }
  });

  it('deny a carrier that only public with a port allows when what it carries is not public', () => {
    const rules = new Rules({ allow: [{ prefix: 'public', port: 443 }] });
    const verdict = rules.judge('64:ff9b::a9fe:a9fe', { port: 443 });
    assert.deepEqual([verdict.reason, verdict.carried], ['carried-address-not-allowed', '169.254.169.254']);
    assert.ok(rules.accept('64:ff9b::808:808', { port: 443 }));
    assert.ok(
      new Rules({ allow: [{ prefix: 'public', port: 443 }, { host: 'a.test' }] }).accept(
        '64:ff9b::a9fe:a9fe',
        { host: 'a.test', port: 443 },
      ),
    );
  });

  it('are plain entries when they have nothing but a prefix', () => {
    const rules = new Rules({
      allow: [
        { prefix: '10.1.2.3/8' },
        { prefix: 'loopback' },
        { prefix: Prefix.parse('::1/128') },
        { prefix: Address.parse('1.1.1.1') },
      ],
    });
    assert.deepEqual(rules.allow, ['10.1.2.3/8', 'loopback', '::1/128', '1.1.1.1']);
    assert.deepEqual(rules.toJSON(), { allow: rules.allow, block: [] });
    assert.equal(rules.id, new Rules({ allow: [...rules.allow] }).id);
  });

  it('decide in the order of the list when several match', () => {
    const rules = new Rules({
      allow: [{ host: 'a.test' }, '10.0.0.0/8', '10.0.0.1', { port: 80, prefix: '10.0.0.0/16' }],
    });
    assert.equal(rules.judge('10.0.0.1', { host: 'a.test', port: 80 }).entry, '{"host":"a.test"}');
    assert.equal(rules.judge('10.0.0.1', { host: 'b.test', port: 80 }).entry, '10.0.0.0/8');
    assert.equal(new Rules({ allow: ['10.0.0.1', '10.0.0.0/8'] }).judge('10.0.0.1').entry, '10.0.0.1');
  });

  it('are refused with where they are wrong, and why', () => {
    const error = assertError(() => parseEntry({ host: 'a b' }, 'allow[2]'));
    const reason = 'it is not a host name, nor "*." and one';
    assert.deepEqual(faultOf(error), { where: 'allow[2].host', reason, unknown: undefined });
    const unknown = faultOf(assertError(() => parseEntry({ host: 'a.test', ports: 1 }, 'allow[2]')));
    assert.deepEqual([unknown?.where, unknown?.unknown], ['allow[2]', 'ports']);
    assert.equal(error.message, `Cannot use "a b" as allow[2].host: ${reason}`);
    assert.equal(faultOf(new Error('another')), undefined);
  });

  it('are one line as text, which is read back as the same', () => {
    const path = '/run/a\u2028\u202e\u0085 b.sock';
    const rules = new Rules({ allow: [{ path }] });
    assert.equal(String(rules), String.raw`ALLOW {"path":"/run/a\u2028\u202e\u0085\u0020b.sock"}`);
    assert.equal(Rules.parse(String(rules)).id, rules.id);
    assert.equal(Rules.parse(String(rules)).judgePath(path).allowed, true);
  });

  it('are refused as text in which a key stands twice', () => {
    assert.throws(() => new Rules({ allow: ['{"host":"a.test","host":"b.test"}'] }), {
      name: 'SyntaxError',
      code: 'ERR_NETJAIL_INVALID_ENTRY',
      message: /allow\[0\]: the key "host" stands here twice/,
    });
  });

  it('match by the own properties of what is known, never by those of a prototype', () => {
    const byHost = new Rules({ allow: [{ host: 'api.example.com', port: 443 }] });
    const inherited = Object.create({ host: 'api.example.com', port: 443 }) as TargetFacts;
    for (const address of ['8.8.8.8', '2606:4700::1']) {
      assert.equal(byHost.accept(address, { host: 'api.example.com', port: 443 }), true);
      assert.equal(byHost.accept(address, inherited), false);
      assert.equal(byHost.judge(address, inherited).allowed, false);
      assert.equal(byHost.accept(address, null as never), false);
    }
    const facts = { port: 443 };
    Object.defineProperty(Object.prototype, 'host', { value: 'api.example.com', configurable: true });
    try {
      assert.equal(byHost.accept('8.8.8.8', facts), false);
      assert.equal(byHost.explain({ address: '8.8.8.8', ...facts }).verdict.allowed, false);
    } finally {
      delete (Object.prototype as { host?: string }).host;
    }
  });

  it('look nothing up when a name cannot be allowed since all of it is blocked', () => {
    const facts = { host: 'a.test', port: 80 };
    for (const init of [
      { allow: [{ host: 'a.test', prefix: '10.0.0.0/8' }], block: ['10.0.0.0/9', '10.128.0.0/9'] },
      { allow: [{ path: '/run/x.sock' }] },
      { allow: ['10.0.0.0/8'], block: ['0.0.0.0/0'] },
      { allow: ['public'], block: everything },
      {},
    ]) {
      assert.equal(new Rules(init).judgeHost(facts).reason, 'host-not-allowed', JSON.stringify(init));
    }
    for (const init of [
      { allow: ['10.0.0.0/8'], block: ['10.0.0.0/9'] },
      { allow: ['public'], block: ['loopback', 'private'] },
      { allow: [{ port: 80 }], block: [{ port: 81 }, { host: '*.a.test' }] },
      { allow: everything, block: [{ host: 'a.test', prefix: '10.0.0.0/8' }] },
    ]) {
      assert.equal(new Rules(init).judgeHost(facts).allowed, true, JSON.stringify(init));
    }
    for (const [allow, block] of [
      [[{ host: '*.test', prefix: '10.0.0.0/8' }], [{ host: '*.test', prefix: '10.0.0.0/8' }]],
      [['10.0.0.0/8'], [{ host: 'a.test', prefix: '10.0.0.0/9' }, '10.128.0.0/9']],
      [['fc00::/7'], [{ host: 'a.test', prefix: 'fc00::/7' }]],
      [
        ['10.0.0.0/8', 'fc00::/7'],
        ['10.0.0.0/8', { host: 'a.test', prefix: 'fc00::/7' }],
      ],
      [['public'], [{ host: 'a.test', prefix: 'public' }]],
      [['8.8.8.8', '2606:4700::1111'], ['public']],
      [[{ host: 'a.test' }], ['0.0.0.0/1', '128.0.0.0/1', '::/0']],
      [
        ['public'],
        [
          { host: '*.test', prefix: '0.0.0.0/1' },
          { host: 'a.test', prefix: '128.0.0.0/1' },
          { host: 'a.test', prefix: '::/0' },
        ],
      ],
    ] as const) {
      assert.equal(
        new Rules({ allow, block }).judgeHost(facts).reason,
        'host-not-allowed',
        JSON.stringify([allow, block]),
      );
    }
    for (const [allow, block] of [
      [['10.0.0.0/8'], [{ host: 'a.test', prefix: '10.0.0.0/9' }]],
      [['10.0.0.0/8'], [{ host: 'a.test', prefix: '10.128.0.0/9' }]],
      [['fc00::/7'], [{ host: 'a.test', prefix: 'fc00::/8' }]],
      [['10.0.0.0/8'], [{ host: 'b.test', prefix: '10.0.0.0/8' }]],
      [
        ['10.0.0.0/8', 'fc00::/7'],
        [
          { host: 'a.test', prefix: '10.0.0.0/8' },
          { port: 80, prefix: '10.0.0.0/8' },
        ],
      ],
      [['public'], [{ host: 'a.test', prefix: '0.0.0.0/0' }]],
    ] as const) {
      assert.equal(
        new Rules({ allow, block }).judgeHost(facts).allowed,
        true,
        JSON.stringify([allow, block]),
      );
    }
    // More parts than are kept of what is left: the first ones blocked by host, the last one not.
    const parts = Array.from({ length: 200 }, (_, i) => `10.0.${i}.0/25`);
    const blockOf = (part: string): object => ({ host: 'a.test', prefix: part });
    assert.equal(
      new Rules({ allow: parts, block: parts.slice(0, 199).map(blockOf) }).judgeHost(facts).allowed,
      true,
    );
    assert.equal(
      new Rules({ allow: parts, block: parts.map(blockOf) }).judgeHost(facts).reason,
      'host-not-allowed',
    );
    // A block fails closed where the host is not known: another port would not do.
    const unnamed = new Rules({ allow: ['10.0.0.0/8'], block: [{ host: 'a.test', prefix: '10.0.0.0/8' }] });
    assert.equal(unnamed.judgeHost({ port: 80 }).reason, 'host-not-allowed');
    // Another port would do.
    for (const [allow, block] of [
      [['10.0.0.0/8'], [{ port: 80, prefix: '10.0.0.0/8' }]],
      [['10.0.0.0/8'], ['10.0.0.0/9', { port: 80, prefix: '10.128.0.0/9' }]],
      [
        everything,
        [
          { host: 'a.test', prefix: '0.0.0.0/0' },
          { port: 80, prefix: '::/0' },
        ],
      ],
    ] as const) {
      assert.equal(
        new Rules({ allow, block }).judgeHost(facts).reason,
        'port-not-allowed',
        JSON.stringify([allow, block]),
      );
      assert.equal(new Rules({ allow, block }).judgeHost({ ...facts, port: 81 }).allowed, true);
    }
    const named = new Rules({
      allow: everything,
      block: [
        { host: 'a.test', prefix: '0.0.0.0/0' },
        { host: 'a.test', prefix: '::/0' },
      ],
    });
    assert.equal(named.judgeHost(facts).reason, 'host-blocked');
  });
});

describe('Entries with a path', () => {
  it('allow this very path, and nothing else', () => {
    const rules = new Rules({
      allow: [{ path: '/run/my app.sock' }, '::/0'],
      block: [{ path: '/run/b.sock' }],
    });
    const verdict = rules.judgePath('/run/my app.sock');
    assert.deepEqual([verdict.allowed, verdict.entry], [true, String.raw`{"path":"/run/my\u0020app.sock"}`]);
    for (const path of ['/run/my app.sock/', '/run/../run/my app.sock', 'run/my app.sock', '', '::1'])
      assert.equal(rules.judgePath(path).reason, 'path-not-allowed');
    const blocked = rules.judgePath('/run/b.sock');
    assert.deepEqual([blocked.reason, blocked.entry], ['path-blocked', '{"path":"/run/b.sock"}']);
    assert.equal(new Rules({}).judgePath('/run/b.sock').reason, 'path-not-allowed');
    assert.throws(() => rules.judgePath(1 as never), { code: 'ERR_NETJAIL_INVALID_ARGUMENT' });
  });

  it('must be allowed by every scope', () => {
    const a = new Rules({ allow: [{ path: '/a' }, { path: '/b' }] });
    const b = new Rules({ allow: [{ path: '/a' }] });
    assert.equal(Rules.intersect(a, b).judgePath('/a').allowed, true);
    assert.equal(Rules.intersect(a, b).judgePath('/b').reason, 'path-not-allowed');
    assert.equal(Rules.intersect(b, a).judgePath('/b').reason, 'path-not-allowed');
  });
});

describe('Guard.admitPath()', () => {
  const settings = {
    rules: undefined,
    givenRules: false,
    resolver: undefined,
    answers: 'any',
    mode: 'enforce',
  } as const;
  const rules = new Rules({ allow: [{ path: '/run/a.sock' }], block: [{ path: '/run/b.sock' }] });

  it('returns when the path is allowed, and throws a denial when it is not', () => {
    new Guard(rules, settings).admitPath('/run/a.sock');
    for (const [given, path, reason, entry] of [
      [rules, '/run/b.sock', 'path-blocked', '{"path":"/run/b.sock"}'],
      [rules, '/run/c.sock', 'path-not-allowed', undefined],
      [undefined, '/run/a.sock', 'no-rules', undefined],
    ] as const) {
      assert.throws(
        () => new Guard(given, settings).admitPath(path),
        (error: DeniedError) => {
          assert.ok(error instanceof DeniedError);
          assert.deepEqual(
            [error.host, error.port, error.reason, error.denials[0]!.entry],
            [path, undefined, reason, entry],
          );
          return true;
        },
      );
    }
  });

  it('lets a denied path through when denials are only reported', () => {
    new Guard(rules, { ...settings, mode: 'report' }).admitPath('/run/c.sock');
  });
});

describe('Entries malformed input', () => {
  const rows: [entry: unknown, message: RegExp, errorName?: 'TypeError' | 'SyntaxError'][] = [
    [{}, /as allow\[0\]: it has no field/],
    [
      { prefix: '10.0.0.0/8', host: undefined },
      /undefined as allow\[0\]\.host: a field is given or left out/,
    ],
    [{ host: null }, /null as allow\[0\]\.host: a host is a string/],
    [{ hosts: ['a.test'] }, /no field "hosts"/],
    [{ prefix: '10.0.0.0/33' }, /allow\[0\]\.prefix: the length is 0 to 32/, 'SyntaxError'],
    [{ prefix: 'publik' }, /allow\[0\]\.prefix: .*nor a range/, 'SyntaxError'],
    [{ prefix: 8 }, /8 as allow\[0\]\.prefix/],
    [{ prefix: { prefix: '10.0.0.0/8' } }, /allow\[0\]\.prefix: it is a prefix/],
    [{ path: '/a', port: 80 }, /a path has no prefix, host or port/],
    [{ path: '' }, /allow\[0\]\.path: it is empty/, 'SyntaxError'],
    [{ path: 'a\0b' }, /NUL/, 'SyntaxError'],
    [{ path: 'a'.repeat(5000) }, /longer than 4096/, 'SyntaxError'],
    [{ path: 1 }, /a path is a string/],
    [[], /an array as allow\[0\]/],
    ['{"host":', /it is not JSON/, 'SyntaxError'],
    ['{"host":"*"}', /allow\[0\]\.host/, 'SyntaxError'],
  ];
  for (const host of ['', '*', '*.', '*.*.test', 'a.*.test', 'a*.test', '.a.test', 'a..test', 'a b.test'])
    rows.push([{ host }, /allow\[0\]\.host/, 'SyntaxError']);
  for (const host of [
    '127.0.0.1',
    '::1',
    '[::1]',
    '*.127.0.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    'a/b',
    'http://a.test',
    'a.test:80',
    'a@b.test',
    '%61.test',
    'a'.repeat(64),
    `${'a.'.repeat(130)}test`,
  ])
    rows.push([{ host }, /allow\[0\]\.host/, 'SyntaxError']);
  for (const port of [-1, 65_536, 1.5, NaN, '80', [], [2, 1], [1, '2', 3], [[1, 2, 3]], [[[1, 2]]], null, {}])
    rows.push([{ port }, /allow\[0\]\.port/]);
  for (const [entry, message, errorName = 'TypeError'] of rows) {
    it(`throws when given ${JSON.stringify(entry)?.slice(0, 60)}`, () => {
      assert.throws(
        () => new Rules({ allow: [entry as EntryInput] }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'ERR_NETJAIL_INVALID_ENTRY');
          assert.match(error.message, message);
          assert.equal(error.name, errorName);
          return true;
        },
      );
    });
  }

  const noRange = `, nor a range (${Object.keys(ranges).join(', ')})`;
  const expected = 'it is a prefix, an address or the name of a range';
  const messages: [entry: unknown, message: string, errorName?: 'TypeError' | 'SyntaxError'][] = [
    [1, 'Cannot use 1 as allow[0]: an entry is a prefix, an address, the name of a range or an object'],
    [
      undefined,
      'Cannot use undefined as allow[0]: an entry is a prefix, an address, the name of a range or an object',
    ],
    ['10.0.0.0/33', 'Cannot use "10.0.0.0/33" as allow[0]: the length is 0 to 32', 'SyntaxError'],
    ['10.0.0.256', 'Cannot use "10.0.0.256" as allow[0]: it is not an IP address', 'SyntaxError'],
    ...[
      'example.com',
      '*.example.com',
      'EXAMPLE.com.',
      'b\u00fccher.test',
      '\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444',
    ].map((name): [string, string, 'SyntaxError'] => [
      name,
      `Cannot use "${name}" as allow[0]: it is not an IP address; a name is written as { host: "${name}" }`,
      'SyntaxError',
    ]),
    [
      '1.2.3.x/8',
      'Cannot use "1.2.3.x/8" as allow[0]: the part before "/" is not an IP address',
      'SyntaxError',
    ],
    [
      '10.0.0.x1',
      'Cannot use "10.0.0.x1" as allow[0]: it is not an IP address; a name is written as { host: "10.0.0.x1" }',
      'SyntaxError',
    ],
    // Addresses with something wrong in them, and what is no name either.
    ...['10.0.0.0x1', '10.0.x.1a', 'a b.test'].map((text): [string, string, 'SyntaxError'] => [
      text,
      `Cannot use "${text}" as allow[0]: it is not an IP address`,
      'SyntaxError',
    ]),
    ['::g', 'Cannot use "::g" as allow[0]: it is not an IP address', 'SyntaxError'],
    ['publik', `Cannot use "publik" as allow[0]: it is not an IP address${noRange}`, 'SyntaxError'],
    ['a: b', 'Cannot use "a: b" as allow[0]: it is not an IP address', 'SyntaxError'],
    [
      'public/8',
      'Cannot use "public/8" as allow[0]: the part before "/" is not an IP address',
      'SyntaxError',
    ],
    ['fe80::1%x', 'Cannot use "fe80::1%x" as allow[0]: a prefix has no zone', 'SyntaxError'],
    [Address.parse('fe80::1%x'), 'Cannot use "fe80::1%x" as allow[0]: a prefix has no zone', 'SyntaxError'],
    ['{"host"', 'Cannot use "{\\"host\\"" as allow[0]: it is not JSON', 'SyntaxError'],
    [{}, 'Cannot use an object as allow[0]: it has no field, and would match everything'],
    ['{}', 'Cannot use an object as allow[0]: it has no field, and would match everything'],
    [
      { hosts: 1 },
      'Cannot use an object as allow[0]: there is no field "hosts", only prefix, host, port and path',
    ],
    [
      { [Symbol('x')]: 1 },
      'Cannot use an object as allow[0]: there is no field "Symbol(x)", only prefix, host, port and path',
    ],
    [{ port: undefined }, 'Cannot use undefined as allow[0].port: a field is given or left out'],
    [{ prefix: 8 }, `Cannot use 8 as allow[0].prefix: ${expected}`],
    [{ prefix: {} }, `Cannot use an object as allow[0].prefix: ${expected}`],
    [
      { prefix: 'publik' },
      `Cannot use "publik" as allow[0].prefix: it is not an IP address${noRange}`,
      'SyntaxError',
    ],
    [{ host: 1 }, 'Cannot use 1 as allow[0].host: a host is a string'],
    [
      { host: '::1' },
      'Cannot use "::1" as allow[0].host: it is an address, and an address has no host: use prefix',
      'SyntaxError',
    ],
    [
      { port: -1 },
      'Cannot use -1 as allow[0].port: it is a port (0 to 65535), [from, to], or a list of them',
    ],
    [
      { port: '80' },
      'Cannot use "80" as allow[0].port: it is a port (0 to 65535), [from, to], or a list of them',
    ],
    [{ path: 1 }, 'Cannot use 1 as allow[0].path: a path is a string'],
    [{ path: '' }, 'Cannot use "" as allow[0].path: it is empty', 'SyntaxError'],
    [{ path: '\0\0' }, 'Cannot use "\\u0000\\u0000" as allow[0].path: it has a NUL in it', 'SyntaxError'],
    [
      { path: 'a'.repeat(4097) },
      `Cannot use "${'a'.repeat(200)}" (4097 characters) as allow[0].path: it is longer than 4096 characters`,
      'SyntaxError',
    ],
    ...[{ prefix: '::1' }, { host: 'a.test' }, { port: 1 }].map((more): [unknown, string] => [
      { path: '/a', ...more },
      'Cannot use an object as allow[0]: a path has no prefix, host or port',
    ]),
  ];
  for (const [entry, message, name = 'TypeError'] of messages) {
    it(`throws ERR_NETJAIL_INVALID_ENTRY: ${message.slice(0, 100)} ${typeof entry === 'string' ? '(text)' : ''}`, () => {
      assert.throws(() => new Rules({ allow: [entry as EntryInput] }), {
        name,
        code: 'ERR_NETJAIL_INVALID_ENTRY',
        message,
      });
    });
  }

  it('is none at the edge: a path of 4096 characters, one that begins with a NUL, JSON in text', () => {
    const paths = ['a'.repeat(4096), '\0abstract'];
    const rules = new Rules({ allow: [...paths.map((path) => ({ path })), '{"path":"/b"}'] });
    for (const path of [...paths, '/b']) assert.ok(rules.judgePath(path).allowed);
    assert.deepEqual(rules.toJSON().allow, [{ path: paths[0] }, { path: paths[1] }, { path: '/b' }]);
  });

  it('reads each field once, and own fields only', () => {
    let reads = 0;
    const rules = new Rules({
      allow: [
        {
          get host() {
            return reads++ === 0 ? 'a.test' : 'b.test';
          },
        },
      ],
    });
    assert.equal(reads, 1);
    assert.equal(rules.accept('1.1.1.1', { host: 'b.test' }), false);
    const inherited = Object.create({ host: 'a.test' }) as EntryFields;
    assert.throws(() => new Rules({ allow: [inherited] }), /it has no field/);
  });
});

describe('Entries properties', () => {
  const ipv4 = fc
    .tuple(fc.constantFrom(10, 127), fc.constantFrom(0, 1), fc.constant(0), fc.nat(3))
    .map((octets) => octets.join('.'));
  const ipv6 = fc.oneof(
    ipv4.map((text) => `64:ff9b::${text}`),
    ipv4.map((text) => `::ffff:${text}`),
    fc.constantFrom('::', '::1', '2001:db8::1', '2001:db8::2'),
  );
  const address = fc.oneof(ipv4, ipv6);
  const prefix = fc.oneof(
    fc.tuple(ipv4, fc.nat(32)).map(([text, bits]) => `${text}/${bits}`),
    fc.tuple(ipv6, fc.nat(128)).map(([text, bits]) => `${text}/${bits}`),
    address,
  );
  const host = fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'd.test');
  const pattern = fc.oneof(
    host,
    host.map((name) => `*.${name}`),
  );
  const port = fc.integer({ min: 1, max: 4 });
  const ports = fc.oneof(
    port,
    fc.tuple(port, port).map(([x, y]): [number, number] => [Math.min(x, y), Math.max(x, y)]),
  );
  const fields: fc.Arbitrary<EntryFields> = fc.oneof(
    fc.record({ prefix, host: pattern, port: ports }, { requiredKeys: ['prefix'] }),
    fc.record({ host: pattern, port: ports }, { requiredKeys: ['host'] }),
    fc.record({ port: ports }),
  );
  const entry: fc.Arbitrary<EntryInput> = fc.oneof(prefix, fields);
  const list = fc.array(entry, { maxLength: 6 });
  const facts: fc.Arbitrary<TargetFacts> = fc.record({
    host: fc.option(fc.oneof(host, ipv4), { nil: undefined }),
    port: fc.option(port, { nil: undefined }),
  });

  /** The prefixes of the entries that match host and port, by a reading of our own. */
  function inForce(
    entries: readonly EntryInput[],
    { host: name, port: number }: TargetFacts,
    block: boolean,
  ): string[] {
    return entries.flatMap((one) => {
      if (typeof one === 'string') return [one];
      const { prefix: text, host: wanted, port: from } = one as EntryFields;
      if (wanted !== undefined) {
        if (name === undefined) {
          if (!block) return [];
        } else {
          const literal = /^[0-9.]+$/.test(name);
          const fits = wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : name === wanted;
          if (literal || !fits) return [];
        }
      }
      if (from !== undefined) {
        const [low, high] = typeof from === 'number' ? [from, from] : (from as [number, number]);
        if (number === undefined ? !block : number < low || number > high) return [];
      }
      return text === undefined ? everything : [text as string];
    });
  }

  it('accept as the bit-by-bit oracle does with the entries in force', () => {
    fc.assert(
      fc.property(list, list, address, facts, (allow, block, text, known) => {
        const rules = new Rules({ allow, block });
        const expected = accepts(inForce(allow, known, false), inForce(block, known, true), text);
        assert.equal(rules.accept(text, known), expected);
        assert.equal(rules.judge(text, known).allowed, expected);
        assert.equal(rules.explain({ address: text, ...known }).verdict.allowed, expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('never deny a name before the look-up when an address of it would be accepted', () => {
    fc.assert(
      fc.property(list, list, address, facts, (allow, block, text, known) => {
        const rules = new Rules({ allow, block });
        if (rules.accept(text, known)) assert.ok(rules.judgeHost(known).allowed);
      }),
      { numRuns: 5000 },
    );
  });

  it('never deny a name in nested scopes before the look-up when an address of it would be accepted', () => {
    fc.assert(
      fc.property(list, list, list, list, address, facts, (allow, block, within, but, text, known) => {
        const rules = Rules.intersect(new Rules({ allow, block }), new Rules({ allow: within, block: but }));
        if (rules.accept(text, known)) assert.ok(rules.judgeHost(known).allowed);
      }),
      { numRuns: 5000 },
    );
  });

  it('accept never more when a block is added or a fact taken away, never less when an allow is added', () => {
    fc.assert(
      fc.property(list, list, entry, address, facts, (allow, block, more, text, known) => {
        const accepted = new Rules({ allow, block }).accept(text, known);
        if (accepted) assert.ok(new Rules({ allow: [...allow, more], block }).accept(text, known));
        else {
          assert.equal(new Rules({ allow, block: [...block, more] }).accept(text, known), false);
          assert.equal(new Rules({ allow, block }).accept(text, { ...known, port: undefined }), false);
          assert.equal(new Rules({ allow, block }).accept(text, { ...known, host: undefined }), false);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('read back what they print, with the same id in another order, in text and in JSON', () => {
    const path = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0', 1));
    const any = fc.array(
      fc.oneof(
        entry,
        path.map((text) => ({ path: text })),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(any, any, any, (allow, block, outer) => {
        const rules = new Rules({ allow, block });
        const read = Rules.parse(rules.toString());
        assert.equal(read.toString(), rules.toString());
        assert.equal(read.id, rules.id);
        assert.equal(new Rules(JSON.parse(JSON.stringify(rules)) as object).id, rules.id);
        assert.equal(
          new Rules({ allow: allow.toReversed().concat(allow), block: block.toReversed() }).id,
          rules.id,
        );
        const nested = Rules.intersect(rules, new Rules({ allow: outer }));
        assert.equal(Rules.parse(nested.toString()).id, nested.id);
      }),
      { numRuns: 1000 },
    );
  });

  it('have another id when they answer differently', () => {
    fc.assert(
      fc.property(list, list, list, list, address, facts, (allowA, blockA, allowB, blockB, text, known) => {
        const a = new Rules({ allow: allowA, block: blockA });
        const b = new Rules({ allow: allowB, block: blockB });
        if (a.accept(text, known) !== b.accept(text, known)) assert.notEqual(a.id, b.id);
      }),
      { numRuns: 2000 },
    );
  });
});
