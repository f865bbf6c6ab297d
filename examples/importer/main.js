// Imports tables from databases of customers, and from hosts that are none of theirs.
// `npm run example:importer` at the root; `-- URL TABLE` for a real database.
import { createDial, Rules } from 'netjail';
import pg from 'pg';
import { notRun, startService } from '../../scripts/services/index.mjs';
import { reasonOf } from '../lib/reason.js';
import { resolverOf } from '../lib/sites.js';
import { createImporter } from './importer.js';
import { readSource } from './source.js';

const [url, table = 'orders'] = process.argv.slice(2);
if (url !== undefined) {
  await runJobs({ rules: new Rules({ allow: ['public'] }), jobs: [{ url, table }] });
} else if (notRun('postgres') === undefined) {
  const setting = await loopback();
  try {
    await runJobs(setting);
  } finally {
    await setting.close();
  }
} else {
  console.log(`${notRun('postgres')}; npm run services -- --install postgres`);
  process.exitCode = 1;
}

async function runJobs({ rules, options, limits, jobs }) {
  const importTable = createImporter({ dial: createDial({ rules, ...options }), ...limits });
  console.log(`rules: ${rules}`);
  for (const { url, table } of jobs) {
    console.log(`\n${url.replace(/:[^:@/]*@/, ':***@')} ${table}`);
    let first;
    try {
      const count = await importTable(readSource(url), table, (rows) => void (first ??= rows[0]));
      console.log(
        `  imported ${count} rows${first === undefined ? '' : `, the first: ${JSON.stringify(first)}`}`,
      );
    } catch (error) {
      console.log(`  [operator] ${reasonOf(error)}`);
      console.log(`  not imported: ${error.code}`);
    }
  }
}

/** One PostgreSQL plays all databases: at 127.0.0.2 it is a customer's, at 127.0.0.1 our own. */
async function loopback() {
  const service = await startService('postgres');
  const { host, port, user, database } = service;
  const own = new pg.Client({ host, port, user, database });
  await own.connect();
  await own.query(`CREATE TABLE orders AS
    SELECT id, 'customer ' || id AS name, id * 5 AS amount FROM generate_series(1, 1234) AS id`);
  await own.end();
  const before = await service.connections();
  let lookups = 0;
  const source = (name, query = '') => `postgres://postgres:secret@${name}:${port}/${database}${query}`;
  return {
    rules: new Rules({ allow: ['127.0.0.2'], block: ['127.0.0.1', '::1'] }),
    options: {
      resolver: resolverOf({
        'name.test': [host],
        'db.customer.example': [host],
        'db.corp.example': ['127.0.0.1'],
        'rebind.example': () => [lookups++ === 0 ? host : '127.0.0.1'],
      }),
    },
    limits: { ca: service.cert },
    jobs: [
      // The certificate of this database is for name.test.
      { url: source('name.test'), table: 'orders' },
      { url: source('db.customer.example'), table: 'orders' },
      { url: source('db.customer.example', '?sslmode=disable'), table: 'orders' },
      { url: source('db.customer.example', '?sslmode=disable'), table: 'secrets' },
      { url: source('db.corp.example', '?sslmode=disable'), table: 'orders' },
      { url: source('127.0.0.1', '?sslmode=disable'), table: 'orders' },
      { url: source('[::ffff:127.0.0.1]', '?sslmode=disable'), table: 'orders' },
      // Harmless when it is looked up first, ours the next time.
      { url: source('rebind.example', '?sslmode=disable'), table: 'orders' },
      { url: source('rebind.example', '?sslmode=disable'), table: 'orders' },
      { url: source('db.customer.example', '?host=127.0.0.1'), table: 'orders' },
      { url: source('%2Fvar%2Frun%2Fpostgresql'), table: 'orders' },
    ],
    close: async () => {
      const { allowed, denied } = await service.connections();
      console.log(`
Connections: to the customers ${allowed - before.allowed}, to our own database ${denied - before.denied}.`);
      process.exitCode = denied === before.denied ? 0 : 1;
      await service.stop();
    },
  };
}
