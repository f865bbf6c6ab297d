// The preview of a link that somebody posted: one page and one image, through a guarded fetch.
import { readUpTo } from '../lib/body.js';
import { reasonOf } from '../lib/reason.js';
import { readPage } from './page.js';

const PAGES = /^(?:text\/html|application\/xhtml\+xml)\b/i;
/** No SVG: it is a program. */
const IMAGES = /^image\/(?:png|jpeg|gif|webp|avif)\b/i;

/**
 * Why there is no preview. `code` is for whoever posted the link: `not-a-link`, `unreachable`
 * (denied, no such host, no connection: they read the same), `too-slow`, `not-a-page`. `cause` is
 * for the operator.
 */
export class PreviewError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * @param {object} options
 * @param {import('netjail/fetch').GuardedFetch} options.fetch
 * @param {number} [options.timeLimit] milliseconds for the page, and again for the image; redirects and bodies included
 * @param {number} [options.pageLimit] bytes of a page that are read; the rest is not needed
 * @param {number} [options.imageLimit] bytes of an image; a larger one is left out
 * @param {(line: object) => void} [options.log] for the operator
 */
export function createPreview({
  fetch,
  timeLimit = 5000,
  pageLimit = 512 * 1024,
  imageLimit = 2 * 1024 * 1024,
  log = () => {},
}) {
  /** Gets the beginning of what is behind a URL, if it is of the type wanted. */
  async function get(url, wanted, limit) {
    const response = await fetch(url, {
      headers: { accept: wanted === PAGES ? 'text/html' : 'image/*', 'user-agent': 'LinkPreview/1.0' },
      signal: AbortSignal.timeout(timeLimit),
    });
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !wanted.test(type)) {
      await response.body?.cancel();
      throw new PreviewError('not-a-page', new Error(`${response.url} is ${response.status} ${type}`));
    }
    return { ...(await readUpTo(response, limit)), type, url: response.url };
  }

  /** The image of a page is a URL of a stranger's as well: it passes the same gate, or is left out. */
  async function image(url) {
    if (url === undefined) return undefined;
    try {
      const { bytes, truncated, type } = await get(url, IMAGES, imageLimit);
      return truncated ? undefined : { type, bytes };
    } catch (error) {
      log({ image: url, error: reasonOf(error) });
      return undefined;
    }
  }

  /**
   * @param {string} link
   * @returns {Promise<{ url: string, title?: string, description?: string, site?: string, image?: { type: string, bytes: Buffer } }>}
   * @throws {PreviewError}
   */
  return async function preview(link) {
    const url = URL.canParse(link) ? new URL(link) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password !== '')
      throw new PreviewError('not-a-link', new Error(`${JSON.stringify(link)} is no http: or https: URL`));
    try {
      const page = await get(url, PAGES, pageLimit);
      const facts = readPage(page.bytes, page.type, page.url);
      return { url: page.url, ...facts, image: await image(facts.image) };
    } catch (error) {
      if (error instanceof PreviewError) throw error;
      throw new PreviewError(error.name === 'TimeoutError' ? 'too-slow' : 'unreachable', error);
    }
  };
}
