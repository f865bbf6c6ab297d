import { createDial } from 'netjail';
import { Sequelize } from 'sequelize';

export const meta = {
  kind: 'database',
  client: 'sequelize',
  package: 'sequelize',
  versions: '6',
  way: 'socket',
  why: 'It hands `dialectOptions` on to pg or mysql2, with their `stream`. Give it `rules`: it connects when a query is awaited, from a pool.',
  hop: 'none: it connects to its one host',
  unguarded: 'What is so of pg and mysql2; `replication` without the same `dialectOptions`; other dialects.',
  denial: 'error',
};

export function open(guard, { host, port, user, password, database, tls }) {
  // recipe
  const dial = createDial(guard);
  const dialectOptions = { stream: () => dial.socket(), ssl: tls };
  const options = { dialect: 'postgres', host, port, dialectOptions, logging: false };
  const db = new Sequelize(database, user, password, options);
  // end
  return { use: async () => (await db.query('SELECT version()'))[0][0].version, close: () => db.close() };
}
