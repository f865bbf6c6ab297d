// Reading addresses and prefixes without making values: what judging an address is done with.

/** What {@link scanAddress} found. */
export const NO_ADDRESS = 0;
export const IPV4 = 4;
export const IPV6 = 6;
/** An IPv6 address with a zone; {@link zoneOf} reads it. */
export const ZONED = 7;
export type Scanned = typeof NO_ADDRESS | typeof IPV4 | typeof IPV6 | typeof ZONED;

/**
 * Where {@link scanAddress} leaves the four words, IPv4 in the last: one array for all calls, and
 * signed, since a signed word is a small integer to the engine and never becomes a heap number.
 * So judging an address allocates nothing. Read it before the next scan.
 */
export const scanned: Int32Array = new Int32Array(4);

// What is exported, under names of this module alone: the engine looks up an exported one at each use.
const result = scanned;
const REFUSED = NO_ADDRESS;
const FOUND4 = IPV4;
const FOUND6 = IPV6;
const FOUND_ZONED = ZONED;

const DOT = 46;
const COLON = 58;
const PERCENT = 37;
const ZERO = 48;
const SLASH = 47;
/** A slash where a digit is expected. */
const SLASH_DIGIT: number = SLASH - ZERO;

/** All bits are set: together with any other value it is still this one. */
const NO_DIGIT = 255;

/**
 * The value of each UTF-16 code unit as a hexadecimal digit, or {@link NO_DIGIT}. For all of them,
 * so that a look-up needs no check of its own.
 */
const HEX = new Uint8Array(0x10000).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) {
  HEX[value.toString(16).charCodeAt(0)] = value;
  HEX[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/**
 * Reads the address in the first `end` characters into {@link scanned}.
 *
 * Each character is read once or twice, and what is too long to be an address is left unread.
 */
export function scanAddress(text: string, end: number): Scanned {
  // Most IPv6 addresses that are as short have the colon. Read as a quad, they would end where no processor foresees.
  if (end <= 15 && end >= 7 && text.charCodeAt(4) !== COLON && scanQuad(text, 0, end) === end) return FOUND4;
  return scanIPv6(text, end);
}

/** The zone of an address that was found to be {@link ZONED}. */
export function zoneOf(text: string): string {
  return text.slice(text.indexOf('%') + 1);
}

const NO_QUAD = -1;

/** Reads a dotted quad into the last word: where it ends, or {@link NO_QUAD}. */
function scanQuad(text: string, from: number, length: number): number {
  // Here and below `| 0` says that there is no overflow, for which the engine would check each sum.
  const end = length | 0;
  let word = 0;
  let i = from | 0;
  for (let dots = 0; ; dots++) {
    if (i >= end) return NO_QUAD;
    let octet = text.charCodeAt(i) - ZERO;
    if (octet >>> 0 > 9) return NO_QUAD;
    i = (i + 1) | 0;
    // Written out, since a loop over up to three digits takes half as long again.
    if (i < end) {
      let digit = text.charCodeAt(i) - ZERO;
      if (digit >>> 0 <= 9) {
        // A leading zero is octal to some readers and decimal to others.
        if (octet === 0) return NO_QUAD;
        octet = octet * 10 + digit;
        i = (i + 1) | 0;
        if (i < end) {
          digit = text.charCodeAt(i) - ZERO;
          if (digit >>> 0 <= 9) {
            octet = octet * 10 + digit;
            if (octet > 255) return NO_QUAD;
            i = (i + 1) | 0;
          }
        }
      }
    }
    word = (word << 8) | octet;
    if (dots === 3) break;
    if (i === end || text.charCodeAt(i) !== DOT) return NO_QUAD;
    i = (i + 1) | 0;
  }
  result[3] = word;
  return i;
}

/**
 * The groups in front of `::` from 0 on, those behind it from {@link BEHIND} on. The eight in front
 * of these are always zero, so that the two halves fit together without a loop.
 */
const groups = new Uint16Array(32);
const words = new Int32Array(groups.buffer);
const BEHIND = 24;

function scanIPv6(text: string, length: number): Scanned {
  const end = length | 0;
  if (end < 2) return REFUSED;
  // The engine knows an array that it finds in front of a loop, and asks for its length and place once.
  const hex = HEX;
  const out = groups;
  words[0] = 0;
  words[1] = 0;
  words[2] = 0;
  words[3] = 0;
  /** Where the next group goes. */
  let to = 0;
  /** Where no further group may go: after 8 of them, or after 7 where `::` stands for one at least. */
  let full = 8;
  let i = 0;
  /** The character at `i`, where a group begins. */
  let first = text.charCodeAt(0);
  if (first === COLON) {
    if (text.charCodeAt(1) !== COLON) return REFUSED;
    to = BEHIND;
    full = BEHIND + 7;
    i = 2;
    first = end === 2 ? 0 : text.charCodeAt(2);
  }
  for (;;) {
    let group = hex[first]!;
    if (group === NO_DIGIT) {
      // Behind `::` the address may end, and a zone follow.
      if (to === BEHIND) break;
      return REFUSED;
    }
    const start = i;
    /** What stands behind the group. */
    let next = 0;
    // Four characters at once where there are so many: most groups have four digits.
    if (((i + 4) | 0) <= end) {
      const c1 = text.charCodeAt((i + 1) | 0);
      const c2 = text.charCodeAt((i + 2) | 0);
      const c3 = text.charCodeAt((i + 3) | 0);
      const d1 = hex[c1]!;
      const d2 = hex[c2]!;
      const d3 = hex[c3]!;
      /** Added below, since the engine compiles a sum anew when it is first made in a branch that is taken late. */
      let digits = 1;
      if ((d1 | d2 | d3) !== NO_DIGIT) {
        group = (group << 12) | (d1 << 8) | (d2 << 4) | d3;
        digits = 4;
        next = ((i + 4) | 0) < end ? text.charCodeAt((i + 4) | 0) : 0;
      } else if ((d1 | d2) !== NO_DIGIT) {
        group = (group << 8) | (d1 << 4) | d2;
        digits = 3;
        next = c3;
      } else if (d1 !== NO_DIGIT) {
        group = (group << 4) | d1;
        digits = 2;
        next = c2;
      } else next = c1;
      i = (i + digits) | 0;
    } else {
      for (;;) {
        i = (i + 1) | 0;
        next = i < end ? text.charCodeAt(i) : 0;
        const digit = hex[next]!;
        if (digit === NO_DIGIT) break;
        group = (group << 4) | digit;
      }
    }
    if (to === full) return REFUSED;
    out[to] = group;
    to = (to + 1) | 0;
    if (next !== COLON) {
      if (next !== DOT) break;
      // The group was the first octet: the quad takes its place and one more.
      if (to === full) return REFUSED;
      i = scanQuad(text, start, end);
      if (i === NO_QUAD) return REFUSED;
      out[to - 1] = result[3]! >>> 16;
      out[to++] = result[3]!;
      break;
    }
    i = (i + 1) | 0;
    if (i === end) return REFUSED;
    first = text.charCodeAt(i);
    if (first === COLON) {
      if (to > 7) return REFUSED;
      full = BEHIND + 7 - to;
      to = BEHIND;
      i = (i + 1) | 0;
      if (i === end) break;
      first = text.charCodeAt(i);
    }
  }
  const zoned = i < end;
  if (zoned && (text.charCodeAt(i) !== PERCENT || i === end - 1)) return REFUSED;
  if (to < BEHIND) {
    if (to !== 8) return REFUSED;
    result[0] = (groups[0]! << 16) | groups[1]!;
    result[1] = (groups[2]! << 16) | groups[3]!;
    result[2] = (groups[4]! << 16) | groups[5]!;
    result[3] = (groups[6]! << 16) | groups[7]!;
  } else {
    const at = to - 8;
    result[0] = ((groups[0]! | groups[at]!) << 16) | groups[1]! | groups[at + 1]!;
    result[1] = ((groups[2]! | groups[at + 2]!) << 16) | groups[3]! | groups[at + 3]!;
    result[2] = ((groups[4]! | groups[at + 4]!) << 16) | groups[5]! | groups[at + 5]!;
    result[3] = ((groups[6]! | groups[at + 6]!) << 16) | groups[7]! | groups[at + 7]!;
  }
  return zoned ? FOUND_ZONED : FOUND6;
}

/** The length of the prefix that {@link scanPrefix} read. */
export const scannedLength: Int32Array = new Int32Array(1);

/** No length was written: a bare address. */
export const BARE = -1;

/**
 * Reads a prefix or a bare address into `scanned` and {@link scannedLength}, without making values.
 * Accepts exactly what {@link Prefix.parse} and {@link Address.parse} without a zone accept.
 */
export function scanPrefix(text: string): typeof NO_ADDRESS | typeof IPV4 | typeof IPV6 {
  const end = text.length;
  let slash = end;
  let bits = BARE;
  // One digit to three, each read once: written out, since in loops a long list takes a tenth longer.
  if (end >= 4) {
    const last = text.charCodeAt(end - 1) - ZERO;
    const tens = text.charCodeAt(end - 2) - ZERO;
    const hundreds = text.charCodeAt(end - 3) - ZERO;
    if (tens === SLASH_DIGIT) {
      if (last < 0 || last > 9) return NO_ADDRESS;
      slash = end - 2;
      bits = last;
    } else if (hundreds === SLASH_DIGIT) {
      if (last < 0 || last > 9 || tens < 1 || tens > 9) return NO_ADDRESS;
      slash = end - 3;
      bits = tens * 10 + last;
    } else if (text.charCodeAt(end - 4) === SLASH) {
      // What is above 9 in front of the last makes it longer than any.
      if (last < 0 || last > 9 || tens < 0 || hundreds < 1) return NO_ADDRESS;
      slash = end - 4;
      bits = hundreds * 100 + tens * 10 + last;
    }
  }
  const found = scanAddress(text, slash);
  if (found === ZONED || bits > (found === IPV4 ? 32 : 128)) return NO_ADDRESS;
  scannedLength[0] = bits;
  return found;
}
