import { createDial } from 'netjail';
import { DataSource } from 'typeorm';

export const meta = {
  kind: 'database',
  client: 'TypeORM',
  package: 'typeorm',
  versions: '0.3, 1',
  way: 'socket',
  why: 'It hands `extra` on to the pool of pg or mysql2, with their `stream`. Give it `rules`: it connects when it wants to, from a pool.',
  hop: 'none: it connects to its one host',
  unguarded: 'What is so of pg and mysql2; other drivers.',
  denial: 'error',
};

export async function open(guard, { host, port, user: username, password, database, tls: ssl }) {
  // recipe
  const dial = createDial(guard);
  const extra = { stream: () => dial.socket() };
  const db = new DataSource({ type: 'postgres', host, port, username, password, database, ssl, extra });
  await db.initialize();
  // end
  return { use: async () => (await db.query('SELECT version()'))[0].version, close: () => db.destroy() };
}
