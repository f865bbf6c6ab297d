// The link-preview worker: what it reads, its limits, and what it never reaches.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { GuardedFetch } from '../../src/fetch/index.ts';
import type { Resolver } from '../../src/resolver.ts';
import { packageRoot } from '../helpers/data.ts';
import { load, run } from '../helpers/examples.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';
import { netjail } from '../helpers/recipes.ts';

interface Preview {
  url: string;
  title?: string;
  description?: string;
  site?: string;
  image?: { type: string; bytes: Buffer };
}
type MakePreview = (link: string) => Promise<Preview>;
interface Job {
  id: string;
  link: string;
}

const { createPreview } = await load<{ createPreview(options: object): MakePreview }>(
  'link-preview/preview.js',
);
const { readPage } = await load<{
  readPage(bytes: Uint8Array, type: string, url: string): Record<string, string | undefined>;
}>('link-preview/page.js');
const { work } = await load<{ work(options: object): Promise<void> }>('link-preview/worker.js');
const { createFetch } = (await import(String('netjail/fetch'))) as {
  createFetch(options: object): GuardedFetch;
};

type Pages = Record<string, (response: ServerResponse, request: IncomingMessage, lab: Lab) => unknown>;

const html =
  (text: string | Buffer, headers: object = {}) =>
  (response: ServerResponse): unknown =>
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(text);

/** `names` of the resolver: only `page.test` leads to the allowed address. */
const resolver: Resolver = async (host) => {
  const answer = { 'page.test': [ALLOWED], 'wiki.test': [DENIED] }[host];
  if (answer === undefined) throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  return answer;
};

interface Setting {
  lab: Lab;
  preview: MakePreview;
  log: { error: string }[];
  /** Resolves once every answer is over on the server's side. */
  over(): Promise<unknown>;
}

async function startPages(t: TestContext, pages: Pages, options: object = {}): Promise<Setting> {
  const log: Setting['log'] = [];
  const answers: Promise<unknown>[] = [];
  const lab: Lab = await startLab(t, 'http', {
    request(request, response) {
      const page = pages[request.url!];
      answers.push(once(response, 'close'));
      page?.(response, request, lab);
      return page !== undefined;
    },
  });
  const rules = new netjail.Rules({ allow: [ALLOWED], block: [DENIED] });
  const fetch = createFetch({ rules, resolver });
  t.after(() => fetch.destroy());
  return {
    lab,
    log,
    over: () => Promise.all(answers),
    preview: createPreview({ fetch, log: (line: { error: string }) => log.push(line), ...options }),
  };
}

const fails = (code: string) => (error: { code?: string }) => (assert.equal(error.code, code), true);

describe('examples/link-preview', () => {
  it('reads title, description, site and image, after a redirect as well', async (t) => {
    const { lab, preview } = await startPages(t, {
      '/page': html(
        '<TITLE>plain</TITLE><meta property="og:title" content="A  &lt;walk&gt;"><meta name=Description content="Trees"><meta property="og:site_name" content="News"><meta property="og:image" content="pictures/1.png">',
      ),
      '/pictures/1.png': (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('12345'),
    });
    const expected = {
      url: lab.url('page.test', '/page'),
      title: 'A <walk>',
      description: 'Trees',
      site: 'News',
      image: { type: 'image/png', bytes: Buffer.from('12345') },
    };
    assert.deepEqual(await preview(lab.url('page.test', '/page')), expected);
    const moved = lab.url(ALLOWED, `/redirect?${encodeURIComponent(expected.url)}`);
    assert.deepEqual(await preview(moved), expected);
  });

  it('a denied link, an unknown name and a closed port read the same; the log has the address', async (t) => {
    const { lab, preview } = await startPages(t, {});
    const inside = lab.url(DENIED);
    for (const link of [
      inside,
      lab.url('wiki.test'),
      lab.url('[::ffff:127.0.0.1]'),
      lab.url(ALLOWED, `/redirect?${encodeURIComponent(inside)}`),
      'http://nowhere.test/',
      `http://${ALLOWED}:1024/`,
    ])
      await assert.rejects(preview(link), fails('unreachable'));
    assert.equal(lab.denied.connections, 0);
    assert.equal(lab.allowed.connections, 1);
  });

  it('an image inside is left out, and logged', async (t) => {
    const { lab, preview, log } = await startPages(t, {
      '/literal': (response, _request, lab) =>
        html(`<title>t</title><meta property="og:image" content="${lab.url(DENIED, '/x.png')}">`)(response),
      '/name': (response, _request, lab) =>
        html(`<title>t</title><meta property="og:image" content="${lab.url('wiki.test')}">`)(response),
      '/moved': (response, _request, lab) =>
        html(
          `<title>t</title><meta property="og:image" content="/redirect?${encodeURIComponent(lab.url(DENIED))}">`,
        )(response),
    });
    for (const path of ['/literal', '/name', '/moved']) {
      const { title, image } = await preview(lab.url(ALLOWED, path));
      assert.deepEqual([title, image], ['t', undefined]);
    }
    assert.equal(lab.denied.connections, 0);
    assert.equal(log.length, 3);
    for (const { error } of log) assert.match(error, /127\.0\.0\.1 is blocked by 127\.0\.0\.1$/);
  });

  it('a body without an end is read up to the limit only, packed or not, and its connection ends', async (t) => {
    const block = Buffer.alloc(64 * 1024, ' ');
    const { lab, preview, over } = await startPages(
      t,
      {
        '/endless': (response) => {
          response.writeHead(200, { 'content-type': 'text/html' });
          response.write('<title>endless</title>');
          const more = (): void => {
            while (!response.destroyed && response.write(block));
          };
          response.on('drain', more);
          more();
        },
        '/bomb': html(gzipSync(`<title>bomb</title>${' '.repeat(30_000_000)}<title>end</title>`), {
          'content-encoding': 'gzip',
        }),
      },
      { pageLimit: 100_000 },
    );
    assert.equal((await preview(lab.url(ALLOWED, '/endless'))).title, 'endless');
    assert.equal((await preview(lab.url(ALLOWED, '/bomb'))).title, 'bomb');
    await over();
  });

  it('what is beyond the limit is not read: a title there is not found', async (t) => {
    const page = html(`${' '.repeat(2000)}<title>late</title>`);
    const { lab, preview } = await startPages(t, { '/': page }, { pageLimit: 1000 });
    assert.equal((await preview(lab.url(ALLOWED, '/'))).title, undefined);
  });

  it('an image above the limit is left out', async (t) => {
    const image =
      (size: number) =>
      (response: ServerResponse): unknown =>
        response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.alloc(size));
    const { lab, preview } = await startPages(
      t,
      {
        '/fits': html('<meta property="og:image" content="/100">'),
        '/large': html('<meta property="og:image" content="/101">'),
        '/100': image(100),
        '/101': image(101),
      },
      { imageLimit: 100 },
    );
    assert.equal((await preview(lab.url(ALLOWED, '/fits'))).image?.bytes.length, 100);
    assert.equal((await preview(lab.url(ALLOWED, '/large'))).image, undefined);
  });

  it('a server that answers too slowly, in its headers or its body, is given up', async (t) => {
    const { lab, preview, over } = await startPages(
      t,
      {
        '/silent': () => true,
        '/drips': (response) => response.writeHead(200, { 'content-type': 'text/html' }).write('<ti'),
      },
      { timeLimit: 200 },
    );
    for (const path of ['/silent', '/drips'])
      await assert.rejects(preview(lab.url(ALLOWED, path)), fails('too-slow'));
    await over();
  });

  it('other types, other statuses and links that are none have no preview', async (t) => {
    const { lab, preview } = await startPages(t, {
      '/json': html('{}', { 'content-type': 'application/json' }),
      '/gone': (response) => response.writeHead(410, { 'content-type': 'text/html' }).end('<title>x</title>'),
    });
    for (const path of ['/json', '/gone'])
      await assert.rejects(preview(lab.url(ALLOWED, path)), fails('not-a-page'));
    for (const link of [
      '',
      'page',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'data:text/html,<title>x',
      'http://a:b@page.test/',
    ])
      await assert.rejects(preview(link), fails('not-a-link'));
  });

  it('readPage() reads charsets, ignores the body, and leaves odd image URLs out', () => {
    const read = (text: string | Buffer, type = 'text/html'): Record<string, string | undefined> =>
      readPage(Buffer.from(text as string), type, 'https://page.test/a/b');
    const latin = Buffer.from('<title>caf\xe9</title>', 'latin1');
    assert.equal(read(latin, 'text/html; charset=ISO-8859-1')['title'], 'café');
    assert.equal(read(Buffer.concat([Buffer.from('<meta charset="windows-1252">'), latin]))['title'], 'café');
    assert.equal(read('<title>café</title>', 'text/html; charset=nonsense')['title'], 'café');
    assert.equal(read('<head></head><body><title>of the body</title>')['title'], undefined);
    assert.equal(read(`<title>${'x'.repeat(1000)}</title>`)['title']!.length, 300);
    assert.equal(read('<title>first</title><title>second</title>')['title'], 'first');
    const image = (content: string): string | undefined =>
      read(`<meta property="og:image" content="${content}">`)['image'];
    assert.equal(image('../c.png'), 'https://page.test/c.png');
    for (const content of ['javascript:alert(1)', 'data:image/png,x', 'file:///c.png', 'http://'])
      assert.equal(image(content), undefined, content);
    assert.equal(image(''), 'https://page.test/a/b');
  });

  it('readPage() reads a page to where it nests deeper than any page does before its body', () => {
    const read = (text: string): string | undefined =>
      readPage(Buffer.from(text), 'text/html', 'https://page.test/')['title'];
    assert.equal(read(`${'<b>'.repeat(900)}<title>found</title>`), 'found');
    assert.equal(read(`${'<b>'.repeat(1001)}<title>too deep</title>`), undefined);
    assert.equal(read(`${'<b></b>'.repeat(5000)}<title>not deep</title>`), 'not deep');
  });

  it('readPage() does not search through all that is open for each end tag', () => {
    // With all of it open, this would take longer than it is given.
    const code = `import { readPage } from './page.js';
      const tags = '<b>'.repeat(250_000) + '</u>'.repeat(250_000);
      for (const before of ['<title>t</title>', '<title>t</title><body>'])
        console.log(readPage(Buffer.from(before + tags), 'text/html', 'https://page.test/').title);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: join(packageRoot, '../../examples/link-preview'),
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(stdout, 't\nt\n');
  });

  it('work() takes each job once, a few at a time, and tells both sides', async (t) => {
    const { lab, preview } = await startPages(t, { '/page': html('<title>t</title>') });
    let running = 0;
    let most = 0;
    const watched: MakePreview = async (link) => {
      most = Math.max(most, ++running);
      try {
        return await preview(link);
      } finally {
        running--;
      }
    };
    const links = ['wiki.test', ALLOWED, DENIED, 'nowhere.test', ALLOWED].map((host) =>
      lab.url(host, '/page'),
    );
    const jobs: Job[] = links.map((link, index) => ({ id: String(index), link }));
    const published: { id: string; error?: string; preview?: Preview }[] = [];
    const logged: { id: string; reason?: string; retry: boolean; error: string }[] = [];
    await work({
      jobs,
      preview: watched,
      publish: (result: (typeof published)[0]) => published.push(result),
      log: (line: (typeof logged)[0]) => logged.push(line),
      concurrency: 2,
    });
    assert.equal(most, 2);
    published.sort((a, b) => Number(a.id) - Number(b.id));
    logged.sort((a, b) => Number(a.id) - Number(b.id));
    assert.deepEqual(
      published.map(({ error, preview }) => error ?? preview?.title),
      ['unreachable', 't', 'unreachable', 'unreachable', 't'],
    );
    assert.ok(!JSON.stringify(published).includes(DENIED));
    assert.deepEqual(
      logged.map(({ id, reason, retry }) => [id, reason, retry]),
      [
        ['0', 'blocked', false],
        ['2', 'blocked', false],
        ['3', undefined, true],
      ],
    );
    assert.equal(lab.denied.connections, 0);
  });

  it('runs with one command and prints each preview', async (t) => {
    const { status, stdout, stderr } = await run(t, 'link-preview/main.js');
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^ {2}title {7}A walk in the woods$/m);
    assert.match(stdout, /^ {2}image {7}image\/png, 1500 bytes$/m);
    assert.equal(stdout.match(/no preview: unreachable/g)?.length, 4);
    assert.match(stdout, /^ {2}no preview: too-slow$/m);
    assert.match(stdout, /^Connections: internet \d+, our network 0\.$/m);
  });
});
