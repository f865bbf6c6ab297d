// The text of an HTML page, for readers that do not draw it.
import { Parser } from 'htmlparser2';
import { DEEPEST, partsOf } from '../lib/html.js';

const SKIPPED = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head', 'title']);
const BLOCKS =
  /^(?:address|article|aside|blockquote|br|dd|div|dl|dt|footer|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|tr|ul)$/;

/**
 * The text of a page, up to where it nests too deep.
 *
 * @param {string} html
 */
export function textOf(html) {
  let text = '';
  let skipped = 0;
  let depth = 0;
  const parser = new Parser({
    onopentag(name) {
      depth++;
      if (SKIPPED.has(name)) skipped++;
      if (BLOCKS.test(name)) text += '\n';
    },
    ontext(part) {
      if (skipped === 0) text += part;
    },
    onclosetag(name) {
      depth--;
      if (SKIPPED.has(name)) skipped--;
      if (BLOCKS.test(name)) text += '\n';
    },
  });
  for (const part of partsOf(html)) {
    if (depth > DEEPEST) break;
    parser.write(part);
  }
  if (depth <= DEEPEST) parser.end();
  return text
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
