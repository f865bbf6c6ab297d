import ky from 'ky';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'ky',
  package: 'ky',
  versions: '1, 2',
  way: 'fetch',
  why: 'It takes a `fetch`. It retries what fails, a denial too, unless `retry` says otherwise.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, url, client = ky) {
  // recipe
  const fetch = createFetch(guard);
  const guarded = client.create({ fetch, retry: 0 });
  // end
  return { use: () => guarded(url).text(), close: () => fetch.destroy() };
}
