import { Address } from './address.ts';
import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';
import { maskOf } from './internal/bits.ts';

/**
 * An address and how many of its leading bits count, with the grammar and the text of Go's
 * `netip.Prefix`. Immutable.
 *
 * Host bits are kept in the text (`10.1.2.3/8`) and masked off for matching. As in Go, a mapped
 * address is IPv6 here: `10.0.0.0/8` does not contain `::ffff:10.0.0.1`. Rules unmap both sides
 * first; so do it yourself where you call {@link Prefix.contains} to keep something out.
 *
 * @example
 * ```ts
 * import { Address, Prefix } from 'netjail';
 *
 * const prefix = Prefix.parse('10.1.2.3/8');
 * console.log(String(prefix), String(prefix.masked())); // 10.1.2.3/8 10.0.0.0/8
 * console.log(prefix.contains(Address.parse('10.255.0.1'))); // true
 * ```
 */
export class Prefix {
  readonly address: Address;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly bits: number;

  private constructor(address: Address, bits: number) {
    this.address = address;
    this.bits = bits;
    Object.freeze(this);
  }

  /**
   * Reads a prefix in CIDR text.
   *
   * @throws {SyntaxError} `ERR_NETJAIL_INVALID_PREFIX` for anything that Go's `netip.ParsePrefix`
   * refuses (no length, a sign or leading zero in it, a zone), and for anything that is not a
   * primitive string.
   */
  static parse(text: string): Prefix {
    const refuse = (reason: string): never => {
      throw misuse(SyntaxError, 'ERR_NETJAIL_INVALID_PREFIX', `Cannot parse ${show(text)}: ${reason}`);
    };
    if (typeof text !== 'string') return refuse('a prefix is a string');
    const slash = text.lastIndexOf('/');
    if (slash === -1) return refuse('it has no "/" and length');
    const address = Address.tryParse(text.slice(0, slash));
    if (address === undefined) return refuse('the part before "/" is not an IP address');
    if (address.zone !== '') return refuse('a prefix has no zone');
    const length = text.slice(slash + 1);
    const most = address.family === 4 ? 32 : 128;
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return refuse('the part after "/" is not a length');
    const bits = Number(length);
    if (bits > most) return refuse(`the length is 0 to ${most}`);
    return new Prefix(address, bits);
  }

  /**
   * The prefix that contains one address only: its /32 or /128.
   *
   * @throws {SyntaxError} `ERR_NETJAIL_INVALID_PREFIX` when it has a zone, and {TypeError}
   * `ERR_NETJAIL_INVALID_ADDRESS` when it is no Address.
   */
  static of(address: Address): Prefix {
    expectAddress(address);
    if (address.zone !== '') {
      throw misuse(
        SyntaxError,
        'ERR_NETJAIL_INVALID_PREFIX',
        `Cannot use ${show(String(address))}: a prefix has no zone`,
      );
    }
    return new Prefix(address, address.family === 4 ? 32 : 128);
  }

  /** The same prefix with its host bits set to zero. */
  masked(): Prefix {
    const { family, words } = this.address;
    if (family === 4) return new Prefix(Address.fromWord(words[3] & maskOf(this.bits)), this.bits);
    const [a, b, c, d] = words;
    return new Prefix(
      Address.fromWords([
        a & maskOf(this.bits),
        b & maskOf(this.bits - 32),
        c & maskOf(this.bits - 64),
        d & maskOf(this.bits - 96),
      ]),
      this.bits,
    );
  }

  /**
   * The prefix as rules read it: an IPv4-mapped prefix of 96 bits or more is the IPv4 prefix.
   * A shorter one (`::/8`) is about IPv6 only.
   */
  unmap(): Prefix {
    if (!this.address.mapped || this.bits < 96) return this;
    return new Prefix(this.address.unmap(), this.bits - 96);
  }

  /**
   * True when the address is in the prefix. An address of the other family, a mapped address in
   * an IPv4 prefix and an address with a zone are in no prefix, as in Go.
   *
   * @throws {TypeError} `ERR_NETJAIL_INVALID_ADDRESS` when it is no Address: text would be in none.
   */
  contains(address: Address): boolean {
    expectAddress(address);
    if (address.family !== this.address.family || address.zone !== '') return false;
    const [a, b, c, d] = address.words;
    const [w, x, y, z] = this.address.words;
    if (this.address.family === 4) return ((d ^ z) & maskOf(this.bits)) === 0;
    return (
      ((a ^ w) & maskOf(this.bits)) === 0 &&
      ((b ^ x) & maskOf(this.bits - 32)) === 0 &&
      ((c ^ y) & maskOf(this.bits - 64)) === 0 &&
      ((d ^ z) & maskOf(this.bits - 96)) === 0
    );
  }

  /** `address/bits`, the address canonical, its host bits kept. */
  toString(): string {
    return `${this.address}/${this.bits}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

function expectAddress(address: unknown): void {
  if (address instanceof Address) return;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ADDRESS',
    `Cannot use ${show(address)}: it is not an Address, which Address.parse reads`,
  );
}
