import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createDial } from 'netjail';

export const meta = {
  kind: 'http',
  client: 'ws, createConnection',
  package: 'ws',
  versions: '8',
  way: 'dial',
  why: 'Without an agent it asks `createConnection` for the socket, after a redirect to the other protocol too; `defaultPort` tells which it is. What TLS is to do (`ca`, `cert`, `checkServerIdentity`) the dial must be told, here in `tls`: what the WebSocket is told of it does not count.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, target, tls = {}) {
  const url = target.replace(/^http/, 'ws');
  // recipe
  const dial = createDial(guard);
  const createConnection = ({ host, port, defaultPort }) =>
    defaultPort === 443 ? dial.tls({ ...tls, host, port: Number(port) }) : dial({ host, port: Number(port) });
  const connect = () => new WebSocket(url, { createConnection, followRedirects: true });
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
