import { createDial } from 'netjail';
import pg from 'pg';

export const meta = {
  kind: 'database',
  client: 'pg, Pool',
  package: 'pg',
  versions: '8',
  way: 'socket',
  why: 'Each client of the pool asks `stream` for a socket. Give it `rules`: a pool connects when it wants to, and whoever asks next gets the connection.',
  hop: 'none: it connects to its one host',
  unguarded: 'A host that begins with `/` is a Unix socket, and is denied.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial(guard);
  const stream = () => dial.socket();
  const pool = new pg.Pool({ host, port, user, password, database, ssl: tls, stream });
  // end
  pool.on('error', () => {});
  return {
    use: async () => (await pool.query('SELECT version()')).rows[0].version,
    close: () => pool.end(),
  };
}
