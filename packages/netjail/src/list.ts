import { Address, isMapped } from './address.ts';
import { parseEntry, type Entry, type EntryFields } from './entry.ts';
import { misuse } from './errors.ts';
import { Group, GroupBuilder, type Found } from './group.ts';
import { canonicalHost, type HostPattern } from './host.ts';
import { merge } from './merge.ts';
import { isPort, type Ports } from './ports.ts';
import { BARE, IPV4, NO_ADDRESS, scanned, scannedLength, scanPrefix } from './scan.ts';
import { BARE4, BARE6, MAPPED4, MAX_ENTRIES } from './columns.ts';
import type { TargetFacts } from './verdict.ts';

/** What is known of a target, in canonical form; `undefined` where it is not known. */
export interface Known {
  /** {@link LITERAL} when an address literal was asked for. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** Stands for a host that is an address: it matches no entry with a host. */
export const LITERAL = '';

/** What cannot be read is not known, and what is not known fails closed. */
export function readFacts(facts: TargetFacts | undefined): Known {
  const host = ownOf(facts, 'host');
  const port = ownOf(facts, 'port');
  return {
    host: typeof host === 'string' ? readHost(host) : undefined,
    port: isPort(port) ? port : undefined,
  };
}

/** Not what a prototype shows: a polluted one would say for everybody which host was asked for. */
function ownOf(facts: TargetFacts | null | undefined, name: keyof TargetFacts): unknown {
  return facts !== undefined && facts !== null && Object.hasOwn(facts, name) ? facts[name] : undefined;
}

function readHost(host: string): string | undefined {
  return Address.tryParse(host.replace(/^\[|\]$/g, '')) === undefined ? canonicalHost(host) : LITERAL;
}

/** The groups of a list whose entries ask for a host or a port. */
export class Conditions {
  readonly all: readonly Group[];
  readonly #exact = new Map<string, Group[]>();
  readonly #below = new Map<string, Group[]>();
  readonly #anyHost: Group[] = [];
  /** All of them, those of the same ports as one: made when the first host is not known. */
  #ofUnknown: readonly Group[] | undefined;

  constructor(groups: readonly Group[]) {
    this.all = groups;
    for (const group of groups) {
      if (group.host === undefined) {
        this.#anyHost.push(group);
        continue;
      }
      const map = group.host.below ? this.#below : this.#exact;
      const known = map.get(group.host.name);
      if (known === undefined) map.set(group.host.name, [group]);
      else known.push(group);
    }
  }

  /** The groups whose host the target has; `unknown`: what to answer where it is not known. */
  ofHost(host: string | undefined, unknown: boolean): readonly Group[] {
    if (host === undefined) return unknown ? (this.#ofUnknown ??= this.#byPorts()) : this.#anyHost;
    if (host === LITERAL || (this.#exact.size === 0 && this.#below.size === 0)) return this.#anyHost;
    const groups = [...this.#anyHost, ...(this.#exact.get(host) ?? [])];
    if (this.#below.size > 0) {
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        groups.push(...(this.#below.get(host.slice(dot + 1)) ?? []));
      }
    }
    return groups;
  }

  /** Not one by one: an address would be looked for in as many groups as there are hosts. */
  #byPorts(): readonly Group[] {
    const byPorts = new Map<string, Group[]>();
    for (const group of this.all) {
      const key = conditionKey(undefined, group.ports);
      const known = byPorts.get(key);
      if (known === undefined) byPorts.set(key, [group]);
      else known.push(group);
    }
    return Array.from(byPorts.values(), (groups) => merge(groups, groups[0]!.ports));
  }

  /** The entries that have a host of this name, by theirs: the same for hosts with the same groups. */
  namesFor(host: string): string {
    const names = this.#exact.has(host) ? [host] : [];
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const name = host.slice(dot + 1);
      if (this.#below.has(name)) names.push(`*.${name}`);
    }
    return names.join(' ');
  }
}

const NO_PATHS: ReadonlyMap<string, Entry> = new Map();
const NO_ENTRIES: ReadonlyMap<number, Entry> = new Map();

/**
 * One list as it was written, compiled.
 *
 * Prefixes and addresses that are no more than that are kept as numbers, in tables; other entries
 * (ranges, hosts, ports, paths) as objects with their position.
 */
export class EntryList {
  readonly length: number;
  /** The entries that ask for an address only. */
  readonly plain: Group;
  /** The others; `undefined` where there are none, so that rules without them pay nothing. */
  readonly conditions: Conditions | undefined;
  /** The entries with a path, by it. */
  readonly paths: ReadonlyMap<string, Entry>;
  /** Ranges and entries with fields, by their position. */
  readonly named: ReadonlyMap<number, Entry>;

  constructor(inputs: readonly unknown[], name: string) {
    const { length } = inputs;
    if (length >= MAX_ENTRIES) throw tooLong(name, length);
    const plain = new GroupBuilder();
    const groups = new Map<string, { builder: GroupBuilder; entry: Entry }>();
    const named = new Map<number, Entry>();
    const paths = new Map<string, Entry>();
    for (let at = 0; at < length; at++) {
      const input = inputs[at];
      if (typeof input === 'string' && addText(plain, input, at, length - at)) continue;
      const entry = parseEntry(input, `${name}[${at}]`);
      const { host, ports, path } = entry;
      let builder = plain;
      if (path !== undefined) {
        named.set(at, entry);
        paths.set(path, entry);
        continue;
      }
      if (host !== undefined || ports !== undefined) {
        const key = conditionKey(host, ports);
        let group = groups.get(key);
        if (group === undefined) groups.set(key, (group = { builder: new GroupBuilder(), entry }));
        ({ builder } = group);
        named.set(at, entry);
      }
      if (entry.range !== undefined) {
        named.set(at, entry);
        builder.addRange(entry.range, at);
      } else if (entry.prefix === undefined) builder.addAny(at);
      else builder.addPrefix(entry.prefix, entry.bare, at);
    }
    this.length = length;
    this.plain = plain.build();
    // A small rule set would be mostly maps.
    this.paths = paths.size === 0 ? NO_PATHS : paths;
    this.named = named.size === 0 ? NO_ENTRIES : named;
    this.conditions =
      groups.size === 0
        ? undefined
        : new Conditions(
            Array.from(groups.values(), ({ builder, entry }) => builder.build(entry.host, entry.ports)),
          );
  }

  /** The entries as written, in order. */
  texts(): string[] {
    const texts = Array.from<string>({ length: this.length });
    this.plain.writeTexts(texts);
    for (const [at, entry] of this.named) texts[at] = entry.text;
    return texts;
  }

  /** The same for JSON. */
  toJSON(): (string | EntryFields)[] {
    const values: (string | EntryFields)[] = this.texts();
    for (const [at, entry] of this.named) values[at] = entry.json;
    return values;
  }

  /** What an entry says besides a prefix: `undefined` where it is one. */
  entryAt(at: number): Entry | undefined {
    return this.named.get(at);
  }

  textOf({ at, text }: Found): string {
    const written = this.named.get(at)?.text ?? text;
    if (written === undefined) throw new Error(`netjail: there is no entry at ${at}`);
    return written;
  }
}

function tooLong(name: string, length: number): RangeError {
  return misuse(
    RangeError,
    'ERR_NETJAIL_INVALID_RULES',
    `Cannot create rules: ${name} has ${length} entries, and a list has fewer than ${MAX_ENTRIES}`,
  );
}

/** Adds an entry that is a prefix or an address in text; `false` where it is not. */
function addText(builder: GroupBuilder, text: string, at: number, hint: number): boolean {
  const family = scanPrefix(text);
  if (family === NO_ADDRESS) return false;
  const bits = scannedLength[0]!;
  if (family === IPV4) {
    builder.add4(scanned[3]!, bits === BARE ? 32 | BARE4 : bits, at, hint);
  } else if ((bits === BARE || bits >= 96) && isMapped(scanned[0]!, scanned[1]!, scanned[2]!)) {
    builder.add4(scanned[3]!, bits === BARE ? 32 | MAPPED4 | BARE4 : (bits - 96) | MAPPED4, at, hint);
  } else {
    const written = bits === BARE ? BARE6 : bits;
    builder.add6(scanned[0]!, scanned[1]!, scanned[2]!, scanned[3]!, written, at, hint);
  }
  return true;
}

/** The same for entries that ask for the same host and port. */
export function conditionKey(host: HostPattern | undefined, ports: Ports | undefined): string {
  return JSON.stringify([host, ports]);
}
