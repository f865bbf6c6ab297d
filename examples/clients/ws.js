import { once } from 'node:events';
import { WebSocket } from 'ws';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'ws, agent',
  package: 'ws',
  versions: '8',
  way: 'agent',
  why: 'Its handshake is a request of node:http, redirects (`followRedirects`) included.',
  hop: 'redirects are judged',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const agent = url.startsWith('https:') ? new HttpsAgent(guard) : new HttpAgent(guard);
  const connect = () => new WebSocket(url.replace(/^http/, 'ws'), { agent, followRedirects: true });
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
