// Equivalent mutants of addresses, prefixes, hosts and ports: see ../equivalent.mjs.
export const equivalent = [
  {
    file: 'scan.ts',
    line: 'if (end >= 4) {',
    original: 'end >= 4',
    replacement: 'true',
    reason: 'only speed: what is shorter has no address in front of a slash',
  },
  ...[
    ['end <= 15 && end >= 7 && text.charCodeAt(4) !== COLON', 'true'],
    [
      'end <= 15 && end >= 7 && text.charCodeAt(4) !== COLON',
      'end <= 15 && end >= 7 || text.charCodeAt(4) !== COLON',
    ],
    ['end <= 15 && end >= 7', 'true'],
    ['end <= 15 && end >= 7', 'end <= 15 || end >= 7'],
    ['end <= 15', 'true'],
    ['end >= 7', 'true'],
    ['text.charCodeAt(4) !== COLON', 'true'],
  ].map(([original, replacement]) => ({
    file: 'scan.ts',
    line: 'if (end <= 15 && end >= 7 && text.charCodeAt(4) !== COLON && scanQuad(text, 0, end) === end) return FOUND4;',
    original,
    replacement,
    reason:
      'only speed: a quad has 7 to 15 characters and no colon, so a longer or shorter text or one with a colon is none',
  })),
  {
    file: 'scan.ts',
    line: 'const NO_QUAD = -1;',
    original: '-1',
    replacement: '+1',
    reason: 'it is compared with where a quad ends, behind its seventh character at least',
  },
  {
    file: 'scan.ts',
    line: 'if (i === end || text.charCodeAt(i) !== DOT) return NO_QUAD;',
    original: 'i === end',
    replacement: 'false',
    reason: 'only speed: at the end there is nothing, or the slash in front of a length',
  },
  {
    file: 'scan.ts',
    line: 'if (((i + 4) | 0) <= end) {',
    original: '((i + 4) | 0) <= end',
    replacement: '(i + 4 | 0) < end',
    reason: 'only speed: the last four digits are read one by one',
  },
  {
    file: 'scan.ts',
    line: 'if (i === NO_QUAD) return REFUSED;',
    original: 'i === NO_QUAD',
    replacement: 'false',
    reason: 'refused below as well: the place -1 is before the end, and there is no "%" there',
  },
  {
    file: 'carried.ts',
    line: 'return a >>> 0 <= LAST_CARRIER || isIsatap(c);',
    original: 'a >>> 0 <= LAST_CARRIER || isIsatap(c)',
    replacement: 'true',
    reason: 'only speed: in any other address nothing is found',
  },
  {
    file: 'host.ts',
    line: String.raw`if (/[A-Z]|[^\0-\x7f]|xn--/.test(name)) name = domainToASCII(name);`,
    original: String.raw`/[A-Z]|[^\0-\x7f]|xn--/.test(name)`,
    replacement: 'true',
    reason:
      'only speed: a lower-case ASCII name without "xn--" is its own ASCII form, but for one that ends in a number, ' +
      'and that is no name in either form',
  },
];
