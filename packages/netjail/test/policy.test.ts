import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { loadPolicy, loadPolicySync } from '../src/policy-file.ts';
import { readPolicy } from '../src/policy-read.ts';
import { parsePolicy } from '../src/policy.ts';
import { ranges } from '../src/ranges.ts';
import { Rules } from '../src/rules.ts';
import { packageRoot } from './helpers/data.ts';

const folder = mkdtempSync(join(tmpdir(), 'netjail-policy-'));
after(() => rmSync(folder, { recursive: true }));

const schema = JSON.parse(readFileSync(join(packageRoot, 'schema/policy.json'), 'utf8')) as object;
const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(schema);

interface Facts {
  name: string;
  code: string;
  source: string | undefined;
  line: number | undefined;
  column: number | undefined;
  field: string;
  message: string;
}

function failure(read: () => unknown): Facts {
  try {
    read();
  } catch (error) {
    return error as Facts;
  }
  return assert.fail('the policy was read');
}

/** The policy, the lists that it stands for, and that JSON.parse reads it as well. */
const valid: [name: string, policy: object, allow: string[], block: string[]][] = [
  ['denies everything', { allow: [] }, [], []],
  ['has a schema', { $schema: './policy.json', allow: ['public'] }, ['public'], []],
  [
    'has both lists',
    { allow: ['public', '10.0.0.0/8'], block: ['10.0.0.1'] },
    ['public', '10.0.0.0/8'],
    ['10.0.0.1'],
  ],
  [
    'has IPv6',
    { allow: ['::/0', '2001:db8::1', '::ffff:10.0.0.1/104'] },
    ['::/0', '2001:db8::1', '::ffff:10.0.0.1/104'],
    [],
  ],
  [
    'refers to lists in both',
    { lists: { 'a.b_c-1': ['10.0.0.0/8'], X: ['::1'] }, allow: ['@a.b_c-1', '@X'], block: ['@X'] },
    ['10.0.0.0/8', '::1'],
    ['::1'],
  ],
  [
    'refers from list to list, each once',
    {
      lists: { a: ['@b', '@c', '10.0.0.1'], b: ['@c', '10.0.0.2'], c: ['10.0.0.3'] },
      allow: ['10.0.0.0', '@a', '@b', '@a'],
    },
    ['10.0.0.0', '10.0.0.3', '10.0.0.2', '10.0.0.1'],
    [],
  ],
  [
    'has the longest name of a list',
    { lists: { ['a'.repeat(64)]: ['::1'] }, allow: [`@${'a'.repeat(64)}`] },
    ['::1'],
    [],
  ],
  ['has an empty list', { lists: { none: [] }, allow: ['@none'] }, [], []],
  [
    'names a list like a property of Object',
    { lists: { constructor: ['::1'] }, allow: ['@constructor'] },
    ['::1'],
    [],
  ],
];

/** Policies of the wrong shape: the field that the error names, and whether the schema sees it. */
const invalid: [
  name: string,
  policy: unknown,
  type: string,
  field: string,
  reason: RegExp,
  schema?: false,
][] = [
  ['an array', [], 'TypeError', '', /a policy is an object/],
  ['null', null, 'TypeError', '', /a policy is an object/],
  ['a number', 1, 'TypeError', '', /a policy is an object/],
  ['without allow', { block: ['::1'] }, 'TypeError', 'allow', /missing/],
  ['with another field', { allow: [], deny: [] }, 'TypeError', 'deny', /there is no field/],
  ['with a schema that is no text', { $schema: 1, allow: [] }, 'TypeError', '$schema', /address of a schema/],
  ['with allow that is text', { allow: 'public' }, 'TypeError', 'allow', /array of entries/],
  ['with allow that is null', { allow: null }, 'TypeError', 'allow', /array of entries/],
  ['with block that is an object', { allow: [], block: {} }, 'TypeError', 'block', /array of entries/],
  ['with an entry that is a number', { allow: ['::1', 1] }, 'TypeError', 'allow[1]', /an entry is/],
  ['with an entry that is null', { allow: [null] }, 'TypeError', 'allow[0]', /an entry is/],
  ['with an entry that is a list', { allow: [['::1']] }, 'TypeError', 'allow[0]', /an entry is/],
  [
    'with an entry that is true',
    { allow: [], block: ['::1', '::2', true] },
    'TypeError',
    'block[2]',
    /an entry is/,
  ],
  ['with an empty entry', { allow: [''] }, 'SyntaxError', 'allow[0]', /not an IP address/],
  [
    'with white space in an entry',
    { allow: [' 10.0.0.0/8'] },
    'SyntaxError',
    'allow[0]',
    /not an IP address/,
  ],
  ['with a short address', { allow: ['127.1'] }, 'SyntaxError', 'allow[0]', /not an IP address/],
  ['with a hexadecimal address', { allow: ['0x7f.0.0.1'] }, 'SyntaxError', 'allow[0]', /not an IP address/],
  ['with a zone', { allow: ['fe80::1%eth0'] }, 'SyntaxError', 'allow[0]', /zone/],
  ['with octets too large', { allow: ['10.0.0.256'] }, 'SyntaxError', 'allow[0]', /not an IP address/, false],
  ['with a length too large', { allow: ['10.0.0.0/33'] }, 'SyntaxError', 'allow[0]', /0 to 32/, false],
  ['with a range that is none', { allow: ['internet'] }, 'SyntaxError', 'allow[0]', /nor a range/],
  [
    'with a path and a port',
    { allow: [{ path: '/x', port: 80 }] },
    'TypeError',
    'allow[0]',
    /no prefix, host or port/,
  ],
  [
    'with every host',
    { allow: [{ host: '*' }] },
    'SyntaxError',
    'allow[0].host',
    /only "\*\." at its beginning/,
  ],
  ['with lists that are an array', { lists: [], allow: [] }, 'TypeError', 'lists', /object of lists/],
  [
    'with a list that is text',
    { lists: { a: '::1' }, allow: ['@a'] },
    'TypeError',
    'lists.a',
    /array of entries/,
  ],
  ['with a list without a name', { lists: { '': [] }, allow: ['@'] }, 'TypeError', 'lists', /a name is/],
  [
    'with a list named with a space',
    { lists: { 'a b': [] }, allow: ['@a b'] },
    'TypeError',
    'lists',
    /a name is/,
  ],
  [
    'with a list named too long',
    { lists: { ['a'.repeat(65)]: [] }, allow: [] },
    'TypeError',
    'lists',
    /a name is/,
  ],
  [
    'with a broken entry in a list',
    { lists: { a: ['::1', 'x/y'] }, allow: ['@a'] },
    'SyntaxError',
    'lists.a[1]',
    /not an IP address/,
  ],
  ['with a reference to no list', { allow: ['@a'] }, 'TypeError', 'allow[0]', /no list "a"/, false],
  [
    'with a reference to a property of Object',
    { allow: ['@toString'] },
    'TypeError',
    'allow[0]',
    /no list "toString"/,
    false,
  ],
  ['with a reference without a name', { allow: ['@'] }, 'TypeError', 'allow[0]', /no list ""/],
  [
    'with a list that nobody uses',
    { lists: { a: [], b: ['@c'], c: [] }, allow: ['@a'] },
    'TypeError',
    'lists.b',
    /nothing refers/,
    false,
  ],
  [
    'with a list that only a list refers to which nobody uses',
    { lists: { c: [], b: ['::1', '@c'] }, allow: [] },
    'TypeError',
    'lists.b',
    /nothing refers/,
    false,
  ],
  [
    'with a list that is none and that nobody uses',
    { lists: { a: 1 }, allow: ['::1'] },
    'TypeError',
    'lists.a',
    /nothing refers/,
  ],
  [
    'with lists that refer to each other and that nobody uses',
    { lists: { b: ['@c'], c: ['@b'], a: [] }, allow: ['::1'] },
    'TypeError',
    'lists.a',
    /nothing refers/,
    false,
  ],
  [
    'with a list of itself',
    { lists: { a: ['@a'] }, allow: ['@a'] },
    'TypeError',
    'lists.a[0]',
    /itself: a > a/,
    false,
  ],
  [
    'with a circle of lists',
    { lists: { a: ['@b'], b: ['@c'], c: ['::1', '@b'] }, block: ['@a'], allow: [] },
    'TypeError',
    'lists.c[1]',
    /itself: b > c > b/,
    false,
  ],
];

describe('parsePolicy()', () => {
  for (const [name, policy, allow, block] of valid) {
    it(`reads a policy that ${name}, and so does the schema`, () => {
      const rules = parsePolicy(JSON.stringify(policy));
      assert.deepEqual([rules.allow, rules.block], [allow, block]);
      assert.equal(rules.id, new Rules({ allow, block }).id);
      assert.equal(validate(policy), true, JSON.stringify(validate.errors));
      assert.equal(Rules.from(policy).id, rules.id);
    });
  }

  for (const [name, policy, type, field, reason, inSchema = true] of invalid) {
    it(`throws ${type} for a policy ${name}${inSchema ? ', and the schema refuses it' : ''}`, () => {
      for (const read of [
        () => parsePolicy(JSON.stringify(policy), { source: 'egress.json' }),
        () => Rules.from(policy),
      ]) {
        const error = failure(read);
        assert.deepEqual([error.name, error.code, error.field], [type, 'ERR_NETJAIL_INVALID_POLICY', field]);
        assert.match(error.message, reason);
        assert.ok(error.message.includes(field), error.message);
      }
      assert.equal(validate(policy), !inSchema);
    });
  }

  it('reads comments, trailing commas and one byte order mark', () => {
    const rules = parsePolicy(`\ufeff// first
      { /* "allow": [], */ "allow": [ // the partners
        "10.0.0.0/8", /**/ "::1" /* * / // */ ,
      ], "block": [ "\\u0031\\u0030.0.0.1", ],
      } // last`);
    assert.equal(String(rules), 'ALLOW 10.0.0.0/8 ::1, BLOCK 10.0.0.1');
    assert.match(failure(() => parsePolicy('\ufeff{"allow":[1]}')).message, /line 1 column 11, /);
    // Elsewhere it is a character like any.
    assert.equal(parsePolicy('{"allow":[{"path":"/a\ufeffb"}]}').judgePath('/a\ufeffb').allowed, true);
    assert.match(failure(() => parsePolicy('\ufeff\ufeff{"allow":[]}')).message, /column 1: no value begins/);
  });

  const broken: [name: string, text: string, line: number, column: number, reason: RegExp][] = [
    ['nothing', '', 1, 1, /ends where a value/],
    ['a comment only', '// x', 1, 5, /ends where a value/],
    ['a comment that does not end', '{\n /* x', 2, 2, /does not end/],
    ['a slash', '{ / }', 1, 3, /comment begins/],
    ['two values', '{"allow":[]} {}', 1, 14, /more text/],
    ['an open object', '{"allow":[]', 1, 1, /"{" is not closed/],
    ['an open array', '{"allow":[\n"::1"', 1, 10, /"\[" is not closed/],
    ['an open string', '{"allow":["::1]}', 1, 11, /string is not closed/],
    ['a key without quotes', '{allow:[]}', 1, 2, /key is a string/],
    ['a key in single quotes', "{'allow':[]}", 1, 2, /key is a string/],
    ['no colon', '{"allow" []}', 1, 10, /":" is missing/],
    ['no comma', '{"allow":["::1" "::2"]}', 1, 17, /"," or "\]" is missing/],
    ['two commas', '{"allow":["::1",,]}', 1, 17, /no value begins/],
    ['a comma only', '{"allow":[,]}', 1, 11, /no value begins/],
    ['a word that is no value', '{"allow":[public]}', 1, 11, /"public" is no value/],
    ['undefined', '{"allow":undefined}', 1, 10, /"undefined" is no value/],
    ['NaN', '{"allow":[NaN]}', 1, 11, /"NaN" is no value/],
    ['a leading zero', '{"allow":[01]}', 1, 11, /no number/],
    ['hexadecimal', '{"allow":[0x1f]}', 1, 11, /no number/],
    ['a fraction without digits', '{"allow":[1.]}', 1, 11, /no number/],
    ['a plus sign', '{"allow":[+1]}', 1, 11, /no value begins/],
    ['a minus sign only', '{"allow":[-]}', 1, 11, /no value begins/],
    ['an unknown escape', '{"allow":["\\x41"]}', 1, 12, /no such escape/],
    ['a cut escape', '{"allow":["\\u00"]}', 1, 12, /four hexadecimal/],
    ['a line break in a string', '{"allow":["::\n1"]}', 1, 14, /control characters/],
    ['a key twice', '{"allow":["::1"],\r\n "allow":[]}', 2, 2, /"allow" stands here twice/],
    ['a key twice by an escape', '{"allow":["::1"],"\\u0061llow":[]}', 1, 18, /"allow" stands here twice/],
    ['__proto__ as a key', '{"allow":[],"__proto__":{"block":[]}}', 1, 13, /there is no field/],
    ['deep nesting', `{"allow":${'['.repeat(100_000)}`, 1, 25, /deeper than 16/],
    ['deep nesting of objects', `{"lists":${'{"a":'.repeat(100_000)}`, 1, 85, /deeper than 16/],
  ];
  for (const [name, text, line, column, reason] of broken) {
    it(`throws SyntaxError or TypeError with line and column for ${name}`, () => {
      const error = failure(() => parsePolicy(text, { source: 'egress.json' }));
      assert.equal(error.name, name === '__proto__ as a key' ? 'TypeError' : 'SyntaxError');
      assert.deepEqual(
        [error.code, error.source, error.line, error.column],
        ['ERR_NETJAIL_INVALID_POLICY', 'egress.json', line, column],
      );
      assert.match(error.message, reason);
      assert.ok(
        error.message.startsWith(`Cannot read policy "egress.json": line ${line} column ${column}`),
        error.message,
      );
    });
  }

  it('names file, line, column and field of an entry that is wrong, and has its error as the cause', () => {
    const error = failure(() =>
      parsePolicy(
        '{\n  "lists": {\n    "partners": ["10.0.0.1", // here\n      "10.0.0.0/40"] },\n  "allow": ["public", "@partners"]\n}',
        { source: 'egress.json' },
      ),
    );
    assert.equal(
      error.message,
      'Cannot read policy "egress.json": line 4 column 7, lists.partners[1]: "10.0.0.0/40": the length is 0 to 32',
    );
    const cause = Object.getOwnPropertyDescriptor(error, 'cause')!;
    assert.equal((cause.value as Facts).code, 'ERR_NETJAIL_INVALID_ENTRY');
    // As the `cause` of any error.
    assert.deepEqual([cause.enumerable, cause.configurable, cause.writable], [false, true, true]);
  });

  it('reads a policy of 64 Mi characters, and refuses a longer one', () => {
    const start = '{"allow":[]}//';
    const longest = start + 'x'.repeat(64 * 1024 * 1024 - start.length);
    assert.equal(String(parsePolicy(longest)), '');
    const error = failure(() => parsePolicy(`${longest}x`));
    assert.deepEqual([error.name, error.line], ['SyntaxError', undefined]);
  });

  it('names the first of several wrong entries, in a long list as well', () => {
    const allow = Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    allow[3210] = '10.0.0';
    allow[4000] = 'x';
    assert.equal(failure(() => parsePolicy(JSON.stringify({ allow, block: ['y'] }))).field, 'allow[3210]');
    allow[3210] = allow[4000] = '::1';
    assert.equal(failure(() => parsePolicy(JSON.stringify({ allow, block: ['::', 'y'] }))).field, 'block[1]');
  });

  it('reads lists that refer to each other a million ways in one pass', () => {
    const lists: Record<string, string[]> = { l0: ['10.0.0.1'] };
    for (let i = 1; i <= 30; i++) lists[`l${i}`] = [`@l${i - 1}`, `@l${i - 1}`];
    assert.equal(String(parsePolicy(JSON.stringify({ lists, allow: ['@l30'] }))), 'ALLOW 10.0.0.1');
  });

  it('reads lists that nest 32 levels deep, and refuses one level more', () => {
    const policy = (levels: number): string => {
      const lists: Record<string, string[]> = { l1: ['::1'] };
      for (let i = 2; i <= levels; i++) lists[`l${i}`] = [`@l${i - 1}`];
      return JSON.stringify({ lists, allow: [`@l${levels}`] });
    };
    assert.equal(String(parsePolicy(policy(32))), 'ALLOW ::1');
    const error = failure(() => parsePolicy(policy(33)));
    assert.deepEqual([error.name, error.field], ['TypeError', 'lists.l2[0]']);
    assert.match(error.message, /lists\.l2\[0\]: lists nest deeper than 32 levels$/);
  });

  it('refuses lists that nest a hundred thousand levels deep', () => {
    const lists: Record<string, string[]> = { l0: [] };
    for (let i = 1; i <= 100_000; i++) lists[`l${i}`] = [`@l${i - 1}`];
    const error = failure(() => parsePolicy(JSON.stringify({ lists, allow: ['@l100000'] })));
    assert.match(error.message, /lists nest deeper than 32 levels/);
  });

  it('knows every range', () => {
    const allow = Object.keys(ranges);
    assert.deepEqual(parsePolicy(JSON.stringify({ allow })).allow, allow);
    assert.equal(validate({ allow }), true);
  });

  it('knows the ranges that there are', () => {
    for (const name of Object.keys(ranges)) assert.equal(validate({ allow: [name] }), true, name);
  });

  const malformed: [args: unknown[], code: string, message: string][] = [
    [[undefined], 'ERR_NETJAIL_INVALID_ARGUMENT', 'Cannot read undefined as a policy: it is not a string'],
    [
      [{ allow: [] }],
      'ERR_NETJAIL_INVALID_ARGUMENT',
      'Cannot read an object as a policy: it is not a string',
    ],
    [
      ['{"allow":[]}', null],
      'ERR_NETJAIL_INVALID_ARGUMENT',
      'Cannot use null as options: they are an object',
    ],
    [
      ['{"allow":[]}', { source: 1 }],
      'ERR_NETJAIL_INVALID_OPTION',
      'Cannot use option "source": it is a string, not 1',
    ],
    [
      ['{"allow":[]}', { sourc: 'x' }],
      'ERR_NETJAIL_INVALID_OPTION',
      'Cannot use option "sourc": there is no such option',
    ],
  ];
  for (const [args, code, message] of malformed) {
    it(`throws ${code} for ${JSON.stringify(args)}`, () => {
      const error = failure(() => (parsePolicy as (...args: unknown[]) => unknown)(...args));
      assert.deepEqual([error.name, error.code, error.message], ['TypeError', code, message]);
    });
  }
});

describe('Rules.from()', () => {
  it('reads text as well', () => {
    assert.equal(String(Rules.from('{"allow":["::1"], /**/ }')), 'ALLOW ::1');
  });

  it('reads every property once, and no inherited one', () => {
    let reads = 0;
    const policy = {
      get allow() {
        return reads++ === 0 ? ['10.0.0.1'] : ['0.0.0.0/0'];
      },
    };
    assert.equal(String(Rules.from(policy)), 'ALLOW 10.0.0.1');
    assert.equal(reads, 1);
    assert.equal(failure(() => Rules.from(Object.create({ allow: ['::1'] }))).field, 'allow');
    assert.equal(String(Rules.from({ allow: ['::1'], block: undefined })), 'ALLOW ::1');
  });

  it('refuses an entry with an undefined field, which would match more without it', () => {
    for (const [name, ...entries] of [
      ['prefix', { prefix: undefined, port: 443 }],
      ['host', '::1', { host: undefined, prefix: 'public' }],
      ['port', { host: 'a.test', port: undefined }],
    ] as const) {
      const error = failure(() => Rules.from({ allow: entries }));
      assert.deepEqual(
        [error.code, error.field],
        ['ERR_NETJAIL_INVALID_POLICY', `allow[${entries.length - 1}].${name}`],
      );
      assert.match(error.message, /a field is given or left out/);
    }
    const list = failure(() => Rules.from({ lists: { partners: undefined }, allow: ['::1'] }));
    assert.deepEqual([list.code, list.field], ['ERR_NETJAIL_INVALID_POLICY', 'lists.partners']);
  });

  it('refuses symbols, circles and values that JSON cannot have', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const policy of [
      { allow: [], [Symbol('x')]: 1 },
      { allow: circle },
      { allow: [1n] },
      { allow: [() => '::1'] },
      Symbol('x'),
    ]) {
      const error = failure(() => Rules.from(policy));
      assert.deepEqual(
        [error.name, error.code, error.line],
        ['TypeError', 'ERR_NETJAIL_INVALID_POLICY', undefined],
      );
    }
  });
});

describe('readPolicy()', () => {
  /** What `create` throws when it gets more than that many entries in one list. */
  const full = new RangeError('the list is full');
  const limited =
    (most: number) =>
    ({ allow, block }: { allow: readonly unknown[]; block: readonly unknown[] }): number => {
      if (allow.length > most || block.length > most) throw full;
      return allow.length + block.length;
    };
  const thrown = (read: () => unknown): unknown => {
    try {
      read();
    } catch (error) {
      return error;
    }
    return assert.fail('the policy was read');
  };

  it('gives back what `create` makes of the entries', () => {
    const lists = readPolicy(
      '{"lists":{"a":["x"]},"allow":["@a",{"__proto__":["y",1,null]}],"block":[[true]]}',
      undefined,
      (given) => given,
    );
    const object = Object.create(null) as Record<string, unknown>;
    object['__proto__'] = ['y', 1, null];
    assert.deepEqual(lists, { allow: ['x', object], block: [[true]] });
    assert.deepEqual(Reflect.ownKeys(lists.allow[1] as object), ['__proto__']);
    assert.equal(Object.getPrototypeOf(lists.allow[1]), null);
    const values = { allow: ['x', 1, null, ['y']], block: [true, -0.5] };
    assert.deepEqual(
      readPolicy(values, undefined, (given) => given),
      values,
    );
  });

  it('throws the error of `create` as it is when no single entry is to blame', () => {
    assert.equal(readPolicy({ allow: ['a', 'b'], block: ['c'] }, undefined, limited(2)), 3);
    assert.equal(
      thrown(() => readPolicy({ allow: ['a', 'b', 'c'] }, undefined, limited(2))),
      full,
    );
    assert.equal(
      thrown(() => readPolicy({ allow: [], block: ['a', 'b'] }, undefined, limited(1))),
      full,
    );
    assert.equal(
      thrown(() => readPolicy({ allow: [] }, undefined, limited(-1))),
      full,
    );
  });

  it('tells the place of an entry that `create` refuses with words of its own', () => {
    const error = failure(() => readPolicy('{"allow":["a"]}', 'x.json', limited(0)));
    assert.deepEqual(
      [error.name, error.code, error.message],
      [
        'TypeError',
        'ERR_NETJAIL_INVALID_POLICY',
        'Cannot read policy "x.json": line 1 column 11, allow[0]: "a": the list is full',
      ],
    );
    assert.equal((error as { cause?: unknown }).cause, full);
  });

  it('throws what `create` throws as it is when that is no error', () => {
    const refuse = (): never => {
      throw 'no';
    };
    assert.equal(
      thrown(() => readPolicy({ allow: ['a'] }, undefined, refuse)),
      'no',
    );
  });
});

describe('loadPolicy()', () => {
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const both = async (path: string | URL): Promise<unknown[]> => {
    const settled = await loadPolicy(path).catch((error: unknown) => error);
    try {
      return [settled, loadPolicySync(path)];
    } catch (error) {
      return [settled, error];
    }
  };

  it('reads a file by path and by URL, with a byte order mark or without', async () => {
    const path = write('good.json', '\ufeff{ "allow": ["::1"] }');
    for (const rules of [...(await both(path)), ...(await both(pathToFileURL(path)))]) {
      assert.equal(String(rules), 'ALLOW ::1');
    }
  });

  it('names the file when it is broken', async () => {
    const path = write('broken.json', '{\n"allow": [1]}');
    for (const error of (await both(path)) as Facts[]) {
      assert.deepEqual(
        [error.code, error.source, error.line, error.field],
        ['ERR_NETJAIL_INVALID_POLICY', path, 2, 'allow[0]'],
      );
    }
  });

  it('refuses what is not UTF-8', async () => {
    const path = write('latin1.json', Buffer.from('{"allow":["\xe9"]}', 'latin1'));
    for (const error of (await both(path)) as Facts[]) {
      assert.deepEqual(
        [error.name, error.code, error.source, error.line, error.column, error.field],
        ['SyntaxError', 'ERR_NETJAIL_INVALID_POLICY', path, undefined, undefined, ''],
      );
      assert.match(error.message, /latin1\.json": it is not UTF-8 text$/);
    }
  });

  it('passes errors of the file system', async () => {
    for (const error of (await both(join(folder, 'none.json'))) as Facts[])
      assert.equal(error.code, 'ENOENT');
    for (const error of (await both(folder)) as Facts[]) assert.equal(error.code, 'EISDIR');
  });

  it('names the entry that is wrong, whatever the entry itself says', () => {
    const error = failure(() => parsePolicy('{"allow":["x as allow[7].host: y"]}'));
    assert.equal((error as { field?: string }).field, 'allow[0]');
    assert.match(
      error.message,
      /line 1 column 11, allow\[0\]: "x as allow\[7\]\.host: y": it is not an IP address/,
    );
  });

  it('throws ERR_NETJAIL_INVALID_ARGUMENT for what is no path', async () => {
    const paths: [path: unknown, shown: string][] = [
      ['', '""'],
      ['a\0b', String.raw`"a\u0000b"`],
      [1, '1'],
      [null, 'null'],
      [undefined, 'undefined'],
      [{}, 'an object'],
      [Buffer.from('x'), 'an object'],
      [new URL('http://name.test/egress.json'), '"http://name.test/egress.json"'],
      [new URL('file:///a%00b'), '"file:///a%00b"'],
      [new URL('file:///a%2fb'), '"file:///a%2fb"'],
      [new URL('file://name.test/a'), '"file://name.test/a"'],
    ];
    for (const [path, shown] of paths) {
      for (const error of (await both(path as never)) as Facts[]) {
        assert.deepEqual(
          [error.name, error.code, error.message],
          [
            'TypeError',
            'ERR_NETJAIL_INVALID_ARGUMENT',
            `Cannot read ${shown}: the path of a policy is a string or a file URL`,
          ],
        );
      }
    }
  });

  it('refuses a file that is too large before it reads it', async () => {
    // Files with a hole: they take no space.
    const most = 3 * 64 * 1024 * 1024;
    const path = write('large.json', Buffer.of(0xff));
    truncateSync(path, most);
    assert.match(failure(() => loadPolicySync(path)).message, /: it is not UTF-8 text$/);
    truncateSync(path, most + 1);
    for (const error of (await both(path)) as Facts[]) {
      assert.deepEqual(
        [error.name, error.code, error.message],
        [
          'SyntaxError',
          'ERR_NETJAIL_INVALID_POLICY',
          `Cannot read policy ${JSON.stringify(path)}: it has 201326593 bytes`,
        ],
      );
    }
  });
});

describe('the message of a policy error', () => {
  const nested = (levels: number): unknown => {
    let value: unknown = '::1';
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };
  const key = 'k'.repeat(300);
  const messages: [name: string, read: () => unknown, message: string][] = [
    ['of a value', () => Rules.from([]), 'Cannot read the policy: a policy is an object'],
    [
      'of a field of a value',
      () => Rules.from({ allow: 1 }),
      'Cannot read the policy: allow: it is an array of entries',
    ],
    ['of text', () => parsePolicy('[]'), 'Cannot read the policy: line 1 column 1: a policy is an object'],
    [
      'of a field that is not known',
      () => parsePolicy('{"allow":[],"x":1}'),
      'Cannot read the policy: line 1 column 13, x: there is no field "x", only $schema, lists, allow, block',
    ],
    [
      'of a list that is not used',
      () => parsePolicy('{"lists":{"a":[]},"allow":[]}'),
      'Cannot read the policy: line 1 column 11, lists.a: nothing refers to this list',
    ],
    [
      'of the name of a list',
      () => parsePolicy('{"lists":{"-":[]},"allow":[]}'),
      'Cannot read the policy: line 1 column 11, lists: a name is letters, digits, ".", "_" and "-", at most 64, not "-"',
    ],
    [
      'of values that nest too deep',
      () => Rules.from({ allow: nested(20) }),
      `Cannot read the policy: allow${'[0]'.repeat(16)}: values nest deeper than 16 levels`,
    ],
    [
      'of a symbol',
      () => Rules.from({ allow: [{ [Symbol('x')]: 1 }] }),
      'Cannot read the policy: allow[0]: a policy has no symbols',
    ],
    [
      'of text that is no JSON',
      () => parsePolicy('{"allow":'),
      'Cannot read the policy: line 1 column 10: the text ends where a value should begin',
    ],
    [
      'of an entry of a value',
      () => Rules.from({ allow: ['::1', 'x'] }),
      `Cannot read the policy: allow[1]: "x": it is not an IP address, nor a range (${Object.keys(ranges).join(', ')})`,
    ],
    [
      'of a field of an entry',
      () => parsePolicy('{"allow":["::1",{"host":"a b"}]}'),
      'Cannot read the policy: line 1 column 25, allow[1].host: it is not a host name, nor "*." and one',
    ],
    [
      'of a field of an entry that there is not',
      () => parsePolicy('{"allow":["::1",{"host":"a.test","x":1}]}'),
      'Cannot read the policy: line 1 column 34, allow[1]: there is no field "x", only prefix, host, port and path',
    ],
    [
      'of a key that would be a line of its own',
      () => Rules.from({ 'a\nb': 1 }),
      String.raw`Cannot read the policy: "a\nb": there is no field "a\nb", only $schema, lists, allow, block`,
    ],
    [
      'of a field of an entry that is text',
      () => Rules.from({ allow: [], block: ['{"host":"a b"}'] }),
      'Cannot read the policy: block[0]: an entry with fields is an object here, not text',
    ],
    [
      'of a value in a list',
      () => Rules.from({ lists: { a: [{ host: { [Symbol('x')]: 1 } }] }, allow: ['@a'] }),
      'Cannot read the policy: lists.a[0].host: a policy has no symbols',
    ],
    [
      'of the longest field that is told as a whole',
      () => Rules.from({ ['k'.repeat(200)]: 1 }),
      `Cannot read the policy: ${'k'.repeat(200)}: there is no field "${'k'.repeat(200)}", only $schema, lists, allow, block`,
    ],
    [
      'of text that is too long',
      () => parsePolicy(' '.repeat(64 * 1024 * 1024 + 1), { source: 'x' }),
      'Cannot read policy "x": it is longer than 67108864 characters',
    ],
    [
      'of a long key',
      () => Rules.from({ [key]: 1 }),
      `Cannot read the policy: "${'k'.repeat(200)}" (300 characters): there is no field "${'k'.repeat(200)}" (300 characters), only $schema, lists, allow, block`,
    ],
  ];
  for (const [name, read, message] of messages) {
    it(`${name} is exact`, () => {
      assert.equal(failure(read).message, message);
    });
  }

  it('has the field, cut after 200 characters', () => {
    for (const [name, field] of [
      ['k'.repeat(200), 'k'.repeat(200)],
      ['k'.repeat(201), `${'k'.repeat(200)}...`],
    ] as const) {
      assert.equal((failure(() => Rules.from({ [name]: 1 })) as { field?: string }).field, field);
    }
  });
});
