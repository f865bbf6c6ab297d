// One service, many tenants: each request runs under the rules of its tenant.
import axios from 'axios';
import express from 'express';
import { withRules } from 'netjail';
import { readUpTo } from '../lib/body.js';
import { reasonOf } from '../lib/reason.js';

const SIZE_LIMIT = 64 * 1024;
const TIME_LIMIT = 5000;

/**
 * @param {object} options
 * @param {Map<string, { name: string, rules: import('netjail').Rules }>} options.tenants by API key
 * @param {import('netjail').Rules} options.house what no tenant may widen
 * @param {import('netjail/fetch').GuardedFetch} options.fetch without rules: it takes those in effect
 * @param {import('netjail/http').HttpAgent} options.httpAgent likewise
 * @param {import('netjail/http').HttpsAgent} options.httpsAgent likewise
 * @param {number} [options.timeLimit] of a whole answer, in milliseconds
 * @param {(line: object) => void} [options.log] for the operator
 */
export function createApp({
  tenants,
  house,
  fetch,
  httpAgent,
  httpsAgent,
  timeLimit = TIME_LIMIT,
  log = () => {},
}) {
  // Shared by all tenants. Both agents, since a redirect can lead from http: to https:; and no proxy,
  // since axios would go through HTTP_PROXY.
  const client = axios.create({
    httpAgent,
    httpsAgent,
    proxy: false,
    timeout: timeLimit,
    maxContentLength: SIZE_LIMIT,
    responseType: 'text',
    validateStatus: null,
  });
  const relays = {
    async fetch(url) {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeLimit) });
      const { bytes } = await readUpTo(response, SIZE_LIMIT);
      return { status: response.status, body: bytes.toString() };
    },
    async axios(url) {
      // Its `timeout` ends only what is idle.
      const { status, data } = await client.get(url, { signal: AbortSignal.timeout(timeLimit) });
      return { status, body: data };
    },
  };

  const app = express();
  app.disable('x-powered-by');

  // The one line. Everything behind it, however asynchronous, has the rules of the tenant within
  // those of the house. A body parser belongs before it or has to keep the context.
  app.use((request, response, next) => {
    const tenant = tenants.get(request.get('x-api-key') ?? '');
    if (tenant === undefined) return void response.status(401).json({ error: 'Who are you?' });
    response.locals.tenant = tenant.name;
    withRules(house, () => withRules(tenant.rules, next));
  });

  app.get('/relay', async (request, response) => {
    const { url, with: client = 'fetch' } = request.query;
    if (!isWebUrl(url) || !Object.hasOwn(relays, client))
      return void response.status(400).json({ error: 'Give a url, and fetch or axios to get it with.' });
    try {
      response.json(await relays[client](url));
    } catch (error) {
      log({ tenant: response.locals.tenant, error: reasonOf(error) });
      // The same for what is denied, does not exist and does not answer.
      response.status(422).json({ error: 'This URL cannot be reached.' });
    }
  });

  // Express would send the stack.
  app.use((error, _request, response, next) => {
    if (response.headersSent) return next(error);
    log({ tenant: response.locals.tenant, error: reasonOf(error) });
    response.status(500).json({ error: 'Something is broken here.' });
  });
  return app;
}

function isWebUrl(text) {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
