/**
 * Where {@link carriedAddresses} leaves what it found, as signed words: one array for all calls, so
 * that judging an address allocates nothing.
 */
export const carried: Int32Array = new Int32Array(4);

/** How an IPv6 address carries the IPv4 addresses that {@link carriedAddresses} finds in it. */
export type CarrierKind = 'IPv4-compatible' | 'IPv4-translated' | 'NAT64' | 'Teredo' | '6to4' | 'ISATAP';

/** The last first word of a prefix that carries IPv4 addresses: the end of 2002::/16. */
const LAST_CARRIER = 0x2002ffff;

/**
 * Whether an IPv6 address may be the unspecified one or may carry an IPv4 address, by its first and
 * third word: a quick question, since almost every address that programs talk to answers no.
 */
export function isSpecial(a: number, c: number): boolean {
  return a >>> 0 <= LAST_CARRIER || isIsatap(c);
}

/** 0000:5efe with the u and g bits either way. */
function isIsatap(c: number): boolean {
  return (c & 0xfcffffff) === 0x00005efe;
}

/**
 * Finds the IPv4 addresses that an IPv6 address carries: a gateway or tunnel on the way may deliver
 * to them. Their number, at most four; they are in {@link carried}. Mapped addresses do not come
 * here, they are IPv4. All words are signed.
 *
 * - IPv4-compatible ::/96 (RFC 4291 section 2.5.5.1), except :: and ::1
 * - IPv4-translated ::ffff:0:0:0/96 (RFC 7915)
 * - NAT64 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215) in each RFC 6052 layout
 * - Teredo 2001::/32, server and client (RFC 4380)
 * - 6to4 2002::/16 (RFC 3056)
 * - ISATAP interface identifiers in any prefix (RFC 5214)
 */
export function carriedAddresses(a: number, b: number, c: number, d: number): number {
  let count = 0;
  if (a >>> 16 === 0x2002) carried[count++] = (a << 16) | (b >>> 16);
  else if (a === 0x20010000) {
    carried[count++] = b;
    carried[count++] = ~d;
  } else if (a === 0x0064ff9b) {
    if (b === 0 && c === 0) {
      carried[0] = d;
      return 1;
    }
    if (b >>> 16 === 1) return localNat64(b, c, d);
  } else if (a === 0 && b === 0) {
    if (c === 0) {
      carried[0] = d;
      return d === 0 || d === 1 ? 0 : 1;
    }
    if (c === (0xffff0000 | 0)) {
      carried[0] = d;
      return 1;
    }
  }
  if (isIsatap(c)) carried[count++] = d;
  return count;
}

/**
 * The layouts /48, /56 and /64 skip bits 64 to 71. A gateway need not look at those bits nor at the
 * suffix, so neither do we. The layout /96 reads the bits that ISATAP reads.
 */
function localNat64(b: number, c: number, d: number): number {
  let count = 0;
  for (let layout = 0; layout < 4; layout++) {
    let word = d;
    if (layout === 1) word = (b << 16) | ((c >>> 8) & 0xffff);
    else if (layout === 2) word = (b << 24) | (c & 0xffffff);
    else if (layout === 3) word = (c << 8) | (d >>> 24);
    // Read in a layout that was not meant, an address is 0.0.0.0 or 0.0.0.8. No gateway forwards to
    // 0.0.0.0/8, so such a reading says nothing.
    if (word >>> 24 !== 0) carried[count++] = word;
  }
  return count;
}

/**
 * How the address carries what {@link carriedAddresses} found at `index`. Only for an address in which
 * something was found: there a third word of zero means the whole prefix.
 */
export function carrierKind(a: number, b: number, c: number, index: number): CarrierKind {
  if (a >>> 16 === 0x2002) return index === 0 ? '6to4' : 'ISATAP';
  if (a === 0x20010000) return index < 2 ? 'Teredo' : 'ISATAP';
  if (a === 0x0064ff9b && (c === 0 || b >>> 16 === 1)) return 'NAT64';
  if (c === 0) return 'IPv4-compatible';
  if (c === (0xffff0000 | 0)) return 'IPv4-translated';
  return 'ISATAP';
}
