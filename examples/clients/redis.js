import { createSocketOptions } from 'netjail/db';
import { createClient } from 'redis';

export const meta = {
  kind: 'database',
  client: 'redis (node-redis)',
  package: 'redis',
  versions: '5, 6',
  way: 'options',
  why: 'It opens its sockets itself, with the options in `socket`. A server can send it to another address by a MOVING notification: `maintNotifications: "disabled"` stops that. Without a `reconnectStrategy` it tries again for ever, what is denied too.',
  hop: 'none: it connects to its one host',
  unguarded:
    'A `lookup` of your own in `socket`, which is not called for an address; `socket.path`; `url` beside `socket`. `createSentinel` hands on neither look-ups nor maps in whole: ask Sentinel as in the recipe of ioredis.',
  denial: 'error',
};

export async function open(guard, { host, port, tls }) {
  const more = { ...(tls && { tls: true, ...tls }) };
  // recipe
  const socketOptions = createSocketOptions(guard);
  const socket = { ...socketOptions(host, port), reconnectStrategy: false, ...more };
  const client = createClient({ socket, maintNotifications: 'disabled' });
  // end
  client.on('error', () => {});
  await client.connect();
  return {
    use: () => client.info('server'),
    close: () => client.destroy(),
  };
}
