/** Longer text than this is cut in messages: a host can be megabytes of somebody's input. */
const MAX_QUOTED = 200;

/** What a terminal or a log may act on and JSON leaves as it is: the other controls, line ends, marks that turn text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text in double quotes on one line, what is not printed escaped, long text cut. */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTED;
  const quoted = printable(JSON.stringify(cut ? text.slice(0, MAX_QUOTED) : text));
  return cut ? `${quoted} (${text.length} characters)` : quoted;
}

/** JSON with what is not printed escaped: the same value on one line. */
export function printable(json: string): string {
  return json.replace(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** An address, a name or a field: as it is where it looks like one, quoted where it is anything else. */
export function plainly(text: string): string {
  return text.length <= MAX_QUOTED && /^[\w.:%/\\[\]*@-]+$/.test(text) ? text : quote(text);
}

/** Any value as it may stand in a message: never calls code of the value's own. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return 'a bigint';
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    default:
      return 'an object';
  }
}

/** True for an object that may hold options: no array, no function, no null. */
export function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The object's own properties, each read once, on an object without a prototype.
 *
 * Read once, because a getter may answer differently the second time; without a prototype,
 * because a polluted `Object.prototype` must not become an option.
 */
export function readOnce(options: object): Record<PropertyKey, unknown> {
  return { __proto__: null, ...options } as unknown as Record<PropertyKey, unknown>;
}
