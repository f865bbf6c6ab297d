import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonError, MAX_DEPTH, parseJson, placeOf, type JsonNode } from '../src/policy-json.ts';

/** The tree as nested arrays of what it holds: `[offset, value]`. */
function shape(node: JsonNode): unknown {
  if (node.kind === 'array') return [node.at, node.items.map(shape)];
  if (node.kind === 'object') {
    return [
      node.at,
      Object.fromEntries([...node.properties].map(([key, { at, value }]) => [key, [at, shape(value)]])),
    ];
  }
  return [node.at, node.value];
}

const refused = (text: string): [at: number, reason: string] => {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return [error.at, error.message];
    throw error;
  }
  return assert.fail(`${text} was read`);
};

describe('parseJson()', () => {
  it('tells where each value and key begins', () => {
    assert.deepEqual(shape(parseJson(' {"a": [1, "b" ,{}], "c":null}')), [
      1,
      {
        a: [
          2,
          [
            7,
            [
              [8, 1],
              [11, 'b'],
              [16, {}],
            ],
          ],
        ],
        c: [21, [25, null]],
      },
    ]);
  });

  const values: [text: string, value: unknown][] = [
    ['true', true],
    ['false', false],
    ['null', null],
    ['0', 0],
    ['-0', -0],
    ['10', 10],
    ['-1.50', -1.5],
    ['1e2', 100],
    ['1E+2', 100],
    ['12.5e-1', 1.25],
    ['""', ''],
    ['"a b"', 'a b'],
    [String.raw`"\"\\\/\b\f\n\r\t"`, '"\\/\b\f\n\r\t'],
    [String.raw`"x\u0041\u00e9\uD83D\uDE00y"`, 'xAé😀y'],
    [String.raw`"\uabCD"`, '\uabcd'],
    ['"\u007f\u2028"', '\u007f\u2028'],
    ['"// /* */"', '// /* */'],
  ];
  for (const [text, value] of values) {
    it(`reads ${text}`, () => {
      for (const around of [text, ` ${text}\n`, `/* 1 */${text}// 2`, `\t\r\n${text}/**/ /***/`]) {
        const node = parseJson(around);
        assert.ok(node.kind === 'string' || node.kind === 'other');
        assert.ok(Object.is(node.value, value), around);
      }
    });
  }

  const errors: [text: string, at: number, reason: string][] = [
    ['', 0, 'the text ends where a value should begin'],
    [' /* */', 6, 'the text ends where a value should begin'],
    ['1 2', 2, 'there is more text behind the value'],
    ['/', 0, 'a comment begins with "//" or "/*"'],
    ['1 /', 2, 'a comment begins with "//" or "/*"'],
    ['1 /x', 2, 'a comment begins with "//" or "/*"'],
    ['1 /*/', 2, 'the comment does not end'],
    ['{', 0, 'the "{" is not closed'],
    ['[1', 0, 'the "[" is not closed'],
    ['[1,', 0, 'the "[" is not closed'],
    ['[1 2]', 3, 'a "," or "]" is missing'],
    ['{"a":1 "b":2}', 7, 'a "," or "}" is missing'],
    ['{a:1}', 1, 'a key is a string in double quotes'],
    ['{1:1}', 1, 'a key is a string in double quotes'],
    ['{,}', 1, 'a key is a string in double quotes'],
    ['{"a":1,,}', 7, 'a key is a string in double quotes'],
    ['{"a" 1}', 5, 'a ":" is missing behind the key'],
    ['{"a":}', 5, 'no value begins like this'],
    ['{"a":1,"a":2}', 7, 'the key "a" stands here twice'],
    ['[1,,2]', 3, 'no value begins like this'],
    [']', 0, 'no value begins like this'],
    ['"a', 0, 'the string is not closed'],
    ['["a', 1, 'the string is not closed'],
    ['"a\tb"', 2, 'a string holds no control characters: escape them'],
    ['"\u001f"', 1, 'a string holds no control characters: escape them'],
    ['"\\', 1, 'there is no such escape in JSON'],
    [String.raw`"a\v"`, 2, 'there is no such escape in JSON'],
    [String.raw`"\U0041"`, 1, 'there is no such escape in JSON'],
    [String.raw`"\u00"`, 1, 'four hexadecimal digits follow "\\u"'],
    [String.raw`"\u004g"`, 1, 'four hexadecimal digits follow "\\u"'],
    [String.raw`"\ux0041"`, 1, 'four hexadecimal digits follow "\\u"'],
    ['tru', 0, '"tru" is no value in JSON'],
    ['True', 0, '"True" is no value in JSON'],
    ['[nullx]', 1, '"nullx" is no value in JSON'],
    ['constructor', 0, '"constructor" is no value in JSON'],
    ['01', 0, 'that is no number in JSON'],
    ['-01', 0, 'that is no number in JSON'],
    ['1.', 0, 'that is no number in JSON'],
    ['1.e1', 0, 'that is no number in JSON'],
    ['1e', 0, 'that is no number in JSON'],
    ['1e+', 0, 'that is no number in JSON'],
    ['[1x]', 1, 'that is no number in JSON'],
    ['1-1', 0, 'that is no number in JSON'],
    ['.5', 0, 'no value begins like this'],
    ['-', 0, 'no value begins like this'],
    ['+1', 0, 'no value begins like this'],
    ["'a'", 0, 'no value begins like this'],
  ];
  for (const [text, at, reason] of errors) {
    it(`refuses ${JSON.stringify(text)} and tells where and why`, () => {
      assert.deepEqual(refused(text), [at, reason]);
    });
  }

  it('reads commas behind the last element, but not instead of one', () => {
    assert.deepEqual(shape(parseJson('[1,]')), [0, [[1, 1]]]);
    assert.deepEqual(shape(parseJson('{"a":[] , /* x */ }')), [0, { a: [1, [5, []]] }]);
  });

  it('ends a line comment with the line, and a block comment with its first end', () => {
    assert.deepEqual(shape(parseJson('// a // /* b\n[1, // ]\n2] // c')), [
      13,
      [
        [14, 1],
        [22, 2],
      ],
    ]);
    assert.deepEqual(shape(parseJson('/* // */ 1')), [9, 1]);
    // A CR alone ends a line, too: a list behind it would be lost.
    for (const end of ['\n', '\r', '\r\n']) {
      const at = 6 + end.length;
      assert.deepEqual(shape(parseJson(`[1, //${end}2]`)), [
        0,
        [
          [1, 1],
          [at, 2],
        ],
      ]);
    }
  });

  it(`reads ${MAX_DEPTH} levels and refuses one more`, () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
      assert.ok(parseJson(nested(MAX_DEPTH)));
      assert.deepEqual(refused(nested(MAX_DEPTH + 1)), [
        open.length * MAX_DEPTH,
        'values nest deeper than 16 levels',
      ]);
    }
  });
});

describe('placeOf()', () => {
  it('counts lines that end with LF, CR or both, and columns from 1', () => {
    const text = 'ab\ncd\r\ne\rf\n\ng';
    const places = Array.from(text, (_, at) => {
      const { line, column } = placeOf(text, at);
      return `${line}:${column}`;
    });
    assert.equal(places.join(' '), '1:1 1:2 1:3 2:1 2:2 2:3 2:4 3:1 3:2 4:1 4:2 5:1 6:1');
    assert.deepEqual(placeOf(text, text.length), { line: 6, column: 2 });
    assert.deepEqual(placeOf('', 0), { line: 1, column: 1 });
  });
});
