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
];
