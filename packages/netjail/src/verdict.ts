import { isRecord, plainly } from './internal/assert.ts';

/**
 * Why an address, a name or a path was denied. A closed set: new reasons come only with a new
 * minor version.
 *
 * - `no-rules`: no rules were given and none are in effect.
 * - `not-allowed`: no allow entry matches.
 * - `blocked`: a block entry matches.
 * - `carried-address-blocked`: the address carries an IPv4 address (NAT64, 6to4, Teredo, ...) and
 *   that one is blocked.
 * - `carried-address-not-allowed`: the address carries an IPv4 address that is not public, and
 *   only the range `public` would have allowed the carrier.
 * - `loopback-blocked`: an unspecified address reaches the local host, and loopback is blocked.
 * - `host-not-allowed`: no allow entry could accept any address of this name; nothing was looked up.
 * - `host-blocked`: a block entry names the host, whatever its address; nothing was looked up.
 * - `port-not-allowed`: the allow entries that would match ask for another port.
 * - `port-blocked`: a block entry names the port, whatever the address.
 * - `path-not-allowed`: a Unix socket or named pipe that no allow entry names.
 * - `path-blocked`: a Unix socket or named pipe that a block entry names.
 * - `not-an-address`: the resolver answered something that is not an address.
 * - `zone`: the address has a zone (`fe80::1%eth0`), which is in no prefix.
 * - `mixed-answer`: with `answers: 'all'`, another address of the same answer was denied.
 * - `proxied-name`: a request for a proxy names its target, so nobody here can judge its address.
 * - `not-judged`: the socket connected to an address that was never judged.
 */
export type Reason =
  | 'no-rules'
  | 'not-allowed'
  | 'blocked'
  | 'carried-address-blocked'
  | 'carried-address-not-allowed'
  | 'loopback-blocked'
  | 'host-not-allowed'
  | 'host-blocked'
  | 'port-not-allowed'
  | 'port-blocked'
  | 'path-not-allowed'
  | 'path-blocked'
  | 'not-an-address'
  | 'zone'
  | 'mixed-answer'
  | 'proxied-name'
  | 'not-judged';

/** What an address was found to be: allowed by an entry. */
export interface Allowed {
  readonly allowed: true;
  /** The canonical text of the address, the form that is dialled; absent for a name. */
  readonly address: string | undefined;
  readonly reason: undefined;
  /** The allow entry that matched, as it was written. */
  readonly entry: string | undefined;
  readonly carried: undefined;
}

/** A negative verdict and why. */
export interface Denial {
  readonly allowed: false;
  /**
   * The address that was judged, canonical where it is one; absent for a name or no rules. With the
   * reasons `not-an-address` and `zone` it has what somebody else wrote, of that the first 256 UTF-16 units.
   */
  readonly address: string | undefined;
  readonly reason: Reason;
  /** The block entry that matched, as it was written; absent when no entry decided. */
  readonly entry: string | undefined;
  /** The IPv4 address inside `address` that decided, when one did. */
  readonly carried: string | undefined;
}

/** The outcome of judging one target. */
export type Verdict = Allowed | Denial;

/** What is known of a target besides its address: an object's own properties, not those that it inherits. */
export interface TargetFacts {
  /**
   * What was asked for: a name, or an address literal, which matches no entry with a host. Absent
   * means not known, which fails closed: allow entries with a host do not match, block entries do.
   */
  readonly host?: string | undefined;
  /** 0 to 65535; absent means not known, as for `host`. */
  readonly port?: number | undefined;
}

export function allowed(address: string | undefined, entry: string | undefined): Allowed {
  return Object.freeze({ allowed: true, address, reason: undefined, entry, carried: undefined });
}

/** As much of text that is no plain address as a denial keeps: it can be megabytes of somebody's input. */
export function cut(text: string): string {
  return text.slice(0, 256);
}

export function denied(
  address: string | undefined,
  reason: Reason,
  entry?: string,
  carried?: string,
): Denial {
  return Object.freeze({ allowed: false, address, reason, entry, carried });
}

/** All reasons, as keys: what they have as values counts for nothing. */
const REASONS: Readonly<Record<Reason, null>> = {
  'no-rules': null,
  'not-allowed': null,
  blocked: null,
  'carried-address-blocked': null,
  'carried-address-not-allowed': null,
  'loopback-blocked': null,
  'host-not-allowed': null,
  'host-blocked': null,
  'port-not-allowed': null,
  'port-blocked': null,
  'path-not-allowed': null,
  'path-blocked': null,
  'not-an-address': null,
  zone: null,
  'mixed-answer': null,
  'proxied-name': null,
  'not-judged': null,
};

/** Whether a value is a denial, as far as its text is made of it. */
export function isDenial(value: unknown): value is Denial {
  if (!isRecord(value)) return false;
  const { allowed, reason, address, entry, carried } = value;
  const texts = [address, entry, carried].every((text) => text === undefined || typeof text === 'string');
  return texts && allowed === false && typeof reason === 'string' && Object.hasOwn(REASONS, reason);
}

/** The denial as a clause of a sentence: `10.0.0.1 is blocked by 10.0.0.0/8`. */
export function explainDenial(denial: Denial): string {
  // What no address was made of is somebody's text.
  const address = plainly(denial.address ?? 'it');
  switch (denial.reason) {
    case 'no-rules':
      return 'no rules are in effect';
    case 'not-allowed':
      return `${address} is not allowed by any entry`;
    case 'blocked':
      return `${address} is blocked by ${denial.entry}`;
    case 'carried-address-blocked':
      return `${address} carries ${denial.carried}, which is blocked by ${denial.entry}`;
    case 'carried-address-not-allowed':
      return `${address} carries ${denial.carried}, which is not allowed by any entry`;
    case 'loopback-blocked':
      return `${address} reaches the local host, which is blocked by ${denial.entry}`;
    case 'host-not-allowed':
      return 'no entry allows this host';
    case 'host-blocked':
      return `the host is blocked by ${denial.entry}`;
    case 'port-not-allowed':
      return denial.address === undefined
        ? 'no entry allows this host on this port'
        : `${address} is allowed on other ports only`;
    case 'port-blocked':
      return `the port is blocked by ${denial.entry}`;
    case 'path-not-allowed':
      return 'no entry allows this path';
    case 'path-blocked':
      return `the path is blocked by ${denial.entry}`;
    case 'not-an-address':
      return `the resolver answered ${address}, which is not an address`;
    case 'zone':
      return `${address} has a zone, and no prefix contains a zone`;
    case 'mixed-answer':
      return `${address} came with a denied address, and all answers must be allowed`;
    case 'proxied-name':
      return 'a proxy would resolve this name, so its address cannot be judged here';
    case 'not-judged':
      return `the socket is connected to ${address}, which was not judged`;
  }
  throw new Error(`netjail: unreachable reason ${String(denial.reason satisfies never)}`);
}
