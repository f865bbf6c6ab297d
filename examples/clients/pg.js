import { createDial } from 'netjail';
import pg from 'pg';

export const meta = {
  kind: 'database',
  client: 'pg, Client',
  package: 'pg',
  versions: '8',
  way: 'socket',
  why: 'It asks `stream` for a socket and connects that itself; TLS is put on the connected socket.',
  hop: 'none: it connects to its one host',
  unguarded: 'A host that begins with `/` is a Unix socket, and is denied. `ssl` checks names only with a certificate authority.',
  denial: 'error',
};

export async function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial(guard);
  const client = new pg.Client({ host, port, user, password, database, ssl: tls, stream: () => dial.socket() });
  await client.connect();
  // end
  client.on('error', () => {});
  return {
    use: async () => (await client.query('SELECT version()')).rows[0].version,
    close: () => client.end(),
  };
}
