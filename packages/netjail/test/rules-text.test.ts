// The text of rules: what Rules.parse() reads and refuses, what toString() writes, and the same as JSON.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containsScopes, Rules, type RulesInit } from '../src/rules.ts';

describe('Rules.parse()', () => {
  const rows: [text: string, json: ReturnType<Rules['toJSON']>][] = [
    ['', { allow: [], block: [] }],
    ['ALLOW ::1', { allow: ['::1'], block: [] }],
    ['BLOCK ::1', { allow: [], block: ['::1'] }],
    ['ALLOW ::1 10.0.0.0/8, BLOCK ::2 public', { allow: ['::1', '10.0.0.0/8'], block: ['::2', 'public'] }],
    [
      'ALLOW {"host":"a.test","port":[80,[90,99]]} {"path":"/a,b"}, BLOCK {"port":[1,[3,4]]}',
      { allow: [{ host: 'a.test', port: [80, [90, 99]] }, { path: '/a,b' }], block: [{ port: [1, [3, 4]] }] },
    ],
    [
      'ALLOW ::1, BLOCK ::2, WITHIN ALLOW ::3, WITHIN BLOCK ::4',
      {
        allow: ['::1'],
        block: ['::2'],
        within: { allow: ['::3'], block: [], within: { allow: [], block: ['::4'] } },
      },
    ],
    ['WITHIN', { allow: [], block: [], within: { allow: [], block: [] } }],
    ['WITHIN ALLOW ::1', { allow: [], block: [], within: { allow: ['::1'], block: [] } }],
    [
      'WITHIN WITHIN BLOCK ::1',
      { allow: [], block: [], within: { allow: [], block: [], within: { allow: [], block: ['::1'] } } },
    ],
    ['ALLOW ::1, WITHIN', { allow: ['::1'], block: [], within: { allow: [], block: [] } }],
    [
      'BLOCK ::1, WITHIN ALLOW ::2, BLOCK ::3',
      { allow: [], block: ['::1'], within: { allow: ['::2'], block: ['::3'] } },
    ],
  ];
  for (const [text, json] of rows) {
    it(`reads ${JSON.stringify(text)}, which toString() writes again`, () => {
      const rules = Rules.parse(text);
      assert.deepEqual(rules.toJSON(), json);
      assert.equal(rules.toString(), text);
    });
  }

  const refused = [
    ' ',
    'ALLOW',
    'ALLOW ',
    'BLOCK',
    'ALLOW ::1,',
    'ALLOW ::1, ',
    'ALLOW ::1, BLOCK',
    'ALLOW ::1,, BLOCK ::2',
    'ALLOW ::1 , BLOCK ::2',
    'ALLOW , BLOCK ::2',
    'ALLOW  ::1',
    'ALLOW ::1 ',
    ' ALLOW ::1',
    'ALLOW ::1,::2',
    'ALLOW ::1,BLOCK ::2',
    'ALLOW ::1, ALLOW ::2',
    'BLOCK ::1, BLOCK ::2',
    'BLOCK ::1, ALLOW ::2',
    'ALLOW ::1, BLOCK ::2, ALLOW ::3',
    'ALLOW ::1, BLOCK ::2, BLOCK ::3',
    'ALLOW ::1, PERMIT ::2',
    'allow ::1',
    '::1',
    'WITHIN ',
    'WITHIN,',
    'WITHIN ::1',
    'WITHIN ALLOW',
    'ALLOW ::1, WITHIN ',
    'ALLOW ::1, WITHIN BLOCK',
    'ALLOW ::1, WITHIN, BLOCK ::2',
  ];
  for (const text of refused) {
    it(`throws ERR_NETJAIL_INVALID_RULES for ${JSON.stringify(text)}`, () => {
      assert.throws(() => Rules.parse(text), {
        name: 'SyntaxError',
        code: 'ERR_NETJAIL_INVALID_RULES',
        message: `Cannot read rules from ${JSON.stringify(text)}: it is not "ALLOW ..., BLOCK ..."`,
      });
    });
  }

  for (const [text, entry, where] of [
    ['ALLOW BLOCK ::1', 'BLOCK', 'allow[0]'],
    ['ALLOW ::1 BLOCK ::2', 'BLOCK', 'allow[1]'],
    ['ALLOW ::1 WITHIN ALLOW ::2', 'WITHIN', 'allow[1]'],
    ['BLOCK WITHIN', 'WITHIN', 'block[0]'],
  ] as const) {
    it(`takes a keyword for an entry where no comma is before it: ${text}`, () => {
      assert.throws(
        () => Rules.parse(text),
        (error: Error & { code?: unknown }) => {
          assert.deepEqual([error.name, error.code], ['SyntaxError', 'ERR_NETJAIL_INVALID_ENTRY']);
          assert.ok(error.message.startsWith(`Cannot use "${entry}" as ${where}: `), error.message);
          return true;
        },
      );
    });
  }

  it('reads 256 scopes and not one more', () => {
    const scopes = (count: number): string => Array(count).fill('ALLOW ::1').join(', WITHIN ');
    const rules = Rules.parse(scopes(256));
    assert.equal(rules.toString(), scopes(256));
    assert.ok(rules.accept('::1'));
    assert.throws(() => Rules.parse(scopes(257)), {
      name: 'SyntaxError',
      code: 'ERR_NETJAIL_INVALID_RULES',
      message: /^Cannot read rules from "ALLOW ::1, .*: it has more than 256 scopes$/,
    });
  });
});

describe('Rules.allow and Rules.block', () => {
  it('are the entries as written, frozen, made once, and toString() has the same before and after', () => {
    const init = {
      allow: [{ host: 'a.test' }, '::ffff:10.0.0.1', '10.1.2.3/8'],
      block: ['::1', { prefix: '::ffff:10.0.0.1' }, 'loopback', { prefix: 'private', port: 1 }],
    };
    const text =
      'ALLOW {"host":"a.test"} ::ffff:10.0.0.1 10.1.2.3/8, ' +
      'BLOCK ::1 ::ffff:10.0.0.1 loopback {"prefix":"private","port":1}';
    const rules = new Rules(init);
    assert.equal(rules.toString(), text);
    assert.deepEqual(rules.allow, ['{"host":"a.test"}', '::ffff:10.0.0.1', '10.1.2.3/8']);
    assert.deepEqual(rules.block, ['::1', '::ffff:10.0.0.1', 'loopback', '{"prefix":"private","port":1}']);
    assert.equal(rules.toString(), text);
    assert.equal(rules.allow, rules.allow);
    assert.equal(rules.block, rules.block);
    assert.ok(Object.isFrozen(rules) && Object.isFrozen(rules.allow) && Object.isFrozen(rules.block));
    assert.equal(rules.within, undefined);
  });

  it('are those of the innermost scope, and within has the others', () => {
    const outer = new Rules({ allow: ['::2'], block: ['::3'] });
    const both = Rules.intersect(new Rules({ allow: ['::1'] }), outer);
    assert.deepEqual([both.allow, both.block, both.within], [['::1'], [], outer]);
    assert.equal(both.within, outer);
  });
});

describe('Rules.toJSON()', () => {
  it('has objects with the fields that were given and no others, as new Rules() takes them', () => {
    const rules = new Rules({
      allow: [
        '10.0.0.0/8',
        { prefix: '10.0.0.1' },
        { prefix: '::1', port: [[80, 80], 443] },
        { host: '*.A.test.' },
        { port: [80, 81, 82] },
        { path: '/a b' },
        { prefix: 'public', host: 'b.test', port: [1, 9] },
      ],
    });
    const allow = [
      '10.0.0.0/8',
      '10.0.0.1',
      {
        prefix: '::1',
        port: [
          [80, 80],
          [443, 443],
        ],
      },
      { host: '*.a.test' },
      { port: [80, 82] },
      { path: '/a b' },
      { prefix: 'public', host: 'b.test', port: [1, 9] },
    ];
    assert.deepEqual(rules.toJSON(), { allow, block: [] });
    assert.ok(Object.isFrozen(rules.toJSON().allow[2]));
    assert.equal(new Rules(rules.toJSON() as never).toString(), rules.toString());
  });
});

describe('Rules.from()', () => {
  it('reads a policy as text and as a value, and names what is wrong', () => {
    for (const policy of [{ allow: ['::1'], block: ['::2'] }, '{ "allow": ["::1"], "block": ["::2"] }']) {
      assert.equal(Rules.from(policy).toString(), 'ALLOW ::1, BLOCK ::2');
    }
    assert.throws(() => Rules.from({ allow: ['::1/129'] }), {
      code: 'ERR_NETJAIL_INVALID_POLICY',
      field: 'allow[0]',
    });
  });
});

describe('Rules.intersect()', () => {
  const a = new Rules({ allow: ['10.0.0.0/8', '::/0'] });
  const b = new Rules({ allow: ['10.1.0.0/16'] });
  const c = new Rules({ allow: ['10.1.1.0/24'] });

  it('gives the same object for the same two, and another for others', () => {
    const both = Rules.intersect(a, b);
    assert.equal(Rules.intersect(a, b), both);
    assert.equal(Rules.intersect(a, c).toString(), 'ALLOW 10.0.0.0/8 ::/0, WITHIN ALLOW 10.1.1.0/24');
    assert.equal(Rules.intersect(a, c), Rules.intersect(a, c));
    assert.equal(Rules.intersect(a, b), both);
    assert.notEqual(Rules.intersect(b, a), both);
  });

  it('gives one of the two where the other adds nothing', () => {
    const same = new Rules({ allow: ['::/0', '10.0.0.0/8', '10.0.0.0/9'] });
    assert.equal(Rules.intersect(a, same), same);
    assert.equal(Rules.intersect(a, Rules.intersect(b, a)), Rules.intersect(b, a));
    assert.equal(Rules.intersect(Rules.intersect(a, b), b), Rules.intersect(a, b));
  });

  it('keeps every scope where the two have some in common', () => {
    const both = [Rules.intersect(a, b), Rules.intersect(b, c)] as const;
    for (const [inner, outer] of [both, [both[1], both[0]]] as const) {
      const all = Rules.intersect(inner, outer);
      assert.deepEqual(
        ['10.1.1.1', '10.1.2.1', '10.2.0.1', '::1'].map((address) => all.accept(address)),
        [true, false, false, false],
      );
    }
  });

  it('puts all scopes of the one around all of the other', () => {
    const outer = Rules.intersect(c, new Rules({ allow: ['10.1.1.1'] }));
    const all = Rules.intersect(Rules.intersect(a, b), outer);
    assert.equal(
      all.toString(),
      'ALLOW 10.0.0.0/8 ::/0, WITHIN ALLOW 10.1.0.0/16, WITHIN ALLOW 10.1.1.0/24, WITHIN ALLOW 10.1.1.1',
    );
    assert.deepEqual(
      ['10.1.1.1', '10.1.1.2', '::1'].map((address) => all.accept(address)),
      [true, false, false],
    );
    assert.equal(all.explain('10.1.1.2').steps.length, 4);
  });

  it('reads rules of another copy of netjail over, once', () => {
    const other = {
      [Symbol.for('netjail.Rules')]: true,
      toString: () => 'ALLOW 10.1.0.0/16, WITHIN ALLOW 10.1.1.1',
    };
    const both = Rules.intersect(a, other as never);
    assert.equal(both.toString(), 'ALLOW 10.0.0.0/8 ::/0, WITHIN ALLOW 10.1.0.0/16, WITHIN ALLOW 10.1.1.1');
    assert.equal(Rules.intersect(a, other as never), both);
    assert.equal(Rules.intersect(b, other as never), both.within);
    assert.equal((Rules.prototype as unknown as Record<symbol, unknown>)[Symbol.for('netjail.Rules')], true);
  });
});

describe('containsScopes()', () => {
  const a = new Rules({ allow: ['10.0.0.0/8'] });
  const b = new Rules({ allow: ['10.1.0.0/16'] });
  const c = new Rules({ allow: ['::1'] });
  const both = Rules.intersect(a, b);
  const rows: [string, rules: Rules, part: Rules, boolean][] = [
    ['they are those', a, a, true],
    ['they say the same', a, new Rules({ allow: ['10.1.2.3/8', '10.0.0.1'] }), true],
    ['they are others', a, b, false],
    ['the others are the inner scope', both, a, true],
    ['the others are the outer scope', both, b, true],
    ['the others have another scope', a, both, false],
    ['one of two scopes is another', both, Rules.intersect(a, c), false],
    ['the scopes are nested the other way round', both, Rules.intersect(b, a), true],
    ['the others are two of three scopes', Rules.intersect(c, both), Rules.intersect(b, c), true],
  ];
  for (const [when, rules, part, contained] of rows) {
    it(`is ${contained} when ${when}`, () => assert.equal(containsScopes(rules, part), contained));
  }
});

describe('Rules.id', () => {
  it('is the same for the same scopes in another order, and another for each part that differs', () => {
    const of = (init: RulesInit): string => new Rules(init).id;
    const inits: RulesInit[] = [
      {},
      { allow: ['10.0.0.0/8'] },
      { block: ['10.0.0.0/8'] },
      { allow: ['::/8'] },
      { allow: [{ prefix: '10.0.0.0/8', port: 80 }] },
      { block: [{ prefix: '10.0.0.0/8', port: 80 }] },
      { allow: [{ prefix: '10.0.0.0/8', port: 81 }] },
      { allow: [{ prefix: '10.0.0.0/8', port: [80, 81] }] },
      { allow: [{ prefix: '10.0.0.0/8', host: 'a.test' }] },
      { allow: [{ prefix: '10.0.0.0/8', host: '*.a.test' }] },
      { allow: [{ prefix: '10.0.0.0/8', host: 'a.test', port: 80 }] },
      { allow: [{ host: 'a.test', port: 80 }] },
      { allow: [{ path: '/a' }] },
      { block: [{ path: '/a' }] },
      { allow: [{ path: '/a' }, { path: '/b' }] },
      { allow: ['public'] },
    ];
    assert.equal(new Set(inits.map(of)).size, inits.length);
    const both = (allow: object[]): string => of({ allow: allow as never, block: allow as never });
    const entries = [
      { host: 'a.test' },
      { host: 'b.test', port: 2 },
      { port: 1 },
      { path: '/b' },
      { path: '/a' },
      { path: '/c' },
    ];
    assert.equal(both(entries), both([...entries].reverse()));
    const [a, b] = [new Rules({ allow: ['::/8'] }), new Rules({ allow: ['10.0.0.0/8'] })];
    assert.equal(Rules.intersect(a, b).id, Rules.intersect(b, a).id);
    assert.notEqual(Rules.intersect(a, b).id, a.id);
    assert.match(a.id, /^[\w-]{43}$/);
  });
});

describe('Rules malformed arguments', () => {
  const rows: [message: string, call: () => unknown, code?: string][] = [
    ['Cannot create rules: Rules cannot be subclassed', () => new (class Sub extends Rules {})({})],
    ['Cannot create rules: rules are { allow, block }, not undefined', () => new Rules(undefined as never)],
    ['Cannot create rules: rules are { allow, block }, not "ALLOW"', () => new Rules('ALLOW' as never)],
    [
      'Cannot create rules: there is no list "deny", only allow and block',
      () => new Rules({ deny: [] } as never),
    ],
    [
      'Cannot create rules: there is no list "Symbol(x)", only allow and block',
      () => new Rules({ [Symbol('x')]: [] } as never),
    ],
    ['Cannot create rules: allow is an array, not an object', () => new Rules({ allow: {} } as never)],
    ['Cannot create rules: block is an array, not null', () => new Rules({ block: null } as never)],
    ['Cannot read rules: their text is a string, not null', () => Rules.parse(null as never)],
    ['Cannot use null as rules: it is no Rules', () => Rules.intersect(null as never, new Rules({}))],
    ['Cannot use an object as rules: it is no Rules', () => Rules.intersect(new Rules({}), {} as never)],
    [
      'Cannot use an object as rules: it is no Rules',
      () => Rules.intersect({ [Symbol.for('netjail.Rules')]: 1 } as never, new Rules({})),
    ],
    [
      'Cannot use an object as rules: they have no text',
      () =>
        Rules.intersect(
          Object.create(null, { [Symbol.for('netjail.Rules')]: { value: true } }),
          new Rules({}),
        ),
    ],
    [
      'Cannot use an object as rules: it is a proxy of Rules, or only inherits from them',
      () => Rules.intersect(new Proxy(new Rules({}), {}), new Rules({})),
    ],
    [
      'Cannot judge 1: an address is a string or an Address',
      () => new Rules({}).accept(1 as never),
      'ERR_NETJAIL_INVALID_ADDRESS',
    ],
    [
      'Cannot judge undefined: an address is a string or an Address',
      () => new Rules({}).judge(undefined as never),
      'ERR_NETJAIL_INVALID_ADDRESS',
    ],
    [
      'Cannot judge 1: a path is a string',
      () => new Rules({}).judgePath(1 as never),
      'ERR_NETJAIL_INVALID_ARGUMENT',
    ],
  ];
  for (const [message, call, code = 'ERR_NETJAIL_INVALID_RULES'] of rows) {
    it(`throw ${code}: ${message}`, () => {
      assert.throws(call, { name: 'TypeError', code, message });
    });
  }

  it('throw ERR_NETJAIL_INVALID_RULES for a list of 2 ** 24 entries, and read none of them', () => {
    for (const name of ['allow', 'block']) {
      assert.throws(() => new Rules({ [name]: Array(0x1000000) } as never), {
        name: 'RangeError',
        code: 'ERR_NETJAIL_INVALID_RULES',
        message: `Cannot create rules: ${name} has 16777216 entries, and a list has fewer than 16777216`,
      });
    }
    assert.throws(() => new Rules({ allow: Array(0xffffff) } as never), {
      code: 'ERR_NETJAIL_INVALID_ENTRY',
      message: /^Cannot use undefined as allow\[0\]: /,
    });
  });
});
