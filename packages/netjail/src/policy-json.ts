import { quote } from './internal/assert.ts';

/** A value of a JSON text with the offset at which it begins; made of a value, the offset is 0. */
export type JsonNode = { readonly at: number } & (
  | { readonly kind: 'object'; readonly properties: ReadonlyMap<string, JsonProperty> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'other'; readonly value: unknown }
);

export interface JsonProperty {
  /** Where the key begins. */
  readonly at: number;
  readonly value: JsonNode;
}

/** What is wrong with a JSON text, and where. */
export class JsonError extends Error {
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

/** Deeper nesting than any policy needs is refused before it can exhaust the stack. */
export const MAX_DEPTH = 16;

/**
 * Reads JSON with comments (line and block ones) and a trailing comma in objects and arrays.
 *
 * Stricter than `JSON.parse` in one thing: a key may stand in an object once only, since readers
 * disagree on which of two counts.
 *
 * @throws {JsonError}
 */
export function parseJson(text: string): JsonNode {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.skip();
  if (reader.at < text.length) reader.fail('there is more text behind the value');
  return value;
}

/** 1-based line and column (in UTF-16 units) of an offset. */
export function placeOf(text: string, at: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let i = 0; i < at; i++) {
    const c = text.charCodeAt(i);
    // A line ends with LF, CR or both.
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) {
      line++;
      start = i + 1;
    }
  }
  return { line, column: at - start + 1 };
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z]+/y;
const SPACE = /[ \t\r\n]+/y;
/** A comment to the end of its line: a CR alone ends one, as for whoever counts lines. */
const LINE = /[^\r\n]*/y;
/** Text of a string up to its end or an escape; a control character is neither. */
// eslint-disable-next-line no-control-regex -- JSON refuses exactly these
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  fail(reason: string, at = this.at): never {
    throw new JsonError(at, reason);
  }

  value(depth: number): JsonNode {
    this.skip();
    const { at } = this;
    switch (this.#text[at]) {
      case undefined:
        return this.fail('the text ends where a value should begin');
      case '{':
        return { at, kind: 'object', properties: this.#object(depth) };
      case '[':
        return { at, kind: 'array', items: this.#array(depth) };
      case '"':
        return { at, kind: 'string', value: this.#string() };
      default:
        return { at, kind: 'other', value: this.#scalar() };
    }
  }

  /** Passes over white space and comments. */
  skip(): void {
    for (;;) {
      this.#take(SPACE);
      if (this.#text[this.at] !== '/') return;
      const next = this.#text[this.at + 1];
      if (next !== '/' && next !== '*') this.fail('a comment begins with "//" or "/*"');
      if (next === '/') {
        this.#take(LINE);
        continue;
      }
      const end = this.#text.indexOf('*/', this.at + 2);
      if (end === -1) this.fail('the comment does not end');
      this.at = end + 2;
    }
  }

  #object(depth: number): ReadonlyMap<string, JsonProperty> {
    const properties = new Map<string, JsonProperty>();
    this.#list('}', depth, () => {
      const { at } = this;
      if (this.#text[at] !== '"') this.fail('a key is a string in double quotes');
      const key = this.#string();
      if (properties.has(key)) this.fail(`the key ${quote(key)} stands here twice`, at);
      this.skip();
      if (this.#text[this.at] !== ':') this.fail('a ":" is missing behind the key');
      this.at++;
      properties.set(key, { at, value: this.value(depth + 1) });
    });
    return properties;
  }

  #array(depth: number): readonly JsonNode[] {
    const items: JsonNode[] = [];
    this.#list(']', depth, () => items.push(this.value(depth + 1)));
    return items;
  }

  /** Elements between brackets, with commas between them and one behind the last if you like. */
  #list(close: string, depth: number, element: () => void): void {
    if (depth === MAX_DEPTH) this.fail(`values nest deeper than ${MAX_DEPTH} levels`);
    const open = this.at++;
    this.skip();
    while (this.#text[this.at] !== close) {
      if (this.at === this.#text.length) this.fail(`the ${quote(this.#text[open]!)} is not closed`, open);
      element();
      this.skip();
      if (this.#text[this.at] === ',') {
        this.at++;
        this.skip();
      } else if (this.#text[this.at] !== close && this.at < this.#text.length) {
        this.fail(`a "," or ${quote(close)} is missing`);
      }
    }
    this.at++;
  }

  #string(): string {
    const open = this.at++;
    let value = this.#take(PLAIN);
    for (;;) {
      const c = this.#text[this.at];
      if (c === '"') break;
      if (c === undefined) this.fail('the string is not closed', open);
      if (c !== '\\') this.fail('a string holds no control characters: escape them');
      value += this.#escape();
      value += this.#take(PLAIN);
    }
    this.at++;
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.at + 1] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('four hexadecimal digits follow "\\u"');
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = ESCAPES.get(letter);
    if (escaped === undefined) return this.fail('there is no such escape in JSON');
    this.at += 2;
    return escaped;
  }

  #scalar(): unknown {
    const { at } = this;
    const digits = this.#take(NUMBER);
    if (digits !== '') {
      if (/[0-9A-Za-z.+-]/.test(this.#text[this.at] ?? '')) this.fail('that is no number in JSON', at);
      return Number(digits);
    }
    const word = this.#take(WORD);
    if (WORDS.has(word)) return WORDS.get(word);
    return this.fail(word === '' ? 'no value begins like this' : `${quote(word)} is no value in JSON`, at);
  }

  /** What the sticky pattern matches here, passed over; empty text when it does not. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}
