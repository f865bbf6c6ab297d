import { createDispatcher } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'EventSource of the runtime',
  versions: 'Node 22, 24, 26 (experimental there)',
  node: 22,
  flags: ['--experimental-eventsource'],
  way: 'dispatcher',
  why: 'It takes a `dispatcher`; its reconnections use the same.',
  hop: 'redirects are judged',
  unguarded: 'Node 22 ignores `{ node: { dispatcher } }` and connects unguarded: write `{ dispatcher }`.',
  denial: 'event',
};

export function open(guard, url) {
  // recipe
  const dispatcher = createDispatcher(guard);
  const connect = () => new EventSource(url, { dispatcher });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) => {
        const source = connect();
        source.addEventListener('message', ({ data }) => (source.close(), resolve(data)));
        source.addEventListener('error', () => (source.close(), reject(new Error('the source failed'))));
      }),
    close: () => dispatcher.destroy(),
    connect,
  };
}
