// Reads title, description and image from the beginning of an HTML page. No network here.
import { Parser } from 'htmlparser2';
import { DEEPEST, partsOf } from '../lib/html.js';

const LONGEST = 300;

/**
 * @param {Uint8Array} bytes as much of the page as was read
 * @param {string} contentType
 * @param {string} url of the page, for relative links in it
 */
export function readPage(bytes, contentType, url) {
  const found = new Map();
  let title;
  let isOver = false;
  let depth = 0;
  const note = (name, text) => {
    const key = name?.toLowerCase();
    if (key !== undefined && text !== undefined && !found.has(key)) found.set(key, text);
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'body' || ++depth > DEEPEST) isOver = true;
      if (isOver) return;
      if (name === 'title' && !found.has('title')) title = '';
      if (name === 'meta') note(attributes.property ?? attributes.name, attributes.content);
    },
    ontext(text) {
      if (title !== undefined) title += text;
    },
    onclosetag(name) {
      depth--;
      if (name !== 'title' || title === undefined) return;
      note('title', title);
      title = undefined;
    },
  });
  for (const part of partsOf(decode(bytes, contentType))) {
    if (isOver) break;
    parser.write(part);
  }
  if (!isOver) parser.end();

  const first = (...names) => shorten(names.map((name) => found.get(name)).find((text) => text?.trim()));
  return {
    title: first('og:title', 'twitter:title', 'title'),
    description: first('og:description', 'twitter:description', 'description'),
    site: first('og:site_name'),
    image: webUrl(found.get('og:image') ?? found.get('og:image:url') ?? found.get('twitter:image'), url),
  };
}

function decode(bytes, contentType) {
  const beginning = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const charset = /charset=["']?([\w-]+)/i;
  const label = charset.exec(contentType)?.[1] ?? charset.exec(beginning)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function shorten(text) {
  const line = text?.replace(/\s+/g, ' ').trim();
  return line !== undefined && line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** The absolute form of an http: or https: URL; `undefined` for any other (`javascript:`, `data:`, ...). */
function webUrl(text, base) {
  if (text === undefined || !URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  return /^https?:$/.test(url.protocol) ? url.href : undefined;
}
