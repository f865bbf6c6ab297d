// Equivalent mutants of the tables: see ../equivalent.mjs.

/** Some mutants of one line, each as [original, replacement], that are equivalent for the same reason. */
const of = (file, line, reason, ...mutants) =>
  mutants.map(([original, replacement]) => ({ file, line, original, replacement, reason }));

const BEHIND =
  'what is read before the start or behind the end of a typed array is undefined, which is NaN in a ' +
  'comparison: it is not met, as if it had not been made';
const NEIGHBOURS =
  'whether an element that is the address itself counts as below it or not: both neighbours are looked at';
const STAYS = 'an element that is the address itself stays among those that are asked either way';

export const equivalent = [
  ...of(
    'intervals.ts',
    'while (i < outer.length && compare(outer, i + width, inner, k, width) < 0) i += step;',
    BEHIND,
    ['i < outer.length', 'true'],
    ['i < outer.length', 'i <= outer.length'],
  ),
  ...of(
    'intervals.ts',
    'let high = flat.length / (2 * width);',
    `${BEHIND}: a search that begins with a higher bound comes down to the same place`,
    ['flat.length / (2 * width)', 'flat.length * (2 * width)'],
    ['2 * width', '2 / width'],
  ),
  ...of(
    'intervals.ts',
    'return low > 0 && compare((low - 1) * 2 * width + width, end) >= 0;',
    BEHIND,
    ['low > 0', 'true'],
    ['low > 0', 'low >= 0'],
  ),
  ...of(
    'intervals.ts',
    'while (k < outer.length && outer[k + 1]! < inner[i]!) k += 2;',
    BEHIND,
    ['k < outer.length', 'true'],
    ['k < outer.length', 'k <= outer.length'],
  ),
  ...of(
    'intervals.ts',
    'const inside = k < outer.length && outer[k]! <= inner[i]! && outer[k + 1]! >= inner[i + 1]!;',
    BEHIND,
    ['k < outer.length', 'true'],
    ['k < outer.length', 'k <= outer.length'],
  ),

  ...of(
    'internal/bits.ts',
    'if (shift === 0 || word === width - 1) return high;',
    'when the end of the address is in the window, the sort masks what stands behind it, and in a table no ' +
      'two elements share a key but for that; there it moves a bound past an element only when it is the ' +
      'address itself, and both neighbours of a bound are looked at',
    ['word === width - 1', 'false'],
    ['width - 1', 'width + 1'],
  ),

  ...of('sort.ts', 'if (high - low <= SHORT) {', 'only speed: both ways sort the same', [
    `{
    move(to, from, low, high);
    placeEach(to, low, high);
    return;
  }`,
    '{}',
  ]),
  ...of('sort.ts', 'if (high - low <= SHORT) {', 'only speed: both ways sort the same', [
    'high - low',
    'high + low',
  ]),
  ...of(
    'sort.ts',
    'const late = from.meta.subarray(from.base + low, from.base + high);',
    'only slower: it is the same where they begin at 0; of a part inside, what is not placed in it is the same ' +
      'to the sort around it as one that is late, and is placed there',
    ['from.base + low', 'from.base - low'],
  ),
  ...of(
    'sort.ts',
    'if (count < 0) {',
    'only slower: where no run is long, none is sorted, and the same are found again',
    ['count < 0', 'true'],
    ['count < 0', 'count <= 0'],
  ),
  ...of(
    'sort.ts',
    'for (let i = 0; i < count; i++) place(to, low, late[i]!);',
    'one more, whichever it is: it moves past greater ones only, and behind the last there are none; what ' +
      'stands outside of the array is undefined, and putting it there does nothing',
    ['i < count', 'i <= count'],
  ),
  ...of(
    'sort.ts',
    'for (let start = low; start < high;) {',
    'one round more, of a run of one, which is not sorted',
    ['start < high', 'start <= high'],
  ),
  ...of(
    'sort.ts',
    'if (end - start > SHORT) {',
    'only slower: what is short is sorted by insertion either way',
    ['end - start > SHORT', 'true'],
    ['end - start > SHORT', 'end - start >= SHORT'],
    ['end - start', 'end + start'],
  ),
  ...of(
    'sort.ts',
    'for (let w = 0; w < width; w++) {',
    'no length reaches into the word behind the last: its mask is 0',
    ['w < width', 'w <= width'],
  ),
  ...of(
    'sort.ts',
    'lasts[(key >>> LAST) & MASK]!++;',
    'only slower, by far: the digit seems to be the same everywhere, and what is not in its order is placed ' +
      'one by one',
    ['lasts[(key >>> LAST) & MASK]!++', 'lasts[key >>> LAST & MASK]! --'],
  ),
  ...of(
    'sort.ts',
    'middles[(key >>> MIDDLE) & MASK]!++;',
    'only slower, by far: the digit seems to be the same everywhere, and what is not in its order is placed ' +
      'one by one',
    ['middles[(key >>> MIDDLE) & MASK]!++', 'middles[key >>> MIDDLE & MASK]! --'],
  ),
  ...of(
    'sort.ts',
    'if (here > most) most = here;',
    'only slower: what has the same digit everywhere stays in its order when it is moved by that',
    ['here > most', 'true'],
    ['here > most', 'false'],
    ['here > most', 'here >= most'],
    ['here > most', 'here <= most'],
  ),
  ...of(
    'sort.ts',
    'return most < high - low;',
    'only slower: what has the same digit everywhere stays in its order when it is moved by that',
    ['most < high - low', 'true'],
    ['most < high - low', 'most <= high - low'],
    ['high - low', 'high + low'],
  ),
  ...of(
    'sort.ts',
    'for (let i = 0; i < counts.length; i++) {',
    'behind the end nothing is read but undefined, and writing there does nothing',
    ['i < counts.length', 'i <= counts.length'],
  ),
  ...of(
    'sort.ts',
    'if ((key ^ last) >> LAST !== 0) start = k;',
    'only slower: runs are sorted for themselves, or what is late is placed one by one',
    ['(key ^ last) >> LAST !== 0', 'true'],
    ['(key ^ last) >> LAST !== 0', 'false'],
    ['(key ^ last) >> LAST !== 0', '(key ^ last) >> LAST === 0'],
  ),
  ...of('sort.ts', 'if (k - start >= longest) return -1;', 'only slower: all are placed one by one', [
    'k - start >= longest',
    'false',
  ]),
  ...of('sort.ts', 'if (k - start >= longest) return -1;', 'only speed: one more is sorted by insertion', [
    'k - start >= longest',
    'k - start > longest',
  ]),
  ...of(
    'sort.ts',
    'if (key > last) last = key;',
    'only slower: one that is greater than all before it is placed where it is',
    ['key > last', 'false'],
  ),
  ...of(
    'sort.ts',
    'for (let k = low + 1; k < high; k++) place(all, low, k);',
    'what stands at or before the start of the part is put where it was',
    ['low + 1', 'low - 1'],
  ),
  ...of(
    'sort.ts',
    'for (let w = 0; w < width; w++) held[w] = words[k * width + w]!;',
    'what is held behind the last word is not read',
    ['w < width', 'w <= width'],
  ),
  ...of('sort.ts', 'if (one !== other) return one < other ? -1 : 1;', 'they differ here', [
    'one < other',
    'one <= other',
  ]),

  ...of(
    'arrange.ts',
    'if (nested > 0) {',
    'only slower: nothing is set aside, and nothing brought back',
    ['nested > 0', 'true'],
    ['nested > 0', 'nested >= 0'],
  ),
  ...of(
    'arrange.ts',
    'for (let k = findClose(all, 1, count); k < count; k = findClose(all, k + 1, count)) {',
    'behind the last is none: nothing is asked there',
    ['k < count', 'k <= count'],
  ),
  ...of(
    'arrange.ts',
    'while (k < count) {',
    'only slower: each that is not skipped is asked, and all words tell what the first one does',
    ['k < count', 'false'],
    ['k < count', 'k <= count'],
    ['k < count', 'k >= count'],
  ),
  ...of(
    'arrange.ts',
    'if ((differ & maskOf(bitsOf(meta[base + k - 1]!, width))) === 0) break;',
    'only slower: each that is not skipped is asked, and all words tell what the first one does',
    ['(differ & maskOf(bitsOf(meta[base + k - 1]!, width))) === 0', 'true'],
  ),
  ...of(
    'arrange.ts',
    'if (end - k > BLOCK) {',
    'only speed: both ways move the same',
    ['end - k > BLOCK', 'true'],
    ['end - k > BLOCK', 'false'],
    ['end - k > BLOCK', 'end - k >= BLOCK'],
    ['end - k > BLOCK', 'end - k <= BLOCK'],
    ['end - k', 'end + k'],
  ),

  ...of(
    'table.ts',
    'if (open < 0) data[key]! |= PARTLY;',
    'only faster: of a slot that is one prefix a search tells the same',
    ['open < 0', 'open <= 0'],
  ),
  ...of(
    'table.ts',
    'while (word < width - 1 && data[x * width + word] === data[y * width + word]) word++;',
    'the two elements differ in some word, and there the loop ends',
    ['word < width - 1', 'true'],
    ['word < width - 1', 'word <= width - 1'],
    ['width - 1', 'width + 1'],
  ),
  ...of(
    'arrange.ts',
    'for (let w = 0; w < width; w++) {',
    'no length reaches into the word behind the last: its mask is 0',
    ['w < width', 'w <= width'],
  ),

  ...[
    ['table4.ts', 'x'],
    ['table6.ts', 'a, b, c, d'],
  ].flatMap(([file, address]) => [
    ...of(
      file,
      `if (this.top < INDEXED_FROM) return this.all || this.#hasAmongFew(${address});`,
      'only speed: to look at each of the first depth finds what the index does',
      ['this.top < INDEXED_FROM', 'true'],
      ['this.top < INDEXED_FROM', 'this.top <= INDEXED_FROM'],
    ),
  ]),
  ...of('table4.ts', 'return headOf(x, this.skip) < this.head', 'they differ here, where there is an index', [
    'headOf(x, this.skip) < this.head',
    'headOf(x, this.skip) <= this.head',
  ]),
  ...['table4.ts', 'table6.ts'].flatMap((file) =>
    of(
      file,
      'while (high - low > AT_ONCE) {',
      'only speed: more are asked one after the other, or fewer',
      ['high - low > AT_ONCE', 'false'],
      ['high - low > AT_ONCE', 'high - low >= AT_ONCE'],
    ),
  ),
  ...of('table4.ts', 'if (data[middle]! <= unsigned) low = middle;', STAYS, [
    'data[middle]! <= unsigned',
    'data[middle]! < unsigned',
  ]),
  ...of('table4.ts', 'if (data[middle]! <= x >>> 0) low = middle + 1;', NEIGHBOURS, [
    'data[middle]! <= x >>> 0',
    'data[middle]! < x >>> 0',
  ]),
  ...of(
    'table4.ts',
    'if (n > 0 && flat[n - 1]! + 1 === start) n -= 2;',
    BEHIND,
    ['n > 0', 'true'],
    ['n > 0', 'n >= 0'],
  ),

  ...of(
    'table6.ts',
    'if (order !== 0 || skip <= 32) return order;',
    'nobody asks where the first words tell: behind them there is no bit, and no difference',
    ['skip <= 32', 'skip < 32'],
    ['skip <= 32', 'false'],
  ),
  ...[
    ['second', 64],
    ['third', 96],
  ].flatMap(([name, bits]) =>
    of(
      'table6.ts',
      `if (${name} !== 0 || skip <= ${bits}) return ${name};`,
      'of the next word there is no bit, and no difference',
      [`skip <= ${bits}`, `skip < ${bits}`],
    ),
  ),
  ...of('table6.ts', 'if (data[at + 1] !== b >>> 0) return data[at + 1]! < b >>> 0;', 'they differ here', [
    'data[at + 1]! < b >>> 0',
    'data[at + 1]! <= b >>> 0',
  ]),
  ...of('table6.ts', 'if (data[at + 2] !== c >>> 0) return data[at + 2]! < c >>> 0;', 'they differ here', [
    'data[at + 2]! < c >>> 0',
    'data[at + 2]! <= c >>> 0',
  ]),
  ...of('table6.ts', 'return data[at + 3]! <= d >>> 0;', NEIGHBOURS, [
    'data[at + 3]! <= d >>> 0',
    'data[at + 3]! < d >>> 0',
  ]),
  ...of(
    'columns.ts',
    'const size = Math.max(4, this.count === 0 ? hint : 2 * this.count);',
    'only speed and memory: how much room is made at first',
    ['this.count === 0', 'false'],
  ),
  {
    file: 'columns.ts',
    line: 'get shared(): number | undefined {',
    original: `{
    // Where all have the same first word, the others tell.
    return this.#differ === 0 ? undefined : Math.clz32(this.#differ);
  }`,
    replacement: '{}',
    reason: 'only slower: it is looked for',
  },
  ...of(
    'columns.ts',
    'return this.#differ === 0 ? undefined : Math.clz32(this.#differ);',
    'only slower: it is looked for, or they are sorted again by what is behind the first word',
    ['this.#differ === 0', 'true'],
    ['this.#differ === 0', 'false'],
    ['this.#differ === 0', 'this.#differ !== 0'],
  ),
  {
    file: 'columns.ts',
    line: 'note(word: number): void {',
    original: `{
    this.#differ |= word ^ this.words[0]!;
  }`,
    replacement: '{}',
    reason: 'only slower: what they share is looked for',
  },
  ...of(
    'columns.ts',
    'this.#differ |= word ^ this.words[0]!;',
    'only slower: it stays 0, and what they share is looked for',
    ['this.#differ |= word ^ this.words[0]!', 'this.#differ &= word ^ this.words[0]!'],
  ),
  ...of('group.ts', 'if (prefixes === undefined) {', 'only faster: they are read again', [
    'prefixes === undefined',
    'true',
  ]),

  ...of(
    'group.ts',
    'if (other.all) return true;',
    'only faster: everything has the intervals of everything',
    ['other.all', 'false'],
  ),
  ...of(
    'group.ts',
    'if (first !== undefined && !other.has4(first)) return false;',
    'only faster: the intervals tell the same',
    ['first !== undefined && !other.has4(first)', 'false'],
  ),
  ...of(
    'intervals.ts',
    'const given = lists.filter((list) => list.length > 0);',
    'only faster: an empty list adds nothing',
    ['lists.filter((list) => list.length > 0)', 'lists'],
    ['list.length > 0', 'true'],
    ['list.length > 0', 'list.length >= 0'],
  ),
  ...of(
    'intervals.ts',
    'if (given.length < 2) return given[0] ?? new Uint32Array(0);',
    'only faster: a list without others is its own union',
    ['given.length < 2', 'false'],
  ),
  ...of(
    'intervals.ts',
    'const apart = end < 0 || (compare(list, at, flat, end, width) > 0 && !isNext(flat, end, list, at, width));',
    'the place of an end is below 0 before the first interval, and above 0 from then on',
    ['end < 0', 'end <= 0'],
  ),
  ...of(
    'intervals.ts',
    '} else if (compare(list, at + width, flat, end, width) > 0) {',
    'an end that is put where it is',
    ['compare(list, at + width, flat, end, width) > 0', 'compare(list, at + width, flat, end, width) >= 0'],
  ),
  ...of(
    'intervals.ts',
    'for (let i = 0; i < inner.length; i += step) {',
    'behind the last interval there are no words, and none are kept',
    ['i < inner.length', 'i <= inner.length'],
  ),
  ...of(
    'intervals.ts',
    'while (k < outer.length && compare(outer, k + width, start, 0, width) < 0) k += step;',
    BEHIND,
    ['k < outer.length', 'true'],
    ['k < outer.length', 'k <= outer.length'],
  ),
  ...of(
    'intervals.ts',
    'start !== undefined && j < outer.length && compare(outer, j, end, 0, width) <= 0;',
    `${BEHIND}; where nothing is left of an interval, the next of the others begins behind it`,
    ['start !== undefined && j < outer.length', 'true'],
    ['start !== undefined && j < outer.length', 'start !== undefined || j < outer.length'],
    ['start !== undefined', 'true'],
    ['j < outer.length', 'true'],
    ['j < outer.length', 'j <= outer.length'],
  ),
  ...of(
    'leftovers.ts',
    'if (blocks.length === 0) return groups.some((group) => this.#of(group).any);',
    'only faster: nothing is taken away',
    ['blocks.length === 0', 'false'],
  ),
  ...of(
    'leftovers.ts',
    'if (!this.#of(group).any) return false;',
    'only faster: nothing is left of nothing',
    ['!this.#of(group).any', 'false'],
  ),
  ...of('leftovers.ts', 'if (left === undefined) {', 'only faster: it is found out again', [
    'left === undefined',
    'true',
  ]),
  ...of('leftovers.ts', 'if (left.first === undefined) {', 'only faster: it is found again', [
    'left.first === undefined',
    'true',
  ]),
  ...of(
    'leftovers.ts',
    'if (firstIsOpen(first, blocks)) return true;',
    'only faster: all intervals tell what the first address does',
    ['firstIsOpen(first, blocks)', 'false'],
  ),
  ...of(
    'leftovers.ts',
    'left.first = { v4: v4.slice(0, 2 * KEPT), v6: v6.slice(0, 8 * KEPT) };',
    'only more memory, which a test of its own measures (it is left out here)',
    ['v4.slice(0, 2 * KEPT)', 'v4'],
    ['v6.slice(0, 8 * KEPT)', 'v6'],
  ),
  ...of(
    'leftovers.ts',
    'left.first = { v4: v4.slice(0, 2 * KEPT), v6: v6.slice(0, 8 * KEPT) };',
    'only slower: none is kept, and nothing tells before all intervals do',
    ['2 * KEPT', '2 / KEPT'],
    ['8 * KEPT', '8 / KEPT'],
  ),
  {
    file: 'leftovers.ts',
    line: 'function firstIsOpen({ v4, v6 }: Intervals, blocks: readonly Group[]): boolean {',
    original: `{
  const [word] = v4;
  if (word !== undefined && !blocks.some((block) => block.has4(word | 0))) return true;
  const [a, b, c, d] = v6;
  if (a === undefined) return false;
  return !blocks.some((block) => block.has6(a | 0, b! | 0, c! | 0, d! | 0));
}`,
    replacement: '{}',
    reason: 'only faster: all intervals tell what the first address does',
  },
  ...of(
    'leftovers.ts',
    'if (word !== undefined && !blocks.some((block) => block.has4(word | 0))) return true;',
    'only faster: all intervals tell what the first address does',
    ['word !== undefined && !blocks.some((block) => block.has4(word | 0))', 'false'],
    ['true', 'false'],
  ),
  ...of('leftovers.ts', 'if (a === undefined) return false;', 'only faster: all intervals tell', [
    'a === undefined',
    'true',
  ]),
  ...of(
    'lint-redundant.ts',
    'outside.length === 1',
    'only more memory and time: the union of one is itself',
    ['outside.length === 1', 'false'],
  ),
  ...of(
    'lint-redundant.ts',
    'const alone = group.publicAt < 0 || (group.v4.empty && group.v6.empty);',
    'only more time: there is no prefix that would be held against it',
    ['group.v4.empty && group.v6.empty', 'false'],
  ),
  ...of(
    'lint-redundant.ts',
    'if (covered || doubles.size === 0) return;',
    'only more memory: without doubles nothing is in a range behind it',
    ['doubles.size === 0', 'false'],
  ),
  ...of(
    'lint-redundant.ts',
    'if (list.named.get(at)?.range === undefined) continue;',
    'only more memory: an entry of one prefix that is there twice is redundant itself',
    ['list.named.get(at)?.range === undefined', 'false'],
  ),
  ...of(
    'lint-entries.ts',
    "return new EntryList(prefixes, 'prefixes').plain.intervals();",
    'a name for errors, which prefixes of our own do not cause',
    ["'prefixes'", '""'],
  ),
  ...of(
    'lint-never.ts',
    'if (group.host === undefined || group.anyAt < 0) continue;',
    'only more time: of others nobody asks',
    ['group.host === undefined || group.anyAt < 0', 'false'],
    ['group.host === undefined || group.anyAt < 0', 'group.host === undefined && group.anyAt < 0'],
    ['group.anyAt < 0', 'false'],
    ['group.host === undefined', 'false'],
  ),
  ...of(
    'lint-never.ts',
    'const byPort = conditional.length === 0 ? undefined : blocksByPort(conditional, plain);',
    'only more memory and time: the union of one is itself',
    ['conditional.length === 0', 'false'],
  ),
  ...of(
    'lint-never.ts',
    'if (intervals === undefined) keptIntervals.set(group, (intervals = group.intervals()));',
    'only more memory and time: they are the same each time',
    ['intervals === undefined', 'true'],
  ),
  ...of(
    'lint-never.ts',
    'if (byPort === undefined) kept.set(blocks, (byPort = new BlocksByPort(blocks, plain)));',
    'only more memory and time: it is the same each time',
    ['byPort === undefined', 'true'],
  ),
  ...of(
    'lint-entries.ts',
    'if (ofConditions === undefined) kept.set(conditions, (ofConditions = new Map()));',
    'only more memory and time: the same groups are found again',
    ['ofConditions === undefined', 'true'],
  ),
  ...of(
    'lint-entries.ts',
    'if (groups === undefined) ofConditions.set(key, (groups = conditions.ofHost(name, false)));',
    'only more memory and time: the same groups are found again',
    ['groups === undefined', 'true'],
  ),
  ...of(
    'lint-entries.ts',
    "const key = name === undefined ? '' : conditions.namesFor(name);",
    'only more memory: a host without entries of its own has the same groups as none',
    ["''", '"Stryker was here!"'],
  ),
];
