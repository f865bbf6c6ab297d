// Questions for both sides, random but from a seed: addresses and prefixes in every way of writing
// them, the same damaged, and rule sets whose entries lie close to each other.

/** mulberry32: small, and the same everywhere. */
function generator(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (n) => next() % n;
  const of = (list) => list[below(list.length)];
  const chance = (percent) => below(100) < percent;
  return { next, below, of, chance };
}

const OCTETS = [0, 1, 9, 10, 99, 100, 127, 128, 172, 192, 254, 255];
const GROUPS = [0, 0, 0, 1, 0xf, 0x10, 0xff, 0x100, 0xfff, 0x1000, 0x5efe, 0x7f00, 0xa9fe, 0xfffe, 0xffff];
const HEADS = [
  [],
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0xffff, 0],
  [0, 0, 0, 0, 0, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
  [0x64, 0xff9b, 1],
  [0x2001, 0],
  [0x2001, 0xdb8],
  [0x2002],
  [0xfe80, 0, 0, 0],
  [0xfd00],
];
const ZONES = ['eth0', '1', 'a%b', ' ', 'ü', '%', '::1', '/64', '\u0000', '😀'];
const BAD = [
  '',
  ' ',
  '.',
  ':',
  '::',
  '/',
  '%',
  '-',
  '+',
  '0',
  '00',
  '08',
  '1e1',
  '256',
  'g',
  'G',
  'x',
  '0x7f',
  '\t',
  '\n',
  '\u0000',
  '١',
  '１',
  '。',
  'ｆ',
  '[',
  ']',
  '😀',
  '65536',
  '4294967296',
];

export function cases(seed) {
  const { below, of, chance, next } = generator(seed);
  const octet = () => (chance(60) ? of(OCTETS) : below(256));
  const group = () => (chance(60) ? of(GROUPS) : below(65_536));

  const quad = () => [octet(), octet(), octet(), octet()];
  const groups = () => {
    const head = chance(60) ? of(HEADS) : [];
    const list = head.slice();
    while (list.length < 8) list.push(chance(30) ? 0 : group());
    return list;
  };

  const hex = (value) => {
    let text = value.toString(16);
    if (chance(20)) text = text.padStart(1 + below(4), '0');
    return chance(20) ? text.toUpperCase() : text;
  };

  /** One of the many texts of an IPv6 address. */
  const writeGroups = (list) => {
    const dotted = chance(25);
    const head = dotted ? list.slice(0, 6) : list;
    const tail = dotted ? [`${list[6] >> 8}.${list[6] & 255}.${list[7] >> 8}.${list[7] & 255}`] : [];
    const texts = [...head.map(hex), ...tail];
    const zeros = [];
    for (let from = 0; from < head.length; from++) {
      for (let to = from; to < head.length && head[to] === 0; to++) zeros.push([from, to]);
    }
    if (zeros.length > 0 && chance(70)) {
      const [from, to] = of(zeros);
      return `${texts.slice(0, from).join(':')}::${texts.slice(to + 1).join(':')}`;
    }
    return texts.join(':');
  };

  const address = () => {
    if (chance(40)) return quad().join('.');
    const text = writeGroups(groups());
    return chance(10) ? `${text}%${of(ZONES)}` : text;
  };

  /** The text with a few characters replaced, removed, doubled or put in. */
  const damage = (text) => {
    let damaged = text;
    for (let i = 1 + below(3); i > 0; i--) {
      const at = below(damaged.length + 1);
      const end = Math.min(damaged.length, at + below(3));
      damaged =
        damaged.slice(0, at) + (chance(50) ? of(BAD) : damaged.slice(at, end + 1)) + damaged.slice(end);
    }
    // Half of a surrogate pair is no text for Go.
    return damaged.toWellFormed?.() ?? damaged.replace(/[\ud800-\udfff]/g, '');
  };

  const length = (family) => {
    if (chance(10)) return of([...BAD, '33', '129', '128', '032', '-0', '+8', '8 ', '1000']);
    const most = family === 4 ? 32 : 128;
    return String(chance(50) ? below(most + 1) : of([0, 1, 8, 24, 31, 32, 96, 127, 128]));
  };

  const prefix = () => {
    const text = address();
    return `${text}/${length(text.includes(':') ? 6 : 4)}`;
  };

  /** A few bits of an address turned over: near to where it was. */
  const near = (parts, size) => parts.map((part) => (chance(15) ? (part ^ (1 << below(size))) >>> 0 : part));

  /** An IPv6 address that carries the IPv4 address, in one of the ways there are. */
  const carrier = ([a, b, c, d]) => {
    const high = (a << 8) | b;
    const low = (c << 8) | d;
    const any = () => [group(), group(), group(), group()];
    return of([
      [0, 0, 0, 0, 0, 0xffff, high, low],
      [0, 0, 0, 0, 0, 0, high, low],
      [0, 0, 0, 0, 0xffff, 0, high, low],
      [0x64, 0xff9b, 0, 0, 0, 0, high, low],
      [0x64, 0xff9b, 1, group(), group(), group(), high, low],
      [0x64, 0xff9b, 1, high, c, d << 8, 0, 0],
      [0x64, 0xff9b, 1, a, b, low, 0, 0],
      [0x64, 0xff9b, 1, 0, a, (b << 8) | c, d << 8, 0],
      [0x2002, high, low, ...any(), group()],
      [0x2001, 0, high, low, ...any()],
      [0x2001, 0, group(), group(), group(), group(), high ^ 0xffff, low ^ 0xffff],
      [...any(), 0, 0x5efe, high, low],
      [0xfe80, 0, 0, 0, 0x200, 0x5efe, high, low],
    ]);
  };

  const rules = () => {
    const four = quad();
    const six = chance(50) ? carrier(four) : groups();
    const nearby = () => (chance(50) ? near(four, 8).join('.') : writeGroups(near(six, 16)));
    const entry = () => {
      const text = chance(85) ? nearby() : chance(50) ? quad().join('.') : writeGroups(groups());
      return `${text}/${below(text.includes(':') ? 129 : 33)}`;
    };
    const list = (most) => Array.from({ length: below(most + 1) }, entry);
    const everything = chance(40) ? ['0.0.0.0/0', '::/0'] : [];
    return [[...everything, ...list(5)], list(5), nearby()];
  };

  /** Of five questions two are about an address, one about a prefix, two about rules. */
  return () => {
    switch (next() % 5) {
      case 0:
        return ['address', address()];
      case 1:
        return ['address', damage(address())];
      case 2:
        return ['prefix', chance(50) ? prefix() : damage(prefix())];
      default:
        return ['rules', ...rules()];
    }
  };
}
