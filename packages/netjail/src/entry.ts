import { Address } from './address.ts';
import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';
import { Prefix } from './prefix.ts';
import { isRangeName, ranges, type RangeName } from './ranges.ts';

/** What an allow or block list takes: CIDR text, a bare address, the name of a range, or a value. */
export type EntryInput = string | Prefix | Address;

/** One element of a list, parsed. */
export interface Entry {
  /** As it was written. */
  readonly text: string;
  /** The same for every way of writing the same entry: unmapped, host bits masked off. */
  readonly canonical: string;
  readonly range: RangeName | undefined;
  /** Unmapped and masked. */
  readonly prefixes: readonly Prefix[];
}

const rangePrefixes = new Map<RangeName, readonly Prefix[]>();

function prefixesOf(range: RangeName): readonly Prefix[] {
  let prefixes = rangePrefixes.get(range);
  if (prefixes === undefined) {
    prefixes = ranges[range].map((text) => Prefix.parse(text));
    rangePrefixes.set(range, prefixes);
  }
  return prefixes;
}

/**
 * Reads one entry; `where` names it in errors (`allow[2]`).
 *
 * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_ENTRY`
 */
export function parseEntry(input: unknown, where: string): Entry {
  if (typeof input === 'string' && isRangeName(input)) {
    return Object.freeze({ text: input, canonical: input, range: input, prefixes: prefixesOf(input) });
  }
  const { text, prefix } = readPrefix(input, where);
  const masked = prefix.unmap().masked();
  return Object.freeze({
    text,
    canonical: masked.toString(),
    range: undefined,
    prefixes: Object.freeze([masked]),
  });
}

function readPrefix(input: unknown, where: string): { text: string; prefix: Prefix } {
  try {
    if (input instanceof Prefix) return { text: input.toString(), prefix: input };
    if (input instanceof Address) return { text: input.toString(), prefix: Prefix.of(input) };
    if (typeof input === 'string') {
      const prefix = input.includes('/') ? Prefix.parse(input) : Prefix.of(Address.parse(input));
      // Go's text of it: a bare address stays bare.
      return { text: input.includes('/') ? prefix.toString() : prefix.address.toString(), prefix };
    }
  } catch (error) {
    const reason = (error as Error).message.replace(/^Cannot .*?: /s, '');
    const hint =
      typeof input === 'string' && !/[./:]/.test(input)
        ? `, nor a range (${Object.keys(ranges).join(', ')})`
        : '';
    throw misuse(
      SyntaxError,
      'ERR_NETJAIL_INVALID_ENTRY',
      `Cannot use ${show(typeof input === 'string' ? input : String(input))} as ${where}: ${reason}${hint}`,
    );
  }
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ENTRY',
    `Cannot use ${show(input)} as ${where}: an entry is a prefix, an address or the name of a range`,
  );
}

/** The first entry that contains an address (unmapped words, the family given). */
export function findEntry(entries: readonly Entry[], address: Address): Entry | undefined {
  return entries.find((entry) => entry.prefixes.some((prefix) => prefix.contains(address)));
}
