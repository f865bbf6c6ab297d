// Previews links: those of the command line from any public host, or a list of its own on loopback.
// `npm run example:link-preview` at the root; `-- https://example.com/` for real ones.
import { gzipSync } from 'node:zlib';
import { Rules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { resolverOf, startSites } from '../lib/sites.js';
import { createPreview } from './preview.js';
import { work } from './worker.js';

const links = process.argv.slice(2);
const setting = links.length > 0 ? { rules: new Rules({ allow: ['public'] }), links } : await loopback();

const fetch = createFetch({ rules: setting.rules, ...setting.options });
const log = ({ error, retry }) =>
  console.log(
    `  [operator] ${error}${retry === undefined ? '' : retry ? ' (try again)' : ' (do not try again)'}`,
  );
console.log(`rules: ${setting.rules}`);
await work({
  jobs: queue(setting.links),
  preview: createPreview({ fetch, log, ...setting.limits }),
  publish: print,
  log,
  concurrency: 1,
});
await fetch.destroy();
await setting.close?.();

function* queue(links) {
  for (const link of links) {
    console.log(`\n${link}`);
    yield { id: link, link };
  }
}

function print({ id, preview, error }) {
  if (error !== undefined) return void console.log(`  no preview: ${error}`);
  const { url, title, description, site, image } = preview;
  if (url !== id) console.log(`  moved to    ${url}`);
  for (const [name, text] of Object.entries({ title, description, site }))
    if (text !== undefined) console.log(`  ${name.padEnd(11)} ${text}`);
  if (image !== undefined) console.log(`  image       ${image.type}, ${image.bytes.length} bytes`);
}

/** 127.0.0.2 plays the internet, 127.0.0.1 our network. */
async function loopback() {
  const html = (response, head, headers = {}) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(`<!doctype html><head>${head}</head><body>...`);
  };
  const sites = await startSites({
    '127.0.0.2': (request, response) => {
      const inside = `http://127.0.0.1:${sites.port}/admin`;
      switch (request.url) {
        case '/article':
          return html(
            response,
            `<title>A walk in the woods</title><meta name="description" content="Ten trees &amp; a brook.">
             <meta property="og:site_name" content="News"><meta property="og:image" content="/tree.png">`,
          );
        case '/tree.png':
          return response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.alloc(1500));
        case '/image-inside':
          return html(response, `<title>A trap</title><meta property="og:image" content="${inside}">`);
        case '/moved':
          return response.writeHead(301, { location: '/article' }).end();
        case '/moved-inside':
          return response.writeHead(302, { location: inside }).end();
        case '/bomb':
          response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' });
          return response.end(gzipSync(`<title>A bomb</title>${' '.repeat(50_000_000)}`));
        case '/slow':
          response.writeHead(200, { 'content-type': 'text/html' });
          return response.write('<title>Any time n');
        default:
          return response.writeHead(404).end();
      }
    },
    '127.0.0.1': (_request, response) => html(response, '<title>Internal</title>'),
  });
  const { port } = sites;
  return {
    rules: new Rules({ allow: ['127.0.0.2'], block: ['127.0.0.1'] }),
    options: { resolver: resolverOf({ 'news.example': ['127.0.0.2'], 'wiki.corp.example': ['127.0.0.1'] }) },
    limits: { timeLimit: 1000 },
    links: [
      ...['article', 'moved', 'bomb', 'slow', 'image-inside', 'moved-inside'].map(
        (path) => `http://news.example:${port}/${path}`,
      ),
      `http://wiki.corp.example:${port}/`,
      'http://nowhere.example/',
      `http://[::ffff:127.0.0.1]:${port}/`,
      'javascript:alert(1)',
    ],
    close: async () => {
      const { '127.0.0.2': outside, '127.0.0.1': inside } = sites.connections;
      console.log(`\nConnections: internet ${outside}, our network ${inside}.`);
      process.exitCode = inside === 0 ? 0 : 1;
      await sites.close();
    },
  };
}
