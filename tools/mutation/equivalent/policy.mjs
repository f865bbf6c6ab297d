// Equivalent mutants of the policy files and of lint: see ../equivalent.mjs.
export const equivalent = [
  {
    file: 'policy-json.ts',
    line: "const letter = this.#text[this.at + 1] ?? '';",
    original: "''",
    replacement: '"Stryker was here!"',
    reason: 'behind the end of the text there is no letter, and neither text is a letter of an escape',
  },
  ...['/[0-9a-fA-F]{4}$/', '/^[0-9a-fA-F]{4}/'].map((replacement) => ({
    file: 'policy-json.ts',
    line: `if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('four hexadecimal digits follow "\\\\u"');`,
    original: '/^[0-9a-fA-F]{4}$/',
    replacement,
    reason: 'there are four characters at most: four digits among them are all of them',
  })),
  {
    file: 'policy-read.ts',
    line: "if (error instanceof JsonError) throw this.#error(SyntaxError, error, '', error.message);",
    original: 'error instanceof JsonError',
    replacement: 'true',
    reason:
      'the parser throws nothing else, up to the longest text: the other way is for an error of the engine, as ' +
      'where the stack was exhausted before the call',
  },
  {
    file: 'policy-read.ts',
    line: "if (!isRecord(value)) return { at, kind: 'other', value };",
    original: "'other'",
    replacement: '""',
    reason: 'nothing asks for this kind: what is no object, array or string is a value as it stands',
  },
  {
    file: 'policy-read.ts',
    line: "unused.flatMap(([, { value }]) => (value.kind === 'array' ? value.items.map(nameIn) : [])),",
    original: '[]',
    replacement: '["Stryker was here"]',
    reason: 'the names are compared with those of the lists only, and no list has a space in its name',
  },
  {
    file: 'policy-file.ts',
    line: '} catch {',
    original: '{\n    return undefined; // Another scheme, another host, a slash in a name.\n  }',
    replacement: '{}',
    reason: 'without a return it is undefined as well',
  },
  ...[
    [String.raw`sep === '\\'`, 'false'],
    [String.raw`'\\'`, '""'],
  ].map(([original, replacement]) => ({
    file: 'policy-file.ts',
    line: String.raw`if (sep === '\\') return resolve(path);`,
    original,
    replacement,
    reason: 'only on Windows, where this is not run: elsewhere the separator is "/", which is neither text',
  })),
  {
    file: 'lint.ts',
    line: "if (path !== undefined && block.paths.has(path)) never.set(at, 'blocked as a whole');",
    original: 'path !== undefined',
    replacement: 'true',
    reason: 'no entry is kept under the path undefined',
  },
];
