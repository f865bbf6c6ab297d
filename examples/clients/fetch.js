import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'fetch of the runtime',
  versions: 'Node 20, 22, 24, 26',
  way: 'fetch',
  why: "`createFetch` gives it a dispatcher made of the runtime's own undici, so the versions always fit.",
  hop: 'redirects are judged',
  unguarded: 'The global `fetch` stays as it is.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const send = () => fetch(url);
  // end
  return { use: async () => (await send()).text(), close: () => fetch.destroy() };
}
