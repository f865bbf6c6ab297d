// What is measured: policies and the addresses that are asked about, the same in every process, and
// an oracle that knows the answers. Everything comes from a seed; nothing here is netjail's.

/** A small generator of our own (mulberry32), so that every process and every Node draws the same. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (n) => next() % n;
  const bits = (n) => {
    let value = 0n;
    for (let i = 0; i < n; i += 32) value = (value << 32n) | BigInt(next());
    return value & ((1n << BigInt(n)) - 1n);
  };
  return { next, below, bits };
}

export const SIZE = { 4: 32, 6: 128 };

export function textOf(family, value) {
  if (family === 4) return [24n, 16n, 8n, 0n].map((n) => (value >> n) & 255n).join('.');
  const groups = [];
  for (let n = 112n; n >= 0n; n -= 16n) groups.push(((value >> n) & 0xffffn).toString(16));
  let best = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === '0') j++;
    if (j - i > best[1]) best = [i, j - i];
    if (j > i) i = j;
  }
  if (best[0] === -1) return groups.join(':');
  return `${groups.slice(0, best[0]).join(':')}::${groups.slice(best[0] + best[1]).join(':')}`;
}

function quad(text) {
  return text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

/**
 * The text as a parser or a resolver hands it out: one run of bytes. V8 keeps a text that was put
 * together as its parts, and each look at a character goes through them, for every contender.
 */
const flat = (text) => Buffer.from(text, 'latin1').toString('latin1');

/** Reads a prefix of ours or of the list below, which are well formed. */
export function parsePrefix(text) {
  const [address, bits] = text.split('/');
  if (!address.includes(':')) return { family: 4, value: quad(address), bits: Number(bits) };
  const [head, tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  const value = groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
  return { family: 6, value, bits: Number(bits) };
}

/** 40 special-purpose prefixes: the IANA registries' that are not global, multicast and two more. */
export const SPECIAL = `0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.0.0/29 192.0.0.8/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.0/24 192.88.99.2/32
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
168.63.129.16/32 ::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48 2001:10::/28
2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`.split(/\s+/);

/** An address that carries no IPv4 address and is not special: there the peers agree on what is asked. */
function plain({ bits, below }, family) {
  for (;;) {
    if (family === 4) {
      const value = bits(32);
      const first = value >> 24n;
      if (first > 0n && first < 224n && first !== 127n) return value;
      continue;
    }
    // 2400::/6 to 2c00::/6: no 6to4, no Teredo; a third long, a third with a short host, a third between.
    const head = (0x24n + BigInt(below(8))) << 120n;
    const shape = below(3);
    const tail =
      shape === 0 ? bits(120) : shape === 1 ? (bits(24) << 96n) | bits(16) : (bits(40) << 80n) | bits(48);
    const value = head | tail;
    if (((value >> 32n) & 0xfcffffffn) !== 0x5efen) return value;
  }
}

/** `count` prefixes of one family, distinct and in no order. */
export function prefixes(family, count, seed = 1) {
  const source = random(seed * 1000 + family);
  const size = BigInt(SIZE[family]);
  // Few prefixes are networks, many are hosts and small networks, as in lists that people have.
  const lengths = family === 4 ? (count <= 100 ? [12, 28] : [24, 32]) : count <= 100 ? [32, 64] : [48, 128];
  const found = new Set();
  while (found.size < count) {
    const bits = lengths[0] + source.below(lengths[1] - lengths[0] + 1);
    const shift = size - BigInt(bits);
    const value = (plain(source, family) >> shift) << shift;
    found.add(flat(`${textOf(family, value)}/${bits}`));
  }
  return [...found];
}

/** Is a value in one of the prefixes? By sorted disjoint ranges, in BigInt. */
export function oracle(family, list) {
  const size = BigInt(SIZE[family]);
  const ranges = list
    .map(parsePrefix)
    .filter((prefix) => prefix.family === family)
    .map(({ value, bits }) => {
      const shift = size - BigInt(bits);
      return { from: (value >> shift) << shift, to: ((value >> shift) << shift) + (1n << shift) - 1n };
    })
    .sort((x, y) => (x.from < y.from ? -1 : x.from > y.from ? 1 : 0));
  const merged = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to) {
      if (range.to > last.to) last.to = range.to;
    } else merged.push({ ...range });
  }
  return (value) => {
    let low = 0;
    let high = merged.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (merged[middle].from <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && value <= merged[low - 1].to;
  };
}

/**
 * Addresses to ask about and whether they are accepted (everything is, except what the prefixes
 * block): half of them in a prefix, first and last addresses and their neighbours among them.
 */
export function probes(family, list, count = 4096, seed = 2) {
  const source = random(seed * 1000 + family);
  const blocked = oracle(family, list);
  const own = list.map(parsePrefix).filter((prefix) => prefix.family === family);
  const size = BigInt(SIZE[family]);
  const most = (1n << size) - 1n;
  const special = list === SPECIAL;
  const values = [];
  while (values.length < count) {
    if (values.length % 2 === 0) {
      values.push(plain(source, family));
      continue;
    }
    const { value, bits } = own[source.below(own.length)];
    const span = (1n << (size - BigInt(bits))) - 1n;
    const near = [source.bits(Number(size)) & span, 0n, span, -1n, span + 1n][source.below(special ? 3 : 5)];
    const one = value + near;
    if (one > 1n && one < most) values.push(one);
  }
  return values.map((value) => ({ text: flat(textOf(family, value)), accepted: !blocked(value) }));
}
