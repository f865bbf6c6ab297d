import { createDial } from 'netjail';
import mysql from 'mysql2/promise';

export const meta = {
  kind: 'database',
  client: 'mysql2',
  package: 'mysql2',
  versions: '3',
  way: 'dial',
  why: 'It asks `stream` for a socket, in a pool for each connection, and leaves it as it is: without `noDelay` some queries wait for an acknowledgement of the peer. TLS is put on the connected socket; `ssl: { verifyIdentity: true }` makes it check the name.',
  hop: 'none: it connects to its one host',
  unguarded:
    '`socketPath` without `stream` is a Unix socket. `LOAD DATA LOCAL` reads files, not the network.',
  denial: 'error',
};

export async function open(guard, { host, port, user, password, database, tls }) {
  const ssl = tls && { ...tls, verifyIdentity: true };
  // recipe
  const dial = createDial(guard);
  const stream = () => dial({ host, port, noDelay: true, keepAlive: true });
  const client = await mysql.createConnection({ host, port, user, password, database, ssl, stream });
  // end
  client.on('error', () => {});
  return {
    use: async () => (await client.query('SELECT VERSION() AS version'))[0][0].version,
    close: () => client.end(),
  };
}
