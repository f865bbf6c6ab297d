// Every parser against anything: it reads what the grammar has and throws the documented errors for
// all else. FUZZ_RUNS sets how many inputs each property is tried with (npm run fuzz).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Address } from '../src/address.ts';
import { parsePolicy } from '../src/policy.ts';
import { JsonError, parseJson, type JsonNode } from '../src/policy-json.ts';
import { Prefix } from '../src/prefix.ts';
import { ranges } from '../src/ranges.ts';
import { Rules } from '../src/rules.ts';
import { addressText, damaged, prefixText, quad, textOf } from './helpers/arbitraries.ts';
import { isGoAddress, isGoPrefix } from './helpers/grammar.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2000);

/** What the call returns, or `undefined` after an error of ours with one of the codes. */
function attempt<T>(call: () => T, ...codes: string[]): T | undefined {
  try {
    return call();
  } catch (error) {
    const { code } = error as { code?: unknown };
    const documented =
      error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError;
    if (!documented || !codes.includes(String(code))) throw error;
    return undefined;
  }
}

const anyAddress = fc.oneof(addressText, damaged(addressText), textOf('0123456789abcdefABCDEF:::...%/'));
const anyPrefix = fc.oneof(prefixText, damaged(prefixText), anyAddress);

describe('fuzz: Address.parse()', () => {
  it('reads exactly what Go reads, and its own text back', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        const address = attempt(() => Address.parse(text), 'ERR_NETJAIL_INVALID_ADDRESS');
        assert.equal(address !== undefined, isGoAddress(text), text);
        if (address === undefined) return;
        assert.deepEqual(Address.parse(address.toString()), address);
        assert.equal(Address.parse(address.unmap().toString()).toString(), address.unmap().toString());
      }),
      { numRuns: numRuns * 5 },
    );
  });

  it('throws ERR_NETJAIL_INVALID_ADDRESS for anything that is not a string', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true }),
        (value) => {
          fc.pre(typeof value !== 'string');
          assert.equal(
            attempt(() => Address.parse(value as string), 'ERR_NETJAIL_INVALID_ADDRESS'),
            undefined,
          );
        },
      ),
      { numRuns },
    );
  });
});

describe('fuzz: Prefix.parse()', () => {
  it('reads exactly what Go reads, and its own text back', () => {
    fc.assert(
      fc.property(anyPrefix, (text) => {
        const prefix = attempt(() => Prefix.parse(text), 'ERR_NETJAIL_INVALID_PREFIX');
        assert.equal(prefix !== undefined, isGoPrefix(text), text);
        if (prefix === undefined) return;
        assert.deepEqual(Prefix.parse(prefix.toString()), prefix);
        assert.ok(prefix.masked().contains(prefix.address));
      }),
      { numRuns: numRuns * 5 },
    );
  });
});

describe('fuzz: entries', () => {
  const readable = (text: string): boolean =>
    Object.hasOwn(ranges, text) || isGoPrefix(text) || (isGoAddress(text) && !text.includes('%'));

  it('are prefixes, addresses and ranges as text, and ERR_NETJAIL_INVALID_ENTRY for all other text', () => {
    const name = fc.constantFrom(
      ...Object.keys(ranges),
      '__proto__',
      'constructor',
      'toString',
      'Public',
      'public ',
    );
    fc.assert(
      fc.property(fc.oneof(anyPrefix, name, damaged(name)), (text) => {
        const rules = attempt(() => new Rules({ allow: [text] }), 'ERR_NETJAIL_INVALID_ENTRY');
        assert.equal(rules !== undefined, readable(text), text);
      }),
      { numRuns: numRuns * 2 },
    );
  });

  it('throw documented errors for anything else', () => {
    const values = fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true });
    fc.assert(
      fc.property(values, (value) => {
        attempt(
          () => new Rules({ block: [value as string] }),
          'ERR_NETJAIL_INVALID_ENTRY',
          'ERR_NETJAIL_INVALID_HOST',
          'ERR_NETJAIL_INVALID_PORT',
        );
        attempt(() => new Rules(value as object), 'ERR_NETJAIL_INVALID_RULES', 'ERR_NETJAIL_INVALID_ENTRY');
      }),
      { numRuns },
    );
  });

  it('are looked up by accept() for any text, and what is no address is not accepted', () => {
    const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'] });
    fc.assert(
      fc.property(anyAddress, (text) => {
        assert.equal(rules.accept(text), isGoAddress(text) && !text.includes('%'), text);
        assert.equal(rules.judge(text).allowed, rules.accept(text));
      }),
      { numRuns: numRuns * 2 },
    );
  });
});

describe('fuzz: Rules.parse()', () => {
  const entry = fc.oneof(quad, prefixText.filter(isGoPrefix), fc.constantFrom(...Object.keys(ranges)));
  const lists = fc.record({
    allow: fc.array(entry, { maxLength: 4 }),
    block: fc.array(entry, { maxLength: 4 }),
  });

  it('reads back what toString() wrote', () => {
    fc.assert(
      fc.property(lists, lists, (own, outer) => {
        for (const rules of [new Rules(own), Rules.intersect(new Rules(own), new Rules(outer))]) {
          const again = Rules.parse(rules.toString());
          assert.deepEqual([again.id, again.toString()], [rules.id, rules.toString()]);
        }
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    );
  });

  it('throws documented errors for damaged and for any other text', () => {
    const text = fc.oneof(
      damaged(lists.map((own) => new Rules(own).toString())),
      textOf('ALLOWBLOCKWITHIN,,,    10./:').map((one) => `ALLOW ${one}`),
      fc
        .array(fc.constantFrom('ALLOW', 'BLOCK', 'WITHIN', ', ', ' ', '::1', '10.0.0.0/8', 'public'), {
          maxLength: 12,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (one) => {
        const rules = attempt(
          () => Rules.parse(one),
          'ERR_NETJAIL_INVALID_RULES',
          'ERR_NETJAIL_INVALID_ENTRY',
        );
        if (rules !== undefined) assert.equal(Rules.parse(rules.toString()).id, rules.id);
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  });
});

/** The value that a tree stands for, made the way JSON.parse makes it. */
function valueOf(node: JsonNode): unknown {
  if (node.kind === 'array') return node.items.map(valueOf);
  if (node.kind !== 'object') return node.value;
  const object = {};
  for (const [key, { value }] of node.properties) {
    Object.defineProperty(object, key, {
      value: valueOf(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

const read = (text: string): unknown => {
  try {
    return { value: valueOf(parseJson(text)) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    assert.ok(error.at >= 0 && error.at <= text.length, `${error.at} is in the text`);
    return undefined;
  }
};
const byRuntime = (text: string): unknown => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
};

describe('fuzz: policy JSON', () => {
  const json = fc.json({ maxDepth: 6, stringUnit: 'binary' });
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"',
    '\\',
    '\\u',
    '\\n',
    '0',
    '-',
    '1.5e3',
    '01',
    'true',
    'null',
    'nul',
    ' ',
    '\n',
    '\t',
    '\u0001',
    'é',
  ];
  const comments = [...tokens, '/', '//', '/*', '*/', '/**/', '// x\n'];

  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          json,
          json.map((text) => JSON.stringify(JSON.parse(text), undefined, 2)),
        ),
        (text) => {
          assert.deepEqual(read(text), byRuntime(text));
        },
      ),
      { numRuns },
    );
  });

  it('is refused where JSON.parse refuses it, but for comments and trailing commas', () => {
    const text = fc.oneof(
      fc.array(fc.constantFrom(...tokens), { maxLength: 14 }).map((parts) => parts.join('')),
      damaged(json).filter((one) => !one.includes('/')),
    );
    fc.assert(
      fc.property(text, (one) => {
        const own = read(one);
        if (own !== undefined && !/,\s*[\]}]/.test(one)) assert.deepEqual(own, byRuntime(one), one);
        // Refused, but JSON.parse reads it: then a key stands there twice.
        if (own === undefined && byRuntime(one) !== undefined) assert.match(one, /"(.*)".*"\1"/s);
      }),
      { numRuns: numRuns * 3 },
    );
  });

  it('means the same with comments and trailing commas put in', () => {
    const filling = fc.constantFrom('', ' ', '\r\n', '//\n', '// "x": [\n', '/**/', '/* * / , ] */', '/***/');
    fc.assert(
      fc.property(json, fc.infiniteStream(filling), (text, fillings) => {
        const put = (): string => fillings.next().value as string;
        let before = '';
        const filled = text.replace(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g, (token) => {
          // A comma goes before a closing bracket where an element is before it.
          const comma = /^[\]}]$/.test(token) && !/[[{]/.test(before) && put().length % 2 === 0 ? ',' : '';
          before = token.startsWith('"') ? '' : token;
          return put() + comma + put() + token + put();
        });
        assert.deepEqual(read(filled), byRuntime(text), filled);
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  });

  it('throws ERR_NETJAIL_INVALID_POLICY for any text and any value that is no policy', () => {
    const text = fc.oneof(
      fc
        .array(fc.constantFrom(...comments, '"allow"', '"lists"', '"@a"', '"::1"'), { maxLength: 16 })
        .map((parts) => `{${parts.join('')}`),
      fc
        .constant('{"lists":{"a":["::1"]},"allow":["@a","10.0.0.0/8"],"block":["10.0.0.1"]}')
        .chain((policy) => damaged(fc.constant(policy))),
      fc.string({ unit: 'binary' }),
    );
    const policy = fc.record(
      { allow: fc.anything(), block: fc.anything(), lists: fc.anything(), other: fc.anything() },
      { requiredKeys: ['allow'] },
    );
    fc.assert(
      fc.property(fc.oneof(text, policy, fc.anything()), (one) => {
        attempt(() => Rules.from(one), 'ERR_NETJAIL_INVALID_POLICY');
        if (typeof one === 'string')
          attempt(() => parsePolicy(one, { source: 'x' }), 'ERR_NETJAIL_INVALID_POLICY');
      }),
      { numRuns: numRuns * 2 },
    );
  });
});
