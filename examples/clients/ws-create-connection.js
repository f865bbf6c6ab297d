import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createDial } from 'netjail';

export const meta = {
  kind: 'http',
  client: 'ws, createConnection',
  package: 'ws',
  versions: '8',
  way: 'dial',
  why: 'Without an agent it asks `createConnection` for the socket.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const dial = createDial(guard);
  const open = url.startsWith('https:') ? dial.tls : dial;
  const createConnection = ({ host, port }) => open({ host, port: Number(port) });
  const connect = () =>
    new WebSocket(url.replace(/^http/, 'ws'), { createConnection, followRedirects: true });
  // end
  return {
    use: async () => {
      const socket = connect();
      const [message] = await once(socket, 'message');
      socket.terminate();
      return String(message);
    },
    close: () => {},
  };
}
