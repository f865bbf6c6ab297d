import { Address } from './address.ts';
import { misuse } from './errors.ts';
import { hostText, readHostPattern, type HostPattern } from './host.ts';
import { isRecord, printable, readOnce, show } from './internal/assert.ts';
import { parseJson } from './policy-json.ts';
import { portsAsInput, readPorts, type PortInput, type Ports } from './ports.ts';
import { Prefix } from './prefix.ts';
import { isRangeName, ranges, type RangeName } from './ranges.ts';

/**
 * An entry that says more than a prefix: it matches when all fields that are given match. At least
 * one is given, and `path` stands alone.
 *
 * What is not known fails closed both ways: where the host or the port of a target is not told, an
 * allow entry that asks for it does not match, and a block entry does.
 */
export interface EntryFields {
  /** CIDR text, a bare address, the name of a range, or a value; omitted: every address. */
  readonly prefix?: string | Prefix | Address;
  /**
   * An exact name (`'api.example.com'`), or `'*.example.com'`: all names below it at any depth, not
   * `example.com` itself. Compared in canonical form: IDNA, lower case, no trailing dot. An address
   * literal that was asked for has no host and matches no entry with one.
   */
  readonly host?: string;
  /**
   * A port, a range `[from, to]` (both inside), or a list of ports and ranges. **Two numbers are a
   * range**: the two ports 80 and 443 are `[[80, 80], [443, 443]]`.
   */
  readonly port?: PortInput | readonly PortInput[];
  /** A Unix socket or named pipe, compared as exact text. */
  readonly path?: string;
}

/** What an allow or block list takes: text (CIDR, an address, a range), a value, or fields. */
export type EntryInput = string | Prefix | Address | EntryFields;

/** One element of a list, parsed. */
export interface Entry {
  /** As it was written, as one word: what is more than a prefix is JSON without spaces. */
  readonly text: string;
  /** The same for JSON: text, or fields. */
  readonly json: string | EntryFields;
  readonly range: RangeName | undefined;
  /** As written; absent for a range, and where every address is meant. */
  readonly prefix: Prefix | undefined;
  /** The prefix was written as an address alone. */
  readonly bare: boolean;
  readonly host: HostPattern | undefined;
  readonly ports: Ports | undefined;
  readonly path: string | undefined;
}

type Refuse = (reason: string, type?: typeof TypeError) => never;

/** Nobody can mean a longer one: the longest that a system takes is 108 bytes. */
const MAX_PATH = 4096;

/**
 * Reads one entry; `where` names it in errors (`allow[2]`).
 *
 * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_ENTRY`
 */
export function parseEntry(input: unknown, where: string): Entry {
  if (typeof input === 'string' && input.startsWith('{')) return parseFields(readJson(input, where), where);
  if (isRecord(input) && !(input instanceof Prefix) && !(input instanceof Address)) {
    return parseFields(readOnce(input), where);
  }
  const read = readPrefix(input, where, 'an entry is a prefix, an address, the name of a range or an object');
  return Object.freeze({ ...read, json: read.text, host: undefined, ports: undefined, path: undefined });
}

function readJson(text: string, where: string): Record<PropertyKey, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusal(text, where)('it is not JSON');
  }
  try {
    // Of a key that stands twice, the first one would be lost.
    parseJson(text);
  } catch (error) {
    return refusal(text, where)((error as Error).message);
  }
  return readOnce(value as object);
}

function parseFields(fields: Record<PropertyKey, unknown>, where: string): Entry {
  for (const key of Reflect.ownKeys(fields)) {
    if (key !== 'prefix' && key !== 'host' && key !== 'port' && key !== 'path') {
      const reason = `there is no field ${show(String(key))}, only prefix, host, port and path`;
      refusal(fields, where, key)(reason);
    }
    // Not "omitted": with one field less the entry would match more.
    if (fields[key] === undefined)
      refusal(undefined, `${where}.${String(key)}`)('a field is given or left out');
  }
  const given = (name: string): boolean => Object.hasOwn(fields, name);
  if (given('path')) {
    if (given('prefix') || given('host') || given('port')) {
      refusal(fields, where)('a path has no prefix, host or port');
    }
    const path = readPath(fields['path'], refusal(fields['path'], `${where}.path`));
    return entryOf(undefined, undefined, undefined, path);
  }
  const prefix = given('prefix') ? readPrefix(fields['prefix'], `${where}.prefix`) : undefined;
  const host = given('host') ? readHost(fields['host'], refusal(fields['host'], `${where}.host`)) : undefined;
  const ports = given('port') ? readPorts(fields['port']) : undefined;
  if (typeof ports === 'string') return refusal(fields['port'], `${where}.port`)(ports, TypeError);
  if (prefix === undefined && host === undefined && ports === undefined) {
    refusal(fields, where)('it has no field, and would match everything');
  }
  return entryOf(prefix, host, ports, undefined);
}

function entryOf(
  written: ReadPrefix | undefined,
  host: HostPattern | undefined,
  ports: Ports | undefined,
  path: string | undefined,
): Entry {
  const json: EntryFields = Object.freeze({
    ...(written === undefined ? {} : { prefix: written.text }),
    ...(host === undefined ? {} : { host: hostText(host) }),
    ...(ports === undefined ? {} : { port: portsAsInput(ports) }),
    ...(path === undefined ? {} : { path }),
  });
  const plain = written !== undefined && host === undefined && ports === undefined;
  return Object.freeze({
    text: plain ? written.text : printable(JSON.stringify(json)).replaceAll(' ', String.raw`\u0020`),
    json: plain ? written.text : json,
    range: written?.range,
    prefix: written?.prefix,
    bare: written?.bare ?? false,
    host,
    ports,
    path,
  });
}

function readHost(value: unknown, refuse: Refuse): HostPattern {
  if (typeof value !== 'string') return refuse('a host is a string', TypeError);
  const pattern = readHostPattern(value);
  return typeof pattern === 'string' ? refuse(pattern) : pattern;
}

function readPath(value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string') return refuse('a path is a string', TypeError);
  if (value === '') return refuse('it is empty');
  if (value.length > MAX_PATH) return refuse(`it is longer than ${MAX_PATH} characters`);
  // Linux's abstract sockets begin with one; elsewhere the system would cut the path there.
  if (value.includes('\0', 1)) return refuse('it has a NUL in it');
  return value;
}

interface ReadPrefix {
  readonly text: string;
  readonly range: RangeName | undefined;
  readonly prefix: Prefix | undefined;
  readonly bare: boolean;
}

function readPrefix(
  input: unknown,
  where: string,
  expected = 'it is a prefix, an address or the name of a range',
): ReadPrefix {
  if (typeof input === 'string' && isRangeName(input)) {
    return { text: input, range: input, prefix: undefined, bare: false };
  }
  try {
    if (input instanceof Prefix) return writtenAs(input, false);
    if (input instanceof Address) return writtenAs(Prefix.of(input), true);
    if (typeof input === 'string') {
      return input.includes('/')
        ? writtenAs(Prefix.parse(input), false)
        : writtenAs(Prefix.of(Address.parse(input)), true);
    }
  } catch (error) {
    const text = String(input);
    const { message } = error as Error;
    // The text before it is quoted, and may have a colon as well.
    const reason = message.slice(message.lastIndexOf(': ') + 2);
    return refusal(text, where)(`${reason}${hintFor(text)}`);
  }
  return refusal(input, where)(expected, TypeError);
}

/** What may have been meant. */
function hintFor(text: string): string {
  if (!/[./:]/.test(text)) return `, nor a range (${Object.keys(ranges).join(', ')})`;
  // A name, whose last part no address has.
  const isName = /\.\p{L}[\p{L}\p{M}\p{N}-]*\.?$/u.test(text) && typeof readHostPattern(text) === 'object';
  return isName ? `; a name is written as { host: ${JSON.stringify(text)} }` : '';
}

/** Go's text of it: a bare address stays bare. */
function writtenAs(prefix: Prefix, bare: boolean): ReadPrefix {
  return { text: bare ? prefix.address.toString() : prefix.toString(), range: undefined, prefix, bare };
}

function refusal(input: unknown, where: string, unknown?: PropertyKey): Refuse {
  return (reason, type: typeof TypeError | typeof SyntaxError = SyntaxError) => {
    const kind = typeof input === 'string' ? type : TypeError;
    const message = `Cannot use ${show(input)} as ${where}: ${reason}`;
    const error = misuse(kind, 'ERR_NETJAIL_INVALID_ENTRY', message);
    faults.set(error, { where, reason, unknown });
    throw error;
  };
}

/** Where an entry is wrong (`allow[2].port`), and why. */
export interface EntryFault {
  readonly where: string;
  readonly reason: string;
  /** The field that there is not, where that is the reason. */
  readonly unknown: PropertyKey | undefined;
}

const faults = new WeakMap<Error, EntryFault>();

/** What an error of {@link parseEntry} says, for who knows the entry by another name. */
export function faultOf(error: Error): EntryFault | undefined {
  return faults.get(error);
}
