// What keeps an HTML parser from being kept busy: no network here.

/**
 * Elements in each other, more than any page for people has. A parser looks for each end tag among all that
 * are open: a page of nothing but tags, a kilobyte when it is packed, would take many seconds.
 */
export const DEEPEST = 1000;

const PART = 4096;

/**
 * A text in parts, so that one can stop between two.
 *
 * @param {string} text
 */
export function* partsOf(text) {
  for (let at = 0; at < text.length; at += PART) yield text.slice(at, at + PART);
}
