import { show } from './internal/assert.ts';
import { misuse } from './errors.ts';

/**
 * One IPv4 or IPv6 address, with the grammar and the text of Go's `netip.Addr`. Immutable.
 *
 * Strict: no octal, hexadecimal or short forms, no leading zeros, no white space, no brackets.
 * An IPv4-mapped address (`::ffff:1.2.3.4`) parses as IPv6 and says so; {@link Address.unmap}
 * gives the IPv4 address that it is. Rules always unmap first.
 *
 * @example
 * ```ts
 * import { Address } from 'netjail';
 *
 * console.log(String(Address.parse('2001:DB8:0:0:0:0:0:1'))); // 2001:db8::1
 * console.log(String(Address.parse('::ffff:127.0.0.1').unmap())); // 127.0.0.1
 * ```
 */
export class Address {
  readonly family: 4 | 6;
  /** The 128 bits as four unsigned 32-bit words, first word first; IPv4 is in the last one. */
  readonly words: readonly [number, number, number, number];
  /** The zone of an IPv6 address (`eth0` of `fe80::1%eth0`), or an empty string. */
  readonly zone: string;

  private constructor(family: 4 | 6, words: readonly [number, number, number, number], zone: string) {
    this.family = family;
    this.words = Object.freeze(words);
    this.zone = zone;
    Object.freeze(this);
  }

  /**
   * Reads an address.
   *
   * @throws {SyntaxError} `ERR_NETJAIL_INVALID_ADDRESS` for anything that Go's `netip.ParseAddr`
   * refuses, and for anything that is not a primitive string.
   */
  static parse(text: string): Address {
    const address = Address.tryParse(text);
    if (address === undefined) {
      throw misuse(
        SyntaxError,
        'ERR_NETJAIL_INVALID_ADDRESS',
        `Cannot parse ${show(text)}: it is not an IP address`,
      );
    }
    return address;
  }

  /** Reads an address; `undefined` where {@link Address.parse} would throw. */
  static tryParse(text: string): Address | undefined {
    if (typeof text !== 'string') return undefined;
    const family = scanAddress(text);
    return family === 0 ? undefined : new Address(family, scannedWords(), scanned.zone);
  }

  /** The IPv4 address of four octets in one unsigned word. */
  static fromWord(word: number): Address {
    return new Address(4, [0, 0, 0, word >>> 0], '');
  }

  /** The IPv6 address of four unsigned words. */
  static fromWords(words: readonly [number, number, number, number]): Address {
    return new Address(6, [words[0] >>> 0, words[1] >>> 0, words[2] >>> 0, words[3] >>> 0], '');
  }

  /** True for an IPv4-mapped IPv6 address (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2). */
  get mapped(): boolean {
    const [a, b, c] = this.words;
    return this.family === 6 && isMapped(a, b, c);
  }

  /** The IPv4 address of a mapped one, without its zone as in Go; any other address is itself. */
  unmap(): Address {
    return this.mapped ? Address.fromWord(this.words[3]) : this;
  }

  /** The canonical text: dotted quad, or RFC 5952 with the zone; mapped ones as `::ffff:1.2.3.4`. */
  toString(): string {
    if (this.family === 4) return textOfWord(this.words[3]);
    const text = this.mapped ? `::ffff:${textOfWord(this.words[3])}` : textOfWords(this.words);
    return this.zone === '' ? text : `${text}%${this.zone}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

export function isMapped(a: number, b: number, c: number): boolean {
  return a === 0 && b === 0 && c === 0xffff;
}

/** Dotted quad of an unsigned word. */
export function textOfWord(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952 text: lower case, the first longest run of two or more zero groups as `::`. */
function textOfWords(words: readonly [number, number, number, number]): string {
  const groups: number[] = [];
  for (const word of words) groups.push(word >>> 16, word & 0xffff);
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > length) {
      from = i;
      length = j - i;
    }
    if (j > i) i = j;
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (from === -1) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

/**
 * Where {@link scanAddress} leaves what it read: one record for all calls, so that judging an
 * address allocates nothing. Read it before the next scan.
 */
export const scanned: { a: number; b: number; c: number; d: number; zone: string } = {
  a: 0,
  b: 0,
  c: 0,
  d: 0,
  zone: '',
};

function scannedWords(): [number, number, number, number] {
  return [scanned.a, scanned.b, scanned.c, scanned.d];
}

const DOT = 46;
const COLON = 58;
const PERCENT = 37;
const ZERO = 48;

/** Longer than any address without a zone: what is longer is refused before it is read. */
const MAX_WITHOUT_ZONE = 45;

/** Reads an address into {@link scanned}: its family, or 0 when the text is not an address. */
export function scanAddress(text: string): 0 | 4 | 6 {
  scanned.zone = '';
  const limit = Math.min(text.length, MAX_WITHOUT_ZONE + 1);
  for (let i = 0; i < limit; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) return scanQuad(text, 0, text.length) ? 4 : 0;
    if (c === COLON) return scanIPv6(text);
    if (c === PERCENT) return 0;
  }
  return 0;
}

/** Reads a dotted quad into `scanned.d`, and clears the other words. */
function scanQuad(text: string, from: number, to: number): boolean {
  const length = to - from;
  if (length < 7 || length > 15) return false;
  let word = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (digits === 0 || ++dots > 3) return false;
      word = (word << 8) | octet;
      octet = 0;
      digits = 0;
      continue;
    }
    const digit = c - ZERO;
    if (digit < 0 || digit > 9) return false;
    // A leading zero is octal to some readers and decimal to others.
    if (digits > 0 && octet === 0) return false;
    octet = octet * 10 + digit;
    if (octet > 255) return false;
    digits++;
  }
  if (dots !== 3 || digits === 0) return false;
  scanned.a = 0;
  scanned.b = 0;
  scanned.c = 0;
  scanned.d = ((word << 8) | octet) >>> 0;
  return true;
}

const groups = new Uint16Array(8);

function scanIPv6(text: string): 0 | 6 {
  let end = text.length;
  const percent = text.indexOf('%');
  if (percent !== -1) {
    if (percent === end - 1) return 0;
    end = percent;
  }
  if (end > MAX_WITHOUT_ZONE) return 0;

  let count = 0;
  let ellipsis = -1;
  let i = 0;
  if (end >= 2 && text.charCodeAt(0) === COLON && text.charCodeAt(1) === COLON) {
    ellipsis = 0;
    i = 2;
  }
  while (i < end && count < 8) {
    let group = 0;
    const start = i;
    for (; i < end; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      if (i - start > 3) return 0;
      group = (group << 4) | digit;
    }
    if (i === start) return 0;
    if (i < end && text.charCodeAt(i) === DOT) {
      if ((ellipsis < 0 && count !== 6) || count > 6) return 0;
      if (!scanQuad(text, start, end)) return 0;
      groups[count++] = scanned.d >>> 16;
      groups[count++] = scanned.d & 0xffff;
      i = end;
      break;
    }
    groups[count++] = group;
    if (i === end) break;
    if (text.charCodeAt(i) !== COLON || ++i === end) return 0;
    if (text.charCodeAt(i) === COLON) {
      if (ellipsis >= 0) return 0;
      ellipsis = count;
      i++;
    }
  }
  if (i !== end) return 0;
  if (count < 8) {
    if (ellipsis < 0) return 0;
    const shift = 8 - count;
    groups.copyWithin(ellipsis + shift, ellipsis, count);
    groups.fill(0, ellipsis, ellipsis + shift);
  } else if (ellipsis >= 0) {
    return 0;
  }
  scanned.a = ((groups[0]! << 16) | groups[1]!) >>> 0;
  scanned.b = ((groups[2]! << 16) | groups[3]!) >>> 0;
  scanned.c = ((groups[4]! << 16) | groups[5]!) >>> 0;
  scanned.d = ((groups[6]! << 16) | groups[7]!) >>> 0;
  if (percent !== -1) scanned.zone = text.slice(percent + 1);
  return 6;
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
