import { once } from 'node:events';
import { createDial } from 'netjail';
import postgres from 'postgres';

export const meta = {
  kind: 'database',
  client: 'postgres.js',
  package: 'postgres',
  versions: '3',
  way: 'dial',
  why: 'It asks `socket` for a connected socket. Hand it out with the `host`, which it checks the certificate against, and `ssl: { servername }` for an address. Its own `connect_timeout` begins with the socket: until then that of the dial counts.',
  hop: 'none: it connects to its one host',
  unguarded: 'Without `socket` the host may also be a Unix socket. Its query errors have the denial itself.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial({ connectTimeout: 10_000, ...guard });
  const connected = async (socket) => (await once(socket, 'connect'), Object.assign(socket, { host, port }));
  const socket = () => connected(dial({ host, port }));
  const sql = postgres({ host, port, user, password, database, ssl: tls, socket });
  // end
  return {
    use: async () => (await sql`SELECT version()`)[0].version,
    close: () => sql.end({ timeout: 1 }),
  };
}
