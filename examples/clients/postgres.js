import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { createDial } from 'netjail';
import postgres from 'postgres';

export const meta = {
  kind: 'database',
  client: 'postgres.js',
  package: 'postgres',
  versions: '3',
  way: 'dial',
  why: 'It asks `socket` for a connected socket. Hand it out with the `host`, which it checks the certificate against, and `ssl: { servername }` for an address. A rejection it takes, and never uses the place in its pool again: hand out a stream that fails. Its own `connect_timeout` begins with the socket: until then that of the dial counts.',
  hop: 'none: it connects to its one host',
  unguarded: 'Without `socket` the host may also be a Unix socket. Its query errors have the denial itself.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial({ connectTimeout: 10_000, ...guard });
  const failing = (error) => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(error) });
  const named = (it) => once(it, 'connect').then(() => Object.assign(it, { host, port }), failing);
  const socket = () => named(dial({ host, port }));
  const sql = postgres({ host, port, user, password, database, ssl: tls, socket });
  // end
  return {
    use: async () => (await sql`SELECT version()`)[0].version,
    close: () => sql.end({ timeout: 1 }),
  };
}
