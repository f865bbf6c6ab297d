import knex from 'knex';
import { createDial } from 'netjail';

export const meta = {
  kind: 'database',
  client: 'knex',
  package: 'knex',
  versions: '3',
  way: 'socket',
  why: 'It hands `connection` on to pg or mysql2, with their `stream`. Give it `rules`: it connects when a query is awaited, from a pool.',
  hop: 'none: it connects to its one host',
  unguarded:
    'What is so of pg and mysql2. The dialects oracledb, better-sqlite3; mssql takes a `connector` in `connection.options` as tedious does.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial(guard);
  const stream = () => dial.socket();
  const connection = { host, port, user, password, database, ssl: tls, stream };
  const db = knex({ client: 'pg', connection });
  // end
  return { use: async () => (await db.raw('SELECT version()')).rows[0].version, close: () => db.destroy() };
}
