// A second implementation of the semantics, bit by bit with BigInt, that shares no code with src.

export interface Parsed {
  family: 4 | 6;
  value: bigint;
}

/** Reads an address that is known to be well formed, without a zone. */
export function parseAddress(text: string): Parsed {
  if (!text.includes(':')) return { family: 4, value: quad(text) };
  const tail = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0];
  const hexText =
    tail === undefined
      ? text
      : text.slice(0, -tail.length) +
        [16n, 0n].map((n) => ((quad(tail) >> n) & 0xffffn).toString(16)).join(':');
  const [head, rest] = hexText.split('::');
  const left = head === '' ? [] : head!.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return { family: 6, value: groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) };
}

function quad(text: string): bigint {
  return text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

export function unmap({ family, value }: Parsed): Parsed {
  return family === 6 && value >> 32n === 0xffffn
    ? { family: 4, value: value & 0xffffffffn }
    : { family, value };
}

/** Does the prefix (unmapped) contain the address (unmapped)? */
export function contains(prefix: string, address: Parsed): boolean {
  const slash = prefix.indexOf('/');
  let { family, value } = parseAddress(slash === -1 ? prefix : prefix.slice(0, slash));
  let bits = slash === -1 ? (family === 4 ? 32 : 128) : Number(prefix.slice(slash + 1));
  if (family === 6 && value >> 32n === 0xffffn && bits >= 96) {
    family = 4;
    value &= 0xffffffffn;
    bits -= 96;
  }
  const shift = BigInt((family === 4 ? 32 : 128) - bits);
  return family === address.family && value >> shift === address.value >> shift;
}

/** The IPv4 addresses that an IPv6 address carries. */
export function carried(value: bigint): bigint[] {
  const bits = (from: number, length: number): bigint =>
    (value >> BigInt(128 - from - length)) & ((1n << BigInt(length)) - 1n);
  const found: bigint[] = [];
  if (bits(0, 96) === 0n && value > 1n) found.push(bits(96, 32));
  if (bits(0, 96) === 0xffff0000n) found.push(bits(96, 32));
  if (bits(0, 96) === 0x64ff9bn << 64n) found.push(bits(96, 32));
  if (bits(0, 48) === 0x64ff9b0001n) {
    const layouts = [
      bits(96, 32),
      (bits(48, 16) << 16n) | bits(72, 16),
      (bits(56, 8) << 24n) | bits(72, 24),
      bits(72, 32),
    ];
    found.push(...layouts.filter((word) => word >> 24n !== 0n));
  }
  if (bits(0, 16) === 0x2002n) found.push(bits(16, 32));
  if (bits(0, 32) === 0x20010000n) found.push(bits(32, 32), bits(96, 32) ^ 0xffffffffn);
  if ((bits(64, 32) & 0xfcffffffn) === 0x5efen) found.push(bits(96, 32));
  return found;
}

/** What our rules answer for prefixes (no ranges). */
export function accepts(allow: string[], block: string[], text: string): boolean {
  const address = unmap(parseAddress(text));
  const blocked = (one: Parsed): boolean => block.some((prefix) => contains(prefix, one));
  const loopbackBlocked = blocked({ family: 4, value: 0x7f000001n }) || blocked({ family: 6, value: 1n });
  if (!allow.some((prefix) => contains(prefix, address)) || blocked(address)) return false;
  if (address.value === 0n) return !loopbackBlocked;
  if (address.family === 4) return true;
  return carried(address.value).every(
    (value) => !blocked({ family: 4, value }) && !(value === 0n && loopbackBlocked),
  );
}
