import { HttpAgent, HttpsAgent } from 'netjail/http';
import { io } from 'socket.io-client';

export const meta = {
  kind: 'http',
  client: 'socket.io-client',
  package: 'socket.io-client',
  versions: '4',
  way: 'agent',
  why: 'It hands one agent to polling and to WebSocket. It connects again for ever, also where that is denied, unless `reconnection` says otherwise. The denial is in the error of `connect_error`.',
  hop: 'redirects are not followed',
  unguarded: 'The transport WebTransport.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const secure = new URL(url).protocol === 'https:';
  const agent = secure ? new HttpsAgent(guard) : new HttpAgent(guard);
  const options = { agent, transports: ['polling', 'websocket'], reconnection: false };
  const connect = () => io(url, { ...options, forceNew: true });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) => {
        const socket = connect().once('connect_error', reject);
        socket.once('hello', (text) => {
          // It came by polling; the WebSocket is still being tried.
          const { engine } = socket.io;
          const done = () => (socket.close(), resolve(text));
          if (engine.transport.name === 'websocket') done();
          else engine.once('upgrade', done).once('upgradeError', done);
        });
      }),
    close: () => agent.destroy(),
  };
}
