const NONE: readonly number[] = Object.freeze([]);

/**
 * The IPv4 addresses that an IPv6 address carries, as unsigned words: a gateway or tunnel on the
 * way may deliver to them. Mapped addresses do not come here, they are IPv4.
 *
 * - IPv4-compatible ::/96 (RFC 4291 section 2.5.5.1), except :: and ::1
 * - IPv4-translated ::ffff:0:0:0/96 (RFC 7915)
 * - NAT64 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215) in each RFC 6052 layout
 * - Teredo 2001::/32, server and client (RFC 4380)
 * - 6to4 2002::/16 (RFC 3056)
 * - ISATAP interface identifiers in any prefix (RFC 5214)
 */
export function carriedAddresses(a: number, b: number, c: number, d: number): readonly number[] {
  // ISATAP: 0000:5efe with the u and g bits either way.
  const isatap = (c & 0xfcffffff) === 0x00005efe;
  if (a >>> 16 === 0x2002) {
    const sixToFour = ((a << 16) | (b >>> 16)) >>> 0;
    return isatap ? [sixToFour, d] : [sixToFour];
  }
  if (a === 0x20010000) return isatap ? [b, ~d >>> 0, d] : [b, ~d >>> 0];
  if (a === 0x0064ff9b) return nat64(b, c, d, isatap);
  if (a === 0 && b === 0) {
    if (c === 0) return d > 1 ? [d] : NONE;
    if (c === 0xffff0000) return [d];
  }
  return isatap ? [d] : NONE;
}

function nat64(b: number, c: number, d: number, isatap: boolean): readonly number[] {
  if (b === 0 && c === 0) return [d];
  if (b >>> 16 !== 1) return isatap ? [d] : NONE;
  const carried: number[] = [];
  // The layouts /48, /56 and /64 skip bits 64 to 71. A gateway need not look at those bits nor at
  // the suffix, so neither do we.
  const layouts = [
    d, // /96, and ISATAP reads the same bits
    ((b << 16) | ((c >>> 8) & 0xffff)) >>> 0,
    ((b << 24) | (c & 0xffffff)) >>> 0,
    ((c << 8) | (d >>> 24)) >>> 0,
  ];
  for (const word of layouts) {
    // Read in a layout that was not meant, an address is 0.0.0.0 or 0.0.0.8. No gateway forwards to
    // 0.0.0.0/8, so such a reading says nothing.
    if (word >>> 24 !== 0) carried.push(word);
  }
  return carried;
}
