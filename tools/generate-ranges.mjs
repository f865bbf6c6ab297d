// Writes packages/netjail/src/ranges.data.ts from the IANA registries as kept in the tests' data, and
// from tools/cloud-metadata.json.
// node tools/generate-ranges.mjs          writes the file
// node tools/generate-ranges.mjs --check  exits 1 when the file on disk differs
import { readFileSync, writeFileSync } from 'node:fs';

const source = new URL('../packages/netjail/test/data/special-purpose.json', import.meta.url);
const target = new URL('../packages/netjail/src/ranges.data.ts', import.meta.url);

const data = JSON.parse(readFileSync(source, 'utf8'));
const clouds = JSON.parse(readFileSync(new URL('cloud-metadata.json', import.meta.url), 'utf8'));
const date = /last updated (\d{4}-\d{2}-\d{2})/.exec(data.source)?.[1];
if (date === undefined) throw new Error('the registry data names no date');

const parse = (text) => {
  const [address, bits] = text.split('/');
  const family = address.includes(':') ? 6 : 4;
  const size = family === 4 ? 32 : 128;
  return { family, size, bits: Number(bits), value: family === 4 ? quad(address) : hex(address) };
};
const quad = (text) => text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
const hex = (text) => {
  const [head, tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
};

// What is judged besides the registries, with the reason beside each:
const global = new Map(); // prefix -> is it globally reachable?
const add = (prefix, reachable) => global.set(prefix, reachable);
for (const row of data.registry) add(row.prefix, row.globally_reachable === true);
for (const row of data.not_in_registry) {
  // Vendor addresses inside a registered block change nothing. Azure's WireServer looks public
  // and is host-local in every Azure machine: nobody's public service, so it is not public here.
  if (row.rfc === 'vendor') continue;
  add(row.prefix, row.globally_reachable === true && row.rfc.startsWith('RFC'));
}

const rows = [...global].map(([text, reachable]) => ({ text, reachable, ...parse(text) }));
const contains = (outer, inner) =>
  outer.family === inner.family &&
  outer.bits <= inner.bits &&
  outer.value >> BigInt(outer.size - outer.bits) === inner.value >> BigInt(outer.size - outer.bits);

// Longest prefix wins: cut the space below `root` where the answer changes.
function cut(root, wanted, fallback) {
  const inside = rows.filter((row) => contains(root, row) && row.bits > root.bits);
  const covering = rows.filter((row) => contains(row, root)).sort((a, b) => b.bits - a.bits)[0];
  const answer = covering === undefined ? fallback : covering.reachable;
  if (inside.every((row) => row.reachable === answer)) return answer === wanted ? [format(root)] : [];
  const half = (value) => ({ ...root, bits: root.bits + 1, value });
  const bit = 1n << BigInt(root.size - root.bits - 1);
  return [...cut(half(root.value), wanted, fallback), ...cut(half(root.value | bit), wanted, fallback)];
}

function format({ family, bits, value }) {
  if (family === 4) return `${[24n, 16n, 8n, 0n].map((n) => (value >> n) & 255n).join('.')}/${bits}`;
  const groups = [];
  for (let n = 112n; n >= 0n; n -= 16n) groups.push(((value >> n) & 0xffffn).toString(16));
  let best = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === '0') j++;
    if (j - i > best[1]) best = [i, j - i];
    if (j > i) i = j;
  }
  const text =
    best[0] === -1
      ? groups.join(':')
      : `${groups.slice(0, best[0]).join(':')}::${groups.slice(best[0] + best[1]).join(':')}`;
  return `${text}/${bits}`;
}

const named = (...names) => {
  const found = [...data.registry, ...data.not_in_registry].filter((row) => names.includes(row.name));
  for (const name of names) {
    if (!found.some((row) => row.name === name)) throw new Error(`the registry data has no "${name}"`);
  }
  return found.map((row) => row.prefix);
};

/** A prefix without another inside of it. */
function without(outer, inner) {
  if (outer.bits === inner.bits) return [];
  const half = { ...outer, bits: outer.bits + 1 };
  const other = { ...half, value: half.value | (1n << BigInt(outer.size - outer.bits - 1)) };
  return contains(half, inner)
    ? [...without(half, inner), format(other)]
    : [format(half), ...without(other, inner)];
}

const ranges = {
  public: [...cut(parse('0.0.0.0/0'), true, true), ...cut(parse('2000::/3'), true, true), '64:ff9b::/96'],
  // The unspecified addresses reach the local host.
  loopback: ['0.0.0.0/32', ...named('Loopback'), '::/128', ...named('Loopback Address')],
  private: named('Private-Use', 'Unique-Local'),
  'link-local': named('Link Local', 'Link-Local Unicast'),
  'unique-local': named('Unique-Local'),
  shared: named('Shared Address Space'),
  multicast: named('Multicast'),
  documentation: named(
    'Documentation (TEST-NET-1)',
    'Documentation (TEST-NET-2)',
    'Documentation (TEST-NET-3)',
    'Documentation',
  ),
  benchmarking: named('Benchmarking'),
  reserved: named(
    'Reserved',
    'Limited Broadcast',
    'Discard-Only Address Block',
    'Site-local (deprecated)',
    'Deprecated OSI NSAP',
    '6bone (returned)',
  ),
  // Not IPv4-mapped addresses, which are IPv4; nor :: and ::1, which are no IPv4-compatible ones.
  transition: [
    ...named('Deprecated (6to4 Relay Anycast)'),
    ...without(parse(named('IPv4-compatible (deprecated)')[0]), parse('::/127')),
    ...named('IPv4-translated (SIIT)', 'IPv4-IPv6 Translat.', 'TEREDO', '6to4'),
  ],
  'cloud-metadata': clouds.map(({ prefix }) => prefix),
  'special-purpose': [...cut(parse('0.0.0.0/0'), false, true), ...cut(parse('::/0'), false, true)],
};
for (const row of data.not_in_registry) {
  if (row.rfc === 'vendor' && !ranges['cloud-metadata'].includes(row.prefix))
    throw new Error(`cloud-metadata.json does not have ${row.prefix}`);
}
const comments = new Map(clouds.map(({ prefix, what, source }) => [prefix, [what, source]]));
const lines = (name, prefixes) =>
  prefixes
    .map((prefix) => {
      const comment = name === 'cloud-metadata' ? comments.get(prefix) : [];
      return [...comment.map((line) => `    // ${line}\n`), `    '${prefix}',\n`].join('');
    })
    .join('');
if (Object.values(ranges).some((prefixes) => prefixes.length === 0)) throw new Error('a range is empty');

const text = `// Generated by tools/generate-ranges.mjs from the IANA special-purpose address registries
// and tools/cloud-metadata.json. Do not edit.

/** The day the IANA registries were last updated when the ranges were generated. */
export const REGISTRY_DATE = '${date}';

export const RANGES = {
${Object.entries(ranges)
  .map(
    ([name, prefixes]) =>
      `  ${/^[a-z]+$/.test(name) ? name : `'${name}'`}: [\n${lines(name, prefixes)}  ],\n`,
  )
  .join('')}} as const;
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'ranges.data.ts differs from what the registry data gives: run node tools/generate-ranges.mjs',
    );
    process.exit(1);
  }
  console.log(`ranges.data.ts is what the registries of ${date} give`);
} else {
  writeFileSync(target, text);
  console.log(
    `wrote ${Object.entries(ranges)
      .map(([name, list]) => `${name} ${list.length}`)
      .join(', ')}`,
  );
}
