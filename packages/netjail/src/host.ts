import { domainToASCII } from 'node:url';
import { Address } from './address.ts';

/** Which names an entry is about: one, or all names below it. */
export interface HostPattern {
  /** Canonical: ASCII, lower case, no trailing dot. */
  readonly name: string;
  /** `*.name`: names below it, at any depth, and not the name itself. */
  readonly below: boolean;
}

const CANONICAL = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const READABLE = /^(?:[A-Za-z0-9_.-]|[^\0-\x7f])+$/;
const MAX_LENGTH = 253;

/**
 * The canonical form of a name (ASCII, lower case, without one trailing dot; IDNA as in URLs), or
 * `undefined` for text that is not a name. Text that some reader takes for an address (`127.1`,
 * `0x7f000001`) is not a name.
 */
export function canonicalHost(text: string): string | undefined {
  let name = text;
  if (name.length > 4 * MAX_LENGTH || !READABLE.test(name)) return undefined;
  if (/[A-Z]|[^\0-\x7f]|xn--/.test(name)) name = domainToASCII(name);
  if (name.endsWith('.')) name = name.slice(0, -1);
  if (name.length > MAX_LENGTH || !CANONICAL.test(name)) return undefined;
  // As in URLs: a name whose last label is a number is read as an IPv4 address.
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name) ? undefined : name;
}

/** Reads an exact name or `*.name`: the pattern, or why it is none. */
export function readHostPattern(text: string): HostPattern | string {
  const below = text.startsWith('*.');
  const rest = below ? text.slice(2) : text;
  if (rest.includes('*')) return 'only "*." at its beginning stands for other names';
  if (Address.tryParse(rest.replace(/^\[|\]$/g, '')) !== undefined) {
    return 'it is an address, and an address has no host: use prefix';
  }
  const name = canonicalHost(rest);
  return name === undefined ? 'it is not a host name, nor "*." and one' : { name, below };
}

export function hostText({ name, below }: HostPattern): string {
  return below ? `*.${name}` : name;
}
