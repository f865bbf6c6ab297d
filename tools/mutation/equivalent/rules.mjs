// Equivalent mutants of lists, layers, rules and explanations: see ../equivalent.mjs.

/** Changes of one line that are equivalent for the same reason. */
const all = (file, line, reason, changes) =>
  changes.map(([original, replacement]) => ({ file, line, original, replacement, reason }));

const ADD_TEXT = `{
  const family = scanPrefix(text);
  if (family === NO_ADDRESS) return false;
  const bits = scannedLength[0]!;
  if (family === IPV4) {
    builder.add4(scanned[3]!, bits === BARE ? 32 | BARE4 : bits, at, hint);
  } else if ((bits === BARE || bits >= 96) && isMapped(scanned[0]!, scanned[1]!, scanned[2]!)) {
    builder.add4(scanned[3]!, bits === BARE ? 32 | MAPPED4 | BARE4 : (bits - 96) | MAPPED4, at, hint);
  } else {
    const written = bits === BARE ? BARE6 : bits;
    builder.add6(scanned[0]!, scanned[1]!, scanned[2]!, scanned[3]!, written, at, hint);
  }
  return true;
}`;

const SHORTCUT =
  'a shortcut: an address that it finds is in what is compared otherwise, and that is compared where it finds none';

const SHORT_WAY = 'speed: the long way, which follows, says the same of what this one decides';

export const equivalent = [
  // entry.ts
  ...[
    'bare: written?.bare ?? false,',
    'return { text: input, range: input, prefix: undefined, bare: false };',
  ].flatMap((line) =>
    all('entry.ts', line, '`bare` is read of an entry with a prefix only, and here there is none', [
      ['false', 'true'],
    ]),
  ),

  // list.ts
  ...all(
    'list.ts',
    "export const LITERAL = '';",
    'it is compared with itself and looked up among names: any text that is no name does',
    [["''", '"Stryker was here!"']],
  ),
  ...all(
    'list.ts',
    'if (host === LITERAL || (this.#exact.size === 0 && this.#below.size === 0)) return this.#anyHost;',
    'speed: where there is no such host, looking it up finds none and gives the same groups in a new array',
    [
      ['host === LITERAL || (this.#exact.size === 0 && this.#below.size === 0)', 'false'],
      [
        'host === LITERAL || (this.#exact.size === 0 && this.#below.size === 0)',
        'host === LITERAL && this.#exact.size === 0 && this.#below.size === 0',
      ],
      ['host === LITERAL', 'false'],
      ['this.#exact.size === 0 && this.#below.size === 0', 'false'],
    ],
  ),
  ...all('list.ts', 'if (this.#below.size > 0) {', 'speed: an empty map has no name', [
    ['this.#below.size > 0', 'true'],
    ['this.#below.size > 0', 'this.#below.size >= 0'],
  ]),
  ...all(
    'list.ts',
    'const names = this.#exact.has(host) ? [host] : [];',
    'the names are compared with one another only: a word that is no name is before all that have no exact one',
    [['[]', '["Stryker was here"]']],
  ),
  ...all(
    'list.ts',
    "return names.join(' ');",
    'the names are compared with one another only: each but the first begins with "*.", which tells them apart',
    [["' '", '""']],
  ),
  ...all(
    'list.ts',
    "if (typeof input === 'string' && addText(plain, input, at, length - at)) continue;",
    'speed: what is not read as numbers is read by parseEntry, with the same outcome',
    [
      ["typeof input === 'string' && addText(plain, input, at, length - at)", 'false'],
      ["'string'", '""'],
    ],
  ),
  ...all(
    'list.ts',
    "if (typeof input === 'string' && addText(plain, input, at, length - at)) continue;",
    'memory: how much room the first entry makes for those that follow',
    [['length - at', 'length + at']],
  ),
  ...all(
    'list.ts',
    'function addText(builder: GroupBuilder, text: string, at: number, hint: number): boolean {',
    'speed: what is not read as numbers is read by parseEntry, with the same outcome',
    [[ADD_TEXT, '{}']],
  ),
  ...all(
    'list.ts',
    'if (family === NO_ADDRESS) return false;',
    'speed: what is not read as numbers is read by parseEntry, with the same outcome',
    [['family === NO_ADDRESS', 'true']],
  ),
  ...all(
    'list.ts',
    'return true;',
    'memory: parseEntry reads the entry again, and one that is there twice at the same position is one',
    [['true', 'false']],
  ),
  ...all('list.ts', 'this.paths = paths.size === 0 ? NO_PATHS : paths;', 'memory: both are empty', [
    ['paths.size === 0', 'false'],
  ]),
  ...all('list.ts', 'this.named = named.size === 0 ? NO_ENTRIES : named;', 'memory: both are empty', [
    ['named.size === 0', 'false'],
  ]),
  ...all(
    'list.ts',
    'const texts = Array.from<string>({ length: this.length });',
    'memory: each position is written afterwards, which makes the array as long',
    [['{ length: this.length }', '{}']],
  ),
  ...all(
    'list.ts',
    'if (written === undefined) throw new Error(`netjail: there is no entry at ${at}`);',
    'unreachable: an entry that was found has a text or a name',
    [
      ['written === undefined', 'false'],
      ['`netjail: there is no entry at ${at}`', '``'],
    ],
  ),

  // layer.ts
  ...['4', '6'].flatMap((family) =>
    all(
      'layer.ts',
      `this.#deciding${family} = this.#tablesOnly && this.#all${family} ? block.plain.v${family} : undefined;`,
      SHORT_WAY,
      [[`this.#tablesOnly && this.#all${family}`, 'false']],
    ),
  ),
  ...all('layer.ts', 'if (deciding !== undefined && word !== 0) return !deciding.has(word);', SHORT_WAY, [
    ['deciding !== undefined && word !== 0', 'false'],
  ]),
  ...all('layer.ts', 'if (deciding !== undefined && !isMapped(a, b, c)) {', SHORT_WAY, [
    ['deciding !== undefined && !isMapped(a, b, c)', 'false'],
    [
      `{
      if (deciding.has(a, b, c, d)) return false;
      if (!isSpecial(a, c)) return true;
    }`,
      '{}',
    ],
  ]),
  ...all('layer.ts', 'if (!isSpecial(a, c)) return true;', SHORT_WAY, [['!isSpecial(a, c)', 'false']]),
  ...all(
    'layer.ts',
    'this.#tablesOnly = block.conditions === undefined && block.plain.publicAt < 0;',
    'speed: the long way looks into the same table, and finds nothing else',
    [['block.conditions === undefined && block.plain.publicAt < 0', 'false']],
  ),
  ...all(
    'matching.ts',
    'return found.sort((x, y) => x.at - y.at).filter(({ at }, i, all) => at !== all[i - 1]?.at);',
    'only the prefixes of a range share a position, and each of them is shown by the name of the range',
    [['i - 1', 'i + 1']],
  ),
  ...all(
    'layer.ts',
    'if (this.conditional) return this.#judgeName(facts);',
    'speed: found out for each name, it is the same',
    [['this.conditional', 'true']],
  ),
  ...all(
    'layer.ts',
    'return this.#ofAnyName === null ? (this.#ofAnyName = this.#judgeName(undefined)) : this.#ofAnyName;',
    'speed: found out for each name, it is the same',
    [['this.#ofAnyName === null', 'true']],
  ),
  ...all('layer.ts', 'default:', 'unreachable: each reason that an address can have is a case', [
    ['default:\n        throw new Error(`netjail: unreachable reason ${reason}`);', 'default:'],
  ]),
  ...all(
    'layer.ts',
    'throw new Error(`netjail: unreachable reason ${reason}`);',
    'unreachable: each reason that an address can have is a case',
    [['`netjail: unreachable reason ${reason}`', '``']],
  ),
  ...all(
    'layer.ts',
    "if (found === undefined) throw new Error('netjail: no entry matches, but the tables say so');",
    'unreachable: the entries are looked for in the tables that gave the reason',
    [
      ['found === undefined', 'false'],
      ["'netjail: no entry matches, but the tables say so'", '""'],
    ],
  ),
  ...all(
    'scopes.ts',
    'function sizeOf({ allow, block }: Layer): number {',
    'what all scopes have in common is the same whichever is cut down by the others: only the time changes',
    [
      [
        `{
  return allow.length + block.length;
}`,
        '{}',
      ],
    ],
  ),
  ...all(
    'scopes.ts',
    'return allow.length + block.length;',
    'what all scopes have in common is the same whichever is cut down by the others: only the time changes',
    [['allow.length + block.length', 'allow.length - block.length']],
  ),
  ...all(
    'scopes.ts',
    'function firstPass({ v4, v6 }: Intervals, layers: readonly Layer[]): boolean {',
    SHORTCUT,
    [
      [
        `{
  for (let i = 0; i < v4.length && i < 2 * TRIED; i += 2) {
    if (layers.every((layer) => layer.accepts4(v4[i]! | 0, undefined))) return true;
  }
  for (let i = 0; i < v6.length && i < 8 * TRIED; i += 8) {
    const [a, b, c, d] = [v6[i]! | 0, v6[i + 1]! | 0, v6[i + 2]! | 0, v6[i + 3]! | 0] as const;
    if (layers.every((layer) => layer.accepts6(a, b, c, d, undefined))) return true;
  }
  return false;
}`,
        '{}',
      ],
    ],
  ),
  ...all('scopes.ts', 'for (let i = 0; i < v4.length && i < 2 * TRIED; i += 2) {', SHORTCUT, [
    ['i < v4.length && i < 2 * TRIED', 'false'],
    ['i < 2 * TRIED', 'true'],
    ['i < 2 * TRIED', 'i <= 2 * TRIED'],
    ['i < 2 * TRIED', 'i >= 2 * TRIED'],
    ['2 * TRIED', '2 / TRIED'],
    [
      `{
    if (layers.every((layer) => layer.accepts4(v4[i]! | 0, undefined))) return true;
  }`,
      '{}',
    ],
  ]),
  ...all(
    'scopes.ts',
    'if (layers.every((layer) => layer.accepts4(v4[i]! | 0, undefined))) return true;',
    SHORTCUT,
    [
      ['layers.every((layer) => layer.accepts4(v4[i]! | 0, undefined))', 'false'],
      ['(layer) => layer.accepts4(v4[i]! | 0, undefined)', '() => undefined'],
      ['true', 'false'],
    ],
  ),
  ...all('scopes.ts', 'for (let i = 0; i < v6.length && i < 8 * TRIED; i += 8) {', SHORTCUT, [
    ['i < v6.length && i < 8 * TRIED', 'false'],
    ['i < 8 * TRIED', 'true'],
    ['i < 8 * TRIED', 'i <= 8 * TRIED'],
    ['i < 8 * TRIED', 'i >= 8 * TRIED'],
    ['8 * TRIED', '8 / TRIED'],
    [
      `{
    const [a, b, c, d] = [v6[i]! | 0, v6[i + 1]! | 0, v6[i + 2]! | 0, v6[i + 3]! | 0] as const;
    if (layers.every((layer) => layer.accepts6(a, b, c, d, undefined))) return true;
  }`,
      '{}',
    ],
  ]),
  ...all(
    'scopes.ts',
    'if (layers.every((layer) => layer.accepts6(a, b, c, d, undefined))) return true;',
    SHORTCUT,
    [
      ['layers.every((layer) => layer.accepts6(a, b, c, d, undefined))', 'false'],
      ['(layer) => layer.accepts6(a, b, c, d, undefined)', '() => undefined'],
      ['true', 'false'],
    ],
  ),
];
