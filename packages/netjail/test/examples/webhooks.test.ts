// The webhook sender: its answers, and its page in a real browser.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import type { GuardedFetch } from '../../src/fetch/index.ts';
import type { Resolver } from '../../src/resolver.ts';
import { packageRoot } from '../helpers/data.ts';
import { load, start } from '../helpers/examples.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';
import { netjail } from '../helpers/recipes.ts';

const { createApp } = await load<{ createApp(options: object): FastifyInstance }>('webhooks/app.js');
const { createFetch } = (await import(String('netjail/fetch'))) as {
  createFetch(options: object): GuardedFetch;
};
const { findBrowser } = (await import(
  pathToFileURL(join(packageRoot, '../../scripts/browser.mjs')).href
)) as { findBrowser(): string | undefined };

const rules = new netjail.Rules({ allow: [ALLOWED, '10.0.0.0/8'], block: [DENIED, '10.20.0.0/16'] });
const PASSWORD = 'of-the-operator';
const SECRET = 'of-the-signature';
const INTERNAL = '10.20.30.40';
const NOT_LED = 'does not lead to an address that webhooks are sent to';

const names: Record<string, string[]> = {
  'customer.test': [ALLOWED],
  'intranet.test': [INTERNAL],
  'rebound.test': [DENIED],
};
const resolver: Resolver = async (host) => {
  const answer = names[host];
  if (answer === undefined)
    throw Object.assign(new Error(`queryA ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host });
  return answer;
};

interface Setting {
  app: FastifyInstance;
  lab: Lab;
  bodies: { headers: Record<string, unknown>; text: string }[];
  origin: string;
  log: string[];
}

async function startApp(t: TestContext, options: object = {}): Promise<Setting> {
  const bodies: Setting['bodies'] = [];
  const log: string[] = [];
  const lab = await startLab(t, 'http', {
    request(request, response) {
      if (request.url === '/silent') return true;
      const status = { '/missing': 404, '/hook': 204 }[request.url!];
      if (status === undefined) return false;
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        bodies.push({ headers: request.headers, text });
        response.writeHead(status).end();
      });
      return true;
    },
  });
  const fetch = createFetch({ rules, resolver });
  const app = createApp({
    fetch,
    rules,
    secret: SECRET,
    operatorPassword: PASSWORD,
    examples: [{ label: 'This machine', url: lab.url(DENIED) }],
    logger: { level: 'info', stream: { write: (line: string) => log.push(line) } },
    ...options,
  });
  t.after(async () => {
    await app.close();
    await fetch.destroy();
  });
  const origin = await app.listen({ host: DENIED, port: 0 });
  return { app, lab, bodies, origin, log };
}

interface Answer {
  status: number;
  text: string;
  json: Record<string, string>;
}

async function deliver({ app }: Setting, url: unknown): Promise<Answer> {
  const answer = await app.inject({ method: 'POST', url: '/api/deliveries', payload: { url } });
  return { status: answer.statusCode, text: answer.body, json: answer.json() };
}

interface ForOperator {
  rules: string;
  deliveries: { url: string; summary: string; steps: Record<string, unknown>[]; explanation: string }[];
}

async function operatorSees({ app }: Setting): Promise<ForOperator> {
  const authorization = `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`;
  return (await app.inject({ url: '/operator/deliveries', headers: { authorization } })).json();
}

describe('examples/webhooks', () => {
  it('delivers a signed event to a receiver that is allowed', async (t) => {
    const setting = await startApp(t);
    const { status, json } = await deliver(setting, setting.lab.url('customer.test', '/hook'));
    assert.equal(status, 200);
    assert.equal(json['verdict'], 'delivered');
    assert.equal(setting.lab.allowed.connections, 1);
    const { headers, text } = setting.bodies[0]!;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
    assert.equal(
      headers['webhook-signature'],
      `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`,
    );
    const [{ summary, steps }] = (await operatorSees(setting)).deliveries as [ForOperator['deliveries'][0]];
    assert.match(summary, /customer\.test:\d+\/hook answered 204$/);
    assert.deepEqual(steps, [
      {
        allowed: true,
        target: `customer.test:${setting.lab.port}`,
        address: ALLOWED,
        reason: 'allowed',
        entry: ALLOWED,
      },
    ]);
  });

  it('tells what a receiver answered that did not accept it', async (t) => {
    const setting = await startApp(t);
    const { json } = await deliver(setting, setting.lab.url(ALLOWED, '/missing'));
    assert.deepEqual(json, {
      verdict: 'answered',
      title: 'Reached, not accepted',
      explanation: 'The receiver answered with status 404.',
    });
  });

  it('explains a literal by what it is, and a name in the words for a name that does not exist', async (t) => {
    const setting = await startApp(t);
    const { port } = setting.lab;
    for (const [url, explanation] of [
      [`http://${DENIED}:${port}/`, `${DENIED} is an address of the sending machine itself`],
      [`http://0x7f.1:${port}/`, `${DENIED} is an address of the sending machine itself`],
      [`http://[::ffff:7f00:1]:${port}/`, '::ffff:7f00:1 is an address of the sending machine itself'],
      [`http://0.0.0.0:${port}/`, '0.0.0.0 is an address of the sending machine itself'],
      ['http://192.168.1.1/', '192.168.1.1 is an address of a private network'],
      ['http://169.254.169.254/', '169.254.169.254 is a link-local address'],
      ['http://240.0.0.1/', '240.0.0.1 is an address that is reserved'],
      ['http://8.8.8.8/', '8.8.8.8 is an address, and webhooks are not sent there.'],
      ['http://intranet.test/', `intranet.test ${NOT_LED}`],
      [`http://rebound.test:${port}/`, `rebound.test ${NOT_LED}`],
      ['http://missing.test/', `missing.test ${NOT_LED}`],
    ] as const) {
      const { status, json } = await deliver(setting, url);
      assert.equal(status, 422, url);
      assert.equal(json['verdict'], 'refused', url);
      assert.ok(json['explanation']!.startsWith(explanation), `${url}: ${json['explanation']}`);
    }
    assert.equal(setting.lab.denied.connections, 0);
  });

  it('a customer cannot tell a denied name from one that does not exist', async (t) => {
    const setting = await startApp(t);
    const denied = await deliver(setting, 'http://intranet.test/');
    const missing = await deliver(setting, 'http://missing.test/');
    assert.equal(denied.text.replaceAll('intranet.test', 'X'), missing.text.replaceAll('missing.test', 'X'));
    assert.equal(denied.status, missing.status);
  });

  it('the operator sees the address, the reason and the entry; the customer sees none of them', async (t) => {
    const setting = await startApp(t);
    const { text } = await deliver(setting, 'http://intranet.test/secret');
    for (const fact of [INTERNAL, '10.20.0.0/16', 'blocked', 'denied'])
      assert.ok(!text.includes(fact), `${fact} is in ${text}`);
    const seen = await operatorSees(setting);
    assert.equal(seen.rules, String(rules));
    assert.deepEqual(seen.deliveries[0]!.steps, [
      {
        allowed: false,
        target: 'intranet.test:80',
        address: INTERNAL,
        reason: 'blocked',
        entry: '10.20.0.0/16',
      },
    ]);
    assert.equal(
      seen.deliveries[0]!.explanation,
      [
        '10.20.30.40 for intranet.test port 80: denied, blocked',
        '  10.20.30.40 itself: allowed by 10.0.0.0/8, blocked by 10.20.0.0/16',
        '  10.20.30.40 is blocked by 10.20.0.0/16',
      ].join('\n'),
    );
    assert.match(seen.deliveries[0]!.summary, /10\.20\.30\.40 is blocked by 10\.20\.0\.0\/16$/);
    assert.match(
      setting.log.find((line) => line.includes('"delivery"'))!,
      /10\.20\.30\.40/,
    );
  });

  it('a redirect is judged, and where it leads is not told to the customer', async (t) => {
    const setting = await startApp(t);
    const { port } = setting.lab;
    for (const [to, address] of [
      [`http://${DENIED}:${port}/admin`, DENIED],
      ['http://intranet.test/', INTERNAL],
      ['http://missing.test/', undefined],
    ] as const) {
      const url = setting.lab.url('customer.test', `/redirect?${encodeURIComponent(to)}`);
      const { json, text } = await deliver(setting, url);
      assert.equal(json['explanation'], 'The receiver redirects to a place that webhooks are not sent to.');
      assert.ok(!text.includes(DENIED) && !text.includes(INTERNAL));
      const step = (await operatorSees(setting)).deliveries[0]!.steps.find(
        ({ allowed }) => allowed === false,
      );
      assert.equal(step?.['address'], address);
    }
    assert.equal(setting.lab.denied.connections, 0);
  });

  it('a receiver that does not answer reads as one that cannot be reached', async (t) => {
    const setting = await startApp(t, { timeLimit: 300 });
    const silent = await deliver(setting, setting.lab.url(ALLOWED, '/silent'));
    const closed = await deliver(setting, `http://${ALLOWED}:1024/`);
    assert.deepEqual(silent.json, closed.json);
    assert.equal(silent.json['verdict'], 'unreachable');
    assert.deepEqual(
      setting.lab.allowed.requests.map(({ url }) => url),
      ['/silent'],
    );
  });

  it('refuses what is no URL of a receiver, before anything is sent', async (t) => {
    const setting = await startApp(t);
    for (const url of [
      '',
      'receiver',
      'ftp://customer.test/',
      'file:///etc/passwd',
      'http://u:p@customer.test/',
      1,
      null,
    ]) {
      const { status, json } = await deliver(setting, url);
      assert.equal(status, 400, String(url));
      assert.ok(json['error']);
    }
    assert.deepEqual((await operatorSees(setting)).deliveries, []);
  });

  it('the operator pages need the password', async (t) => {
    const { app } = await startApp(t);
    const basic = (text: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    for (const url of [
      '/operator',
      '/operator/deliveries',
      '/operator/page.js',
      '/operator?x',
      '/%6fperator/deliveries',
      'http://x/operator/deliveries',
    ])
      for (const headers of [{}, basic('operator:'), basic(`other:${PASSWORD}`)])
        assert.equal((await app.inject({ url, headers })).statusCode, 401, url);
    assert.equal(
      (await app.inject({ url: '/operator', headers: basic(`operator:${PASSWORD}`) })).statusCode,
      200,
    );
  });

  it('runs with one command, prints where it is, and ends with what its servers saw', async (t) => {
    const { line, child, ended } = start(t, 'webhooks/main.js');
    const [, page] = await line(/^For customers: +(http:\/\/127\.0\.0\.1:\d+\/)$/);
    const examples = (await (await fetch(`${page}api/examples`)).json()) as { label: string; url: string }[];
    const verdicts: Record<string, string> = {};
    for (const { label, url } of examples) {
      const body = JSON.stringify({ url });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${page}api/deliveries`, { method: 'POST', headers, body });
      verdicts[label] = ((await answer.json()) as { verdict: string }).verdict;
    }
    assert.deepEqual(verdicts, {
      'A customer': 'delivered',
      'A wrong path': 'answered',
      'This machine': 'refused',
      'An internal name': 'refused',
      'A redirect inside': 'refused',
      'Cloud metadata': 'refused',
      'IPv4 in IPv6': 'refused',
    });
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Connections: customers [1-9]\d*, internal 0\.$/m);
  });
});

const executablePath = findBrowser();
const noBrowser = executablePath === undefined ? 'not run: no Chromium here' : false;

describe(`examples/webhooks in a browser${noBrowser ? `: ${noBrowser}` : ''}`, { skip: noBrowser }, () => {
  let context: BrowserContext;
  let profile: string;
  before(async () => {
    profile = mkdtempSync(join(tmpdir(), 'netjail-browser-'));
    context = await chromium.launchPersistentContext(profile, {
      executablePath: executablePath!,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
      httpCredentials: { username: 'operator', password: PASSWORD },
    });
  });
  after(async () => {
    await context?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  /** A page, and what went wrong in it. */
  async function open(t: TestContext, url: string): Promise<{ page: Page; problems: string[] }> {
    const page = await context.newPage();
    t.after(() => page.close());
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      // The answer to a refused URL is a 422, which the browser notes.
      if (message.type() === 'error' && !message.text().includes('422')) problems.push(message.text());
    });
    await page.goto(url);
    return { page, problems };
  }

  it('typed with the keyboard, a denied URL is explained and an allowed one is delivered', async (t) => {
    const { lab, origin } = await startApp(t);
    const { page, problems } = await open(t, origin);
    await page.getByLabel('URL of your receiver').focus();
    await page.keyboard.type('http://intranet.test/');
    await page.keyboard.press('Enter');
    const result = page.getByRole('listitem').filter({ hasText: 'intranet.test' });
    await result.getByRole('heading', { name: 'Not sent' }).waitFor();
    assert.match((await result.textContent())!, new RegExp(NOT_LED));
    assert.match((await page.getByRole('status').textContent())!, /^Not sent\. intranet\.test does not lead/);

    await page.getByLabel('URL of your receiver').fill(lab.url('customer.test', '/hook'));
    await page.getByRole('button', { name: 'Send test event' }).click();
    await page.getByRole('heading', { name: 'Delivered' }).waitFor();
    assert.equal(await page.locator('.result h3').first().textContent(), 'Delivered');

    const shown = await page.content();
    assert.ok(!shown.includes(INTERNAL) && !shown.includes('10.20.0.0'), 'an internal address is shown');
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
    assert.deepEqual(problems, []);
  });

  it('an example fills the field, and focus stays with whoever uses the keyboard', async (t) => {
    const { lab, origin } = await startApp(t);
    const { page } = await open(t, origin);
    await page.getByRole('button', { name: 'This machine' }).click();
    assert.equal(await page.getByLabel('URL of your receiver').inputValue(), lab.url(DENIED));
    await page.keyboard.press('Enter');
    await page.getByText(`${DENIED} is an address of the sending machine itself`).first().waitFor();
    assert.equal(await page.evaluate('document.activeElement.id'), 'url');
    assert.equal(lab.denied.connections, 0);
  });

  it('what is no URL is said at the field', async (t) => {
    const { origin } = await startApp(t);
    const { page } = await open(t, origin);
    const field = page.getByLabel('URL of your receiver');
    await field.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'Type a URL first.' }).waitFor();
    await field.fill('receiver');
    await field.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'not a whole URL' }).waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('.result').count(), 0);
  });

  it('a URL with markup in it is shown as text, to the customer and to the operator', async (t) => {
    const { origin } = await startApp(t);
    const { page, problems } = await open(t, origin);
    const url = 'http://intranet.test/<img src=x onerror=alert(1)>';
    await page.getByLabel('URL of your receiver').fill(url);
    await page.keyboard.press('Enter');
    await page.locator('.result .url').filter({ hasText: url }).waitFor();
    assert.equal(await page.locator('img').count(), 0);
    const operator = await open(t, `${origin}/operator`);
    await operator.page.locator('.delivery .url').filter({ hasText: 'onerror' }).waitFor();
    assert.equal(await operator.page.locator('img').count(), 0);
    assert.deepEqual([...problems, ...operator.problems], []);
  });

  it('the operator reads address, reason and entry', async (t) => {
    const setting = await startApp(t);
    await deliver(setting, 'http://intranet.test/');
    const { page, problems } = await open(t, `${setting.origin}/operator`);
    const row = page.getByRole('row').filter({ hasText: 'intranet.test:80' });
    await row.waitFor(); // the page fetches its rows
    assert.deepEqual(await row.getByRole('cell').allTextContents(), [
      'denied',
      'intranet.test:80',
      INTERNAL,
      'blocked',
      '10.20.0.0/16',
    ]);
    await page.getByText('How the rules came to it').click();
    assert.match(await page.locator('pre').innerText(), /10\.20\.30\.40 is blocked by 10\.20\.0\.0\/16/);
    assert.deepEqual(problems, []);
  });

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1000])
      it(`both pages are accessible and fit, ${colorScheme}, ${width} wide`, async (t) => {
        const setting = await startApp(t);
        for (const path of ['/', '/operator']) {
          const { page } = await open(t, setting.origin + path);
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.setViewportSize({ width, height: 800 });
          if (path === '/')
            for (const url of [
              'http://intranet.test/',
              setting.lab.url('customer.test', '/hook'),
              setting.lab.url(ALLOWED, '/missing'),
              `http://${ALLOWED}:1024/`,
            ]) {
              await page.getByLabel('URL of your receiver').fill(url);
              await page.keyboard.press('Enter');
              await page.locator('.result .url').filter({ hasText: url }).waitFor();
            }
          else await page.locator('.delivery').first().waitFor();
          await page.evaluate(axe);
          const violations = (await page.evaluate(
            'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))',
          )) as unknown[];
          assert.deepEqual(violations, []);
          assert.equal(
            await page.evaluate('document.documentElement.scrollWidth'),
            width,
            'it scrolls sideways',
          );
          if (process.env['SCREENSHOTS'] !== undefined)
            await page.screenshot({
              path: join(
                process.env['SCREENSHOTS'],
                `webhooks${path === '/' ? '' : '-operator'}-${colorScheme}-${width}.png`,
              ),
              fullPage: true,
            });
        }
      });
});
