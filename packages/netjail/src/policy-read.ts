import { faultOf } from './entry.ts';
import { misuse, type CodedError } from './errors.ts';
import { isRecord, plainly, quote, readOnce } from './internal/assert.ts';
import { JsonError, MAX_DEPTH, parseJson, placeOf, type JsonNode, type JsonProperty } from './policy-json.ts';

/** What a rule set is made of: as in `new Rules(init)`. */
export interface PolicyLists {
  readonly allow: readonly unknown[];
  readonly block: readonly unknown[];
}

/** Facts of an error in a policy, besides its message and code. */
export interface PolicyErrorFacts {
  /** The file, where there is one. */
  readonly source: string | undefined;
  /** 1-based; absent when the policy was not given as text. */
  readonly line: number | undefined;
  /** 1-based, in UTF-16 units; absent when the policy was not given as text. */
  readonly column: number | undefined;
  /** The field that is wrong: `allow[2].port`; empty for the whole. */
  readonly field: string;
}

/** Longer text than this is no policy but a mistake, or an attack on memory. */
export const MAX_POLICY_LENGTH: number = 64 * 1024 * 1024;

/** Lists refer to lists at most this deep. */
const MAX_LIST_DEPTH = 32;
/** Longer paths of a field are cut in errors. */
const MAX_FIELD = 200;
const LIST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
const KEYS = ['$schema', 'lists', 'allow', 'block'];

/**
 * Reads a policy (JSON text, or the value that it stands for) and makes rules of it.
 *
 * It knows the shape of a policy and nothing of entries: `create` reads those (`new Rules`), and
 * what it throws is told with the line and the field of the entry.
 */
export function readPolicy<R>(
  json: unknown,
  source: string | undefined,
  create: (lists: PolicyLists) => R,
): R {
  // A byte order mark, as in a file.
  const text = typeof json === 'string' ? json.replace(/^\uFEFF/, '') : undefined;
  return new PolicyReader(text, source).read(json, create);
}

/** An entry and where it was written. */
interface Written {
  readonly field: string;
  readonly node: JsonNode;
}

class PolicyReader {
  readonly #text: string | undefined;
  readonly #source: string | undefined;
  #lists: ReadonlyMap<string, JsonProperty> = new Map();
  readonly #used = new Set<string>();

  constructor(text: string | undefined, source: string | undefined) {
    this.#text = text;
    this.#source = source;
  }

  read<R>(json: unknown, create: (lists: PolicyLists) => R): R {
    const root = this.#parse(json);
    if (root.kind !== 'object') throw this.#error(TypeError, root, '', 'a policy is an object');
    for (const [key, { at }] of root.properties) {
      if (!KEYS.includes(key)) {
        const reason = `there is no field ${quote(key)}, only ${KEYS.join(', ')}`;
        throw this.#error(TypeError, { at }, key, reason);
      }
    }
    const schema = root.properties.get('$schema')?.value;
    if (schema !== undefined && schema.kind !== 'string') {
      throw this.#error(TypeError, schema, '$schema', 'it is the address of a schema');
    }
    this.#lists = this.#readLists(root.properties.get('lists')?.value);
    const allow = root.properties.get('allow')?.value;
    if (allow === undefined) {
      throw this.#error(TypeError, root, 'allow', 'it is missing; "allow": [] denies everything');
    }
    const block = root.properties.get('block')?.value;
    const allowed = this.#collect(allow, 'allow');
    const blocked = block === undefined ? [] : this.#collect(block, 'block');
    this.#checkUsed();
    try {
      return create(listsOf(allowed, blocked));
    } catch (error) {
      throw this.#entryError(error, allowed, blocked, create);
    }
  }

  /** What only an unused list refers to is not used either: the first one is told that nothing refers to. */
  #checkUsed(): void {
    const unused = [...this.#lists].filter(([name]) => !this.#used.has(name));
    const named = new Set(
      unused.flatMap(([, { value }]) => (value.kind === 'array' ? value.items.map(nameIn) : [])),
    );
    const first = unused.find(([name]) => !named.has(name)) ?? unused[0];
    if (first === undefined) return;
    const [name, { at }] = first;
    throw this.#error(TypeError, { at }, `lists.${name}`, 'nothing refers to this list');
  }

  #parse(json: unknown): JsonNode {
    if (this.#text === undefined) return this.#fromValue(json, '', 0);
    if (this.#text.length > MAX_POLICY_LENGTH) {
      throw this.#error(SyntaxError, undefined, '', `it is longer than ${MAX_POLICY_LENGTH} characters`);
    }
    try {
      return parseJson(this.#text);
    } catch (error) {
      if (error instanceof JsonError) throw this.#error(SyntaxError, error, '', error.message);
      throw error;
    }
  }

  /** The tree of a value that was parsed already, each property read once. */
  #fromValue(value: unknown, field: string, depth: number): JsonNode {
    const at = 0; // there is no text to show a place in
    if (typeof value === 'string') return { at, kind: 'string', value };
    if (depth > MAX_DEPTH) {
      throw this.#error(TypeError, undefined, field, `values nest deeper than ${MAX_DEPTH} levels`);
    }
    if (Array.isArray(value)) {
      const items = Array.from(value, (item: unknown, index) =>
        this.#fromValue(item, `${field}[${index}]`, depth + 1),
      );
      return { at, kind: 'array', items };
    }
    if (!isRecord(value)) return { at, kind: 'other', value };
    const properties = new Map<string, JsonProperty>();
    const own = readOnce(value);
    for (const key of Reflect.ownKeys(own)) {
      if (typeof key === 'symbol') throw this.#error(TypeError, undefined, field, 'a policy has no symbols');
      // A field that is left out; not one of an entry, which would match more without it.
      if (own[key] === undefined && depth === 0) continue;
      properties.set(key, { at, value: this.#fromValue(own[key], join(field, key), depth + 1) });
    }
    return { at, kind: 'object', properties };
  }

  #readLists(lists: JsonNode | undefined): ReadonlyMap<string, JsonProperty> {
    if (lists === undefined) return new Map();
    if (lists.kind !== 'object') throw this.#error(TypeError, lists, 'lists', 'it is an object of lists');
    for (const [name, { at }] of lists.properties) {
      if (!LIST_NAME.test(name)) {
        const reason = `a name is letters, digits, ".", "_" and "-", at most 64, not ${quote(name)}`;
        throw this.#error(TypeError, { at }, 'lists', reason);
      }
    }
    return lists.properties;
  }

  /** The entries of a list with those of the lists that it refers to, each list once. */
  #collect(list: JsonNode, field: string): Written[] {
    const entries: Written[] = [];
    const done = new Set<string>();
    const visit = (node: JsonNode, at: string, path: readonly string[]): void => {
      if (node.kind !== 'array') throw this.#error(TypeError, node, at, 'it is an array of entries');
      for (const [index, item] of node.items.entries()) {
        const here = `${at}[${index}]`;
        const name = nameIn(item);
        if (name === undefined) {
          if (item.kind === 'string' && item.value.startsWith('{')) {
            throw this.#error(SyntaxError, item, here, 'an entry with fields is an object here, not text');
          }
          entries.push({ field: here, node: item });
          continue;
        }
        const target = this.#lists.get(name);
        if (target === undefined) {
          throw this.#error(TypeError, item, here, `there is no list ${quote(name)} in "lists"`);
        }
        if (path.includes(name)) {
          const circle = [...path.slice(path.indexOf(name)), name].join(' > ');
          throw this.#error(TypeError, item, here, `the list ${quote(name)} refers to itself: ${circle}`);
        }
        if (path.length === MAX_LIST_DEPTH) {
          throw this.#error(TypeError, item, here, `lists nest deeper than ${MAX_LIST_DEPTH} levels`);
        }
        this.#used.add(name);
        if (done.has(name)) continue;
        visit(target.value, `lists.${name}`, [...path, name]);
        done.add(name);
      }
    };
    visit(list, field, []);
    return entries;
  }

  /** Finds the entry that `create` refuses, and tells where it stands and what is wrong with it. */
  #entryError(
    error: unknown,
    allow: readonly Written[],
    block: readonly Written[],
    create: (lists: PolicyLists) => unknown,
  ): unknown {
    const refused = (entries: readonly Written[], inAllow: boolean): unknown => {
      try {
        create(inAllow ? listsOf(entries, []) : listsOf([], entries));
        return undefined;
      } catch (cause) {
        return cause;
      }
    };
    for (const [entries, inAllow] of [
      [allow, true],
      [block, false],
    ] as const) {
      let low = 0;
      let high = entries.length;
      if (refused(entries, inAllow) === undefined) continue;
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        if (refused(entries.slice(low, middle), inAllow) === undefined) low = middle;
        else high = middle;
      }
      const written = entries[low];
      if (written === undefined) break;
      const cause = refused([written], inAllow);
      // Alone it is taken: there are too many.
      return cause === undefined ? error : this.#told(written, cause);
    }
    return error;
  }

  #told(written: Written, cause: unknown): unknown {
    if (!(cause instanceof Error)) return cause;
    const type = cause instanceof SyntaxError ? SyntaxError : TypeError;
    // The engine knows the entry as allow[0] or block[0], and the field in it: allow[0].port.
    const fault = faultOf(cause);
    const inner = fault?.where.slice(fault.where.indexOf(']') + 1) ?? '';
    const reason = fault?.reason ?? cause.message;
    const value = written.node.kind === 'string' ? `${quote(written.node.value)}: ` : '';
    const place = placeIn(written.node, fault?.unknown, inner.slice(1));
    const error = this.#error(type, place, `${written.field}${inner}`, `${value}${reason}`);
    return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  }

  #error<E extends Error>(
    type: new (message: string) => E,
    where: { readonly at: number } | undefined,
    path: string,
    reason: string,
  ): CodedError<E> & PolicyErrorFacts {
    // A key can be megabytes of somebody's input.
    const field = path.length > MAX_FIELD ? `${path.slice(0, MAX_FIELD)}...` : path;
    const place = this.#text === undefined || where === undefined ? undefined : placeOf(this.#text, where.at);
    const name = this.#source === undefined ? 'the policy' : `policy ${quote(this.#source)}`;
    const parts = [
      ...(place === undefined ? [] : [`line ${place.line} column ${place.column}`]),
      ...(path === '' ? [] : [plainly(path)]),
    ];
    const message = `Cannot read ${name}: ${[parts.join(', '), reason].filter((part) => part !== '').join(': ')}`;
    const error = misuse(type, 'ERR_NETJAIL_INVALID_POLICY', message);
    const facts: PolicyErrorFacts = { source: this.#source, line: place?.line, column: place?.column, field };
    return Object.assign(error, facts);
  }
}

/** The list that an item stands for. */
function nameIn(item: JsonNode): string | undefined {
  return item.kind === 'string' && item.value.startsWith('@') ? item.value.slice(1) : undefined;
}

/** Where an entry is wrong: at a field that it must not have, at the value of a field, or as a whole. */
function placeIn(node: JsonNode, unknown: PropertyKey | undefined, field: string): { readonly at: number } {
  if (node.kind !== 'object') return node;
  const { properties } = node;
  const wrong = unknown === undefined ? properties.get(field)?.value : properties.get(String(unknown));
  return wrong ?? node;
}

function listsOf(allow: readonly Written[], block: readonly Written[]): PolicyLists {
  return { allow: allow.map(({ node }) => plain(node)), block: block.map(({ node }) => plain(node)) };
}

/** The value that a node stands for, on objects without a prototype: `__proto__` is a key like any. */
function plain(node: JsonNode): unknown {
  if (node.kind === 'array') return node.items.map(plain);
  if (node.kind !== 'object') return node.value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, { value }] of node.properties) object[key] = plain(value);
  return object;
}

function join(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`;
}
