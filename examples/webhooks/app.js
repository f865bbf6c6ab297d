// The web application: a page for customers, a page for the operator, and the two answers.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, timingSafeEqual } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { explainToCaller, explainToOperator } from './explain.js';
import { createSender } from './send.js';

const KEPT = 100;
const FILES = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript'],
  '/style.css': ['style.css', 'text/css'],
  '/operator': ['operator.html', 'text/html; charset=utf-8'],
  '/operator/page.js': ['operator.js', 'text/javascript'],
};

/**
 * @param {object} options
 * @param {import('netjail/fetch').GuardedFetch} options.fetch
 * @param {import('netjail').Rules} options.rules those of `fetch`, for the operator to read
 * @param {string} options.secret signs the webhooks
 * @param {string} options.operatorPassword of the user `operator`
 * @param {{ label: string, url: string }[]} [options.examples] URLs to try, shown on the page
 * @param {number} [options.timeLimit] milliseconds for a delivery
 * @param {import('fastify').FastifyServerOptions['logger']} [options.logger]
 */
export function createApp({
  fetch,
  rules,
  secret,
  operatorPassword,
  examples = [],
  timeLimit,
  logger = false,
}) {
  // Browsers open connections ahead of any request: closing must not wait for those.
  const app = Fastify({ logger, bodyLimit: 8192, forceCloseConnections: true });
  const send = createSender({ fetch, secret, ...(timeLimit === undefined ? {} : { timeLimit }) });
  const deliveries = [];

  // The verdicts of one delivery: those made while its storage is the current one.
  const trail = new AsyncLocalStorage();
  const note = (verdict) => trail.getStore()?.push(verdict);
  subscribe('netjail:verdict', note);
  app.addHook('onClose', async () => void unsubscribe('netjail:verdict', note));

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    // By the route, not by the URL: that may be written in many ways (`/%6fperator`).
    const isForOperator = /^\/operator(?:\/|$)/.test(request.routeOptions.url ?? '');
    if (isForOperator && !isOperator(request.headers.authorization, operatorPassword))
      return reply.code(401).header('www-authenticate', 'Basic realm="operator"').send('For the operator.');
  });

  for (const [path, [file, type]] of Object.entries(FILES)) {
    const content = readFileSync(new URL(`public/${file}`, import.meta.url));
    app.get(path, (_request, reply) => reply.type(type).send(content));
  }
  app.get('/api/examples', () => examples);

  const body = {
    type: 'object',
    required: ['url'],
    properties: { url: { type: 'string', minLength: 1, maxLength: 2048 } },
  };
  app.post('/api/deliveries', { schema: { body } }, async (request, reply) => {
    const url = readUrl(request.body.url);
    if (typeof url === 'string') return reply.code(400).send({ error: url });

    const verdicts = [];
    const event = { type: 'example.tried', timestamp: new Date().toISOString(), data: {} };
    const outcome = await trail.run(verdicts, send, url.href, event);

    const facts = {
      at: event.timestamp,
      url: url.href,
      kind: outcome.kind,
      ...explainToOperator(rules, verdicts, outcome),
    };
    request.log[outcome.kind === 'answered' ? 'info' : 'warn'](facts, 'delivery');
    deliveries.unshift(facts);
    deliveries.length = Math.min(deliveries.length, KEPT);

    const answer = explainToCaller(url, outcome);
    return reply.code(answer.verdict === 'refused' ? 422 : 200).send(answer);
  });

  app.get('/operator/deliveries', () => ({ rules: String(rules), deliveries }));
  return app;
}

/** The URL, or what is wrong with it in words for whoever typed it. */
function readUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return 'This is not a whole URL. It begins with https:// and a host.';
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'Webhooks go to https:// and http:// URLs only.';
  if (url.username !== '' || url.password !== '') return 'Leave out the user name and password.';
  return url;
}

function isOperator(authorization, password) {
  const expected = `Basic ${Buffer.from(`operator:${password}`).toString('base64')}`;
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization ?? ''), digest(expected));
}
