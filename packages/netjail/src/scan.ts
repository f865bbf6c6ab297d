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
  if (end <= 15 && scanQuad(text, 0, end) === end) return IPV4;
  return scanIPv6(text, end);
}

/** The zone of an address that was found to be {@link ZONED}. */
export function zoneOf(text: string): string {
  return text.slice(text.indexOf('%') + 1);
}

const NO_QUAD = -1;

/** Reads a dotted quad into the last word: where it ends, or {@link NO_QUAD}. */
function scanQuad(text: string, from: number, end: number): number {
  let word = 0;
  let i = from;
  for (let dots = 0; ; dots++) {
    if (i >= end) return NO_QUAD;
    let octet = text.charCodeAt(i++) - ZERO;
    if (octet < 0 || octet > 9) return NO_QUAD;
    // Written out, since a loop over up to three digits takes half as long again.
    if (i < end) {
      let digit = text.charCodeAt(i) - ZERO;
      if (digit >= 0 && digit <= 9) {
        // A leading zero is octal to some readers and decimal to others.
        if (octet === 0) return NO_QUAD;
        octet = octet * 10 + digit;
        if (++i < end) {
          digit = text.charCodeAt(i) - ZERO;
          if (digit >= 0 && digit <= 9) {
            octet = octet * 10 + digit;
            if (octet > 255) return NO_QUAD;
            i++;
          }
        }
      }
    }
    word = (word << 8) | octet;
    if (dots === 3) break;
    // Behind a dot that is not in the text any more, the next octet finds the end.
    if (text.charCodeAt(i++) !== DOT) return NO_QUAD;
  }
  scanned[3] = word;
  return i;
}

/**
 * The groups in front of `::` from 0 on, those behind it from {@link BEHIND} on. The eight in front
 * of these are always zero, so that the two halves fit together without a loop.
 */
const groups = new Uint16Array(32);
const words = new Int32Array(groups.buffer);
const BEHIND = 24;

function scanIPv6(text: string, end: number): Scanned {
  words[0] = 0;
  words[1] = 0;
  words[2] = 0;
  words[3] = 0;
  /** Where the next group goes. */
  let to = 0;
  /** Where no further group may go: after 8 of them, or after 7 where `::` stands for one at least. */
  let full = 8;
  let ended = false;
  let i = 0;
  if (end >= 2 && text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return NO_ADDRESS;
    to = BEHIND;
    full = BEHIND + 7;
    i = 2;
  }
  while (i < end) {
    const start = i;
    let group = 0;
    /** What stands behind the group. */
    let next = 0;
    // Four characters at once where there are so many: most groups have four digits.
    if (i + 4 <= end) {
      const c0 = text.charCodeAt(i);
      const c1 = text.charCodeAt(i + 1);
      const c2 = text.charCodeAt(i + 2);
      const c3 = text.charCodeAt(i + 3);
      const d0 = HEX[c0]!;
      const d1 = HEX[c1]!;
      const d2 = HEX[c2]!;
      const d3 = HEX[c3]!;
      if ((d0 | d1 | d2 | d3) !== NO_DIGIT) {
        group = (d0 << 12) | (d1 << 8) | (d2 << 4) | d3;
        i += 4;
        next = i < end ? text.charCodeAt(i) : 0;
        if (next === COLON) {
          if (to === full) return NO_ADDRESS;
          groups[to++] = group;
          i++;
          continue;
        }
      } else if ((d0 | d1 | d2) !== NO_DIGIT) {
        group = (d0 << 8) | (d1 << 4) | d2;
        next = c3;
        i += 3;
      } else if ((d0 | d1) !== NO_DIGIT) {
        group = (d0 << 4) | d1;
        next = c2;
        i += 2;
      } else {
        next = c0;
        if (d0 !== NO_DIGIT) {
          group = d0;
          next = c1;
          i++;
        }
      }
    } else {
      for (;;) {
        next = i < end ? text.charCodeAt(i) : 0;
        const digit = HEX[next]!;
        if (digit === NO_DIGIT) break;
        group = (group << 4) | digit;
        i++;
      }
    }
    if (i === start) {
      // No digit behind a colon: a second colon, or the end, where a zone may follow.
      if (to === 0 || to > 7 || next !== COLON) break;
      full = BEHIND + 7 - to;
      to = BEHIND;
      i++;
      continue;
    }
    if (to === full) return NO_ADDRESS;
    if (next === DOT) {
      if (to + 2 > full) return NO_ADDRESS;
      i = scanQuad(text, start, end);
      if (i === NO_QUAD) return NO_ADDRESS;
      groups[to++] = scanned[3]! >>> 16;
      groups[to++] = scanned[3]!;
      ended = true;
      break;
    }
    groups[to++] = group;
    if (next !== COLON) {
      ended = true;
      break;
    }
    i++;
  }
  if (!ended && to !== BEHIND) return NO_ADDRESS;
  let found: Scanned = IPV6;
  if (i < end) {
    if (text.charCodeAt(i) !== PERCENT || i === end - 1) return NO_ADDRESS;
    found = ZONED;
  }
  if (to < BEHIND) {
    if (to !== 8) return NO_ADDRESS;
    scanned[0] = (groups[0]! << 16) | groups[1]!;
    scanned[1] = (groups[2]! << 16) | groups[3]!;
    scanned[2] = (groups[4]! << 16) | groups[5]!;
    scanned[3] = (groups[6]! << 16) | groups[7]!;
  } else {
    const at = to - 8;
    scanned[0] = ((groups[0]! | groups[at]!) << 16) | groups[1]! | groups[at + 1]!;
    scanned[1] = ((groups[2]! | groups[at + 2]!) << 16) | groups[3]! | groups[at + 3]!;
    scanned[2] = ((groups[4]! | groups[at + 4]!) << 16) | groups[5]! | groups[at + 5]!;
    scanned[3] = ((groups[6]! | groups[at + 6]!) << 16) | groups[7]! | groups[at + 7]!;
  }
  return found;
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
