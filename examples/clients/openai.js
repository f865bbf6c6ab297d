import OpenAI from 'openai';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'OpenAI',
  package: 'openai',
  versions: '6',
  way: 'fetch',
  why: 'It takes a `fetch`, as do most clients that are generated the same way. It retries what fails, a denial too, unless `maxRetries` says otherwise.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const client = new OpenAI({ apiKey: 'key', baseURL: url, fetch, maxRetries: 0 });
  // end
  return { use: async () => (await client.models.retrieve('model')).id, close: () => fetch.destroy() };
}
