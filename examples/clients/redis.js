import { createSocketOptions } from 'netjail/db';
import { createClient } from 'redis';

export const meta = {
  kind: 'database',
  client: 'redis (node-redis)',
  package: 'redis',
  versions: '5, 6',
  way: 'options',
  why: 'It opens its sockets itself, with the options in `socket`. A server can send it to another address by a MOVING notification: `maintNotifications: "disabled"` stops that.',
  hop: 'none: it connects to its one host',
  unguarded: 'A `lookup` of one\'s own in `socket`, which is not called for an address; `socket.path`, `url` beside `socket`.',
  denial: 'error',
};

export async function open(guard, { host, port, tls }) {
  const more = { ...(tls && { tls: true, ...tls }), reconnectStrategy: false };
  // recipe
  const socketOptions = createSocketOptions(guard);
  const socket = { ...socketOptions(host, port), ...more };
  const client = createClient({ socket, maintNotifications: 'disabled' });
  // end
  client.on('error', () => {});
  await client.connect();
  return {
    use: () => client.info('server'),
    close: () => client.destroy(),
  };
}
