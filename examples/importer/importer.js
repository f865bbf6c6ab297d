// Copies a table out of a customer's PostgreSQL, over a socket that is dialled by netjail.
import pg from 'pg';
import { ImportError } from './source.js';

const BATCH = 500;

/** What PostgreSQL says (SQLSTATE) in the words for the customer. */
const CODES = [
  [/^28/, 'login-failed'],
  [/^3D000$/, 'no-such-database'],
  [/^42P01$/, 'no-such-table'],
  [/^42501$/, 'not-permitted'],
  [/^57014$/, 'too-slow'],
  // And Node, of a certificate.
  [/CERT|SIGNATURE|ISSUER/, 'bad-certificate'],
];

/**
 * @param {object} options
 * @param {import('netjail').Dial} options.dial
 * @param {string} [options.ca] authorities for TLS, in place of the usual ones
 * @param {number} [options.timeLimit] milliseconds for each step
 * @param {number} [options.sizeLimit] bytes that a database may send in all
 */
export function createImporter({ dial, ca, timeLimit = 10_000, sizeLimit = 256 * 1024 * 1024 }) {
  /**
   * @param {ReturnType<typeof import('./source.js').readSource>} source
   * @param {string} table
   * @param {(rows: object[]) => unknown} onRows
   * @returns {Promise<number>} how many rows there were
   * @throws {ImportError} `unreachable` (denied, unknown host, no connection: they read the same),
   * `too-slow`, `too-large`, `failed`, or what the database said
   */
  return async function importTable({ host, port, user, password, database, tls }, table, onRows) {
    let socket;
    const client = new pg.Client({
      host,
      port,
      user,
      database,
      // A function: pg fills an empty text from the environment or ~/.pgpass, which are ours.
      password: () => password,
      ssl: tls && { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
      // pg connects the socket itself. It is guarded, and works once.
      stream: () => (socket = dial.socket()),
      connectionTimeoutMillis: timeLimit,
      query_timeout: timeLimit,
      application_name: 'importer',
    });
    // pg says so here when a connection breaks that nobody waits for.
    client.on('error', () => {});
    // pg keeps a whole answer in memory, so the bytes are counted below it: while one comes, and before the next is taken.
    const isTooLarge = () => socket.bytesRead > sizeLimit;
    const take = (rows) => {
      if (isTooLarge()) throw new Error(`It has sent ${socket.bytesRead} bytes`);
      return onRows(rows);
    };
    const watch = setInterval(() => isTooLarge() && socket.destroy(), 20);

    let step = 'unreachable';
    try {
      await client.connect();
      step = 'failed';
      return await copy(client, table, take);
    } catch (error) {
      if (isTooLarge()) throw new ImportError('too-large', error);
      const said = CODES.find(([state]) => state.test(error.code))?.[1];
      // Of pg's own errors: in others the host may stand, which the customer chose.
      const slow = /^(?:timeout expired|Query read timeout)$/.test(error.message);
      throw new ImportError(said ?? (slow ? 'too-slow' : step), error);
    } finally {
      clearInterval(watch);
      // Not `end()`: that waits for a server that may never answer.
      socket.destroy();
    }
  };
}

/** Reads in batches, in a transaction that can write nothing. */
async function copy(client, table, onRows) {
  await client.query('BEGIN READ ONLY');
  await client.query(`DECLARE import NO SCROLL CURSOR FOR SELECT * FROM ${client.escapeIdentifier(table)}`);
  for (let count = 0; ;) {
    const { rows } = await client.query(`FETCH ${BATCH} FROM import`);
    if (rows.length === 0) return count;
    count += rows.length;
    await onRows(rows);
  }
}
