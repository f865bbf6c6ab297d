import { once } from 'node:events';
import { WebSocket } from 'ws';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'ws, agent',
  package: 'ws',
  versions: '8',
  way: 'agent',
  why: 'Its handshake is a request of node:http.',
  hop: 'redirects are not followed',
  unguarded:
    '`followRedirects` with an agent: a redirect to the other protocol is an uncaught exception of ws. With `createConnection` it is not.',
  denial: 'error',
};

export function open(guard, target) {
  const url = target.replace(/^http/, 'ws');
  // recipe
  const secure = new URL(url).protocol === 'wss:';
  const agent = secure ? new HttpsAgent(guard) : new HttpAgent(guard);
  const connect = () => new WebSocket(url, { agent });
  // end
  return {
    use: async () => {
      const socket = connect();
      const [message] = await once(socket, 'message');
      socket.terminate();
      return String(message);
    },
    close: () => agent.destroy(),
  };
}
