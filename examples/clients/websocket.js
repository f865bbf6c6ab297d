import { createDispatcher } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'WebSocket of the runtime',
  versions: 'Node 22, 24, 26',
  node: 22,
  way: 'dispatcher',
  why: 'It takes a `dispatcher` of the undici inside the runtime.',
  hop: 'redirects are not followed',
  denial: 'event',
};

export function open(guard, target) {
  const url = target.replace(/^http/, 'ws');
  // recipe
  const dispatcher = createDispatcher(guard);
  const connect = () => new WebSocket(url, { dispatcher });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) => {
        const socket = connect();
        socket.addEventListener('message', ({ data }) => (resolve(data), socket.close()));
        socket.addEventListener('error', ({ error, message }) => reject(error ?? new Error(message)));
      }),
    close: () => dispatcher.destroy(),
  };
}
