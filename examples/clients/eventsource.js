import { EventSource } from 'eventsource';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'eventsource',
  package: 'eventsource',
  versions: '4',
  way: 'fetch',
  why: 'It takes a `fetch`, for reconnections too. It connects again for ever, also where that is denied: `close()` it when it emits `error`.',
  hop: 'redirects are judged',
  denial: 'message',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const connect = () => new EventSource(url, { fetch });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) => {
        const source = connect();
        source.addEventListener('message', ({ data }) => (source.close(), resolve(data)));
        source.addEventListener('error', ({ message }) => (source.close(), reject(new Error(message))));
      }),
    close: () => fetch.destroy(),
    connect,
  };
}
