// Equivalent mutants of addresses, prefixes, hosts and ports: see ../equivalent.mjs.
export const equivalent = [
  {
    file: 'scan.ts',
    line: 'if (end >= 4) {',
    original: 'end >= 4',
    replacement: 'true',
    reason: 'only speed: what is shorter has no address in front of a slash',
  },
  {
    file: 'scan.ts',
    line: 'if (end <= 15 && scanQuad(text, 0, end) === end) return IPV4;',
    original: 'end <= 15',
    replacement: 'true',
    reason: 'only speed: a quad ends after 15 characters at most, so it never ends at a later end',
  },
  {
    file: 'scan.ts',
    line: 'while (i < end) {',
    original: 'i < end',
    replacement: 'i <= end',
    reason: 'behind the end there is no digit and no colon: the round ends the loop',
  },
  {
    file: 'scan.ts',
    line: 'if (i + 4 <= end) {',
    original: 'i + 4 <= end',
    replacement: 'i + 4 < end',
    reason: 'only speed: the last four digits are read one by one',
  },
  ...[
    ['next === COLON', 'false'],
    [
      `{
          if (to === full) return NO_ADDRESS;
          groups[to++] = group;
          i++;
          continue;
        }`,
      '{}',
    ],
  ].map(([original, replacement]) => ({
    file: 'scan.ts',
    line: 'if (next === COLON) {',
    original,
    replacement,
    reason: 'only speed: the way of shorter groups does the same',
  })),
  {
    file: 'scan.ts',
    line: 'if (i === NO_QUAD) return NO_ADDRESS;',
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
