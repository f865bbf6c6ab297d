import axios from 'axios';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'axios, fetch adapter',
  package: 'axios',
  versions: '1',
  way: 'fetch',
  why: 'Its fetch adapter takes the `fetch` of `env`.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const client = axios.create({ adapter: 'fetch', env: { fetch } });
  // end
  return { use: async () => (await client.get(url)).data, close: () => fetch.destroy() };
}
