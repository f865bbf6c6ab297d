import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';
import { IPV4, NO_ADDRESS, scanAddress, scanned, ZONED, zoneOf } from './scan.ts';

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
    const found = scanAddress(text, text.length);
    if (found === NO_ADDRESS) return undefined;
    if (found === IPV4) return Address.fromWord(scanned[3]!);
    const words = [scanned[0]! >>> 0, scanned[1]! >>> 0, scanned[2]! >>> 0, scanned[3]! >>> 0] as const;
    return new Address(6, words, found === ZONED ? zoneOf(text) : '');
  }

  /**
   * The IPv4 address of four octets in one word, signed or unsigned.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when it is not a whole number of 32 bits.
   */
  static fromWord(word: number): Address {
    expectWord(word);
    return new Address(4, [0, 0, 0, word >>> 0], '');
  }

  /**
   * The IPv6 address of four words, signed or unsigned.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when these are not four whole numbers of 32 bits.
   */
  static fromWords(words: readonly [number, number, number, number]): Address {
    if (!Array.isArray(words) || words.length !== 4) throw notWords(show(words));
    for (const word of words) expectWord(word);
    return new Address(6, [words[0] >>> 0, words[1] >>> 0, words[2] >>> 0, words[3] >>> 0], '');
  }

  /** True for an IPv4-mapped IPv6 address (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2). */
  get mapped(): boolean {
    const [a, b, c] = this.words;
    return isMapped(a, b, c); // never an IPv4 address: there they are zero
  }

  /** The IPv4 address of a mapped one, without its zone as in Go; any other address is itself. */
  unmap(): Address {
    return this.mapped ? Address.fromWord(this.words[3]) : this;
  }

  /** The canonical text: dotted quad, or RFC 5952 with the zone; mapped ones as `::ffff:1.2.3.4`. */
  toString(): string {
    if (this.family === 4) return textOfWord(this.words[3]);
    const text = textOfIPv6(...this.words);
    return this.zone === '' ? text : `${text}%${this.zone}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

function expectWord(word: unknown): void {
  if (!Number.isInteger(word) || Number(word) < -0x80000000 || Number(word) > 0xffffffff) {
    throw notWords(show(word));
  }
}

function notWords(given: string): TypeError {
  return misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ADDRESS',
    `Cannot make an address of ${given}: a word is a whole number of 32 bits, and IPv6 has four`,
  );
}

export function isMapped(a: number, b: number, c: number): boolean {
  return a === 0 && b === 0 && c === 0xffff;
}

/** Dotted quad of an unsigned word. */
export function textOfWord(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** The canonical text of the four words of an IPv6 address. */
export function textOfIPv6(a: number, b: number, c: number, d: number): string {
  if (isMapped(a, b, c)) return `::ffff:${textOfWord(d)}`;
  return textOfWords([a >>> 0, b >>> 0, c >>> 0, d >>> 0]);
}

/** RFC 5952 text: lower case, the first longest run of two or more zero groups as `::`. */
function textOfWords(words: readonly [number, number, number, number]): string {
  const groups: number[] = [];
  for (const word of words) groups.push(word >>> 16, word & 0xffff);
  let from = -1;
  let length = 1;
  let read = 0;
  let run = 0;
  for (const group of groups) {
    read++;
    run = group === 0 ? run + 1 : 0;
    if (run > length) {
      from = read - run;
      length = run;
    }
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (from === -1) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}
