import { createDial } from 'netjail';
import postgres from 'postgres';

export const meta = {
  kind: 'database',
  client: 'postgres.js',
  package: 'postgres',
  versions: '3',
  way: 'dial',
  why: 'It asks `socket` for a socket. Hand it out at once, with the `host`, which it checks the certificate against, and `ssl: { servername }` for an address. An error instead of a socket takes a place of its pool for ever.',
  hop: 'none: it connects to its one host',
  unguarded: 'Without `socket` the host may also be a Unix socket. Its query errors have the denial itself.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls, ...more }) {
  // recipe
  const dial = createDial(guard);
  const socket = () => Object.assign(dial({ host, port }), { host, port });
  const sql = postgres({ host, port, user, password, database, ssl: tls, socket, ...more });
  // end
  return {
    use: async () => (await sql`SELECT version()`)[0].version,
    close: () => sql.end({ timeout: 1 }),
  };
}
