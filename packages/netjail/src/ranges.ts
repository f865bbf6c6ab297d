import { RANGES, REGISTRY_DATE } from './ranges.data.ts';

/** The name of a range: an entry of rules may be one of these. */
export type RangeName = keyof typeof RANGES;

/**
 * The named lists of prefixes, generated from the IANA special-purpose address registries
 * (longest prefix wins, RFC 8190 section 2.3). Deeply frozen.
 *
 * - `public`: IPv4 and 2000::/3 as far as they are globally reachable, and NAT64 `64:ff9b::/96`.
 *   In rules, an address that carries an IPv4 address is public only when that one is, too.
 *   168.63.129.16, which is host-local in every Azure machine, is not public.
 * - `loopback`: 127.0.0.0/8, ::1, and the unspecified addresses, which reach the local host.
 * - `private`: RFC 1918 and unique-local IPv6 (RFC 4193), as Go's `IsPrivate`.
 * - `link-local`: 169.254.0.0/16 (cloud metadata is here) and fe80::/10.
 * - `unique-local`: fc00::/7.
 * - `shared`: 100.64.0.0/10 (carrier-grade NAT, overlay networks).
 * - `multicast`: 224.0.0.0/4 and ff00::/8.
 * - `documentation`, `benchmarking`: what examples and measurements use.
 * - `reserved`: 240.0.0.0/4, the broadcast address, IPv6 discard-only, site-local and returned blocks.
 * - `transition`: prefixes whose addresses carry an IPv4 address, and 6to4's relays. ISATAP is no
 *   prefix; rules judge carried addresses in any case.
 * - `cloud-metadata`: metadata and credential services of the clouds, IPv4 and IPv6. Most are inside
 *   `link-local`, `shared` or `private`, so this is for telling them apart, or for allowing the rest.
 * - `special-purpose`: all that the registries do not call globally reachable, multicast and the
 *   deprecated IPv6 blocks. Unassigned IPv6 outside 2000::/3 is in neither this nor `public`.
 */
export const ranges: Readonly<Record<RangeName, readonly string[]>> = Object.freeze(
  Object.fromEntries(
    Object.entries(RANGES).map(([name, prefixes]) => [name, Object.freeze([...prefixes])]),
  ) as unknown as Record<RangeName, readonly string[]>,
);

/** The day (`YYYY-MM-DD`) the IANA registries were last updated when {@link ranges} was made. */
export const registryDate: string = REGISTRY_DATE;

export function isRangeName(text: string): text is RangeName {
  return Object.hasOwn(RANGES, text);
}
