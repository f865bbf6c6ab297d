// The database importer, against a real PostgreSQL: it is there at the allowed and at the denied
// address, and both are counted.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import pg from 'pg';
import type { Dial, DialOptions } from '../../src/dial.ts';
import type { Resolver } from '../../src/resolver.ts';
import { assertDenied } from '../helpers/denial.ts';
import { load, run } from '../helpers/examples.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { netjail } from '../helpers/recipes.ts';
import { notRun, startService, type Service } from '../helpers/services.ts';

interface Source {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: boolean;
}
type Import = (source: Source, table: string, onRows: (rows: object[]) => unknown) => Promise<number>;
type Failure = Error & { code: string; cause: Error };

const { readSource } = await load<{ readSource(text: string): Source }>('importer/source.js');
const { createImporter } = await load<{ createImporter(options: object): Import }>('importer/importer.js');

const rules = new netjail.Rules({ allow: [ALLOWED], block: [DENIED] });
const createDial = netjail.createDial as (options?: DialOptions | object) => Dial;

const answers =
  (table: Record<string, string[]>): Resolver =>
  async (host) => {
    const answer = table[host];
    if (answer === undefined) throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return answer;
  };
const resolver = answers({ 'name.test': [ALLOWED], 'other.test': [ALLOWED], 'inside.test': [DENIED] });

/** The error of an import that must fail. */
async function failure(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => assert.fail('it was imported'),
    (error: Failure) => error,
  );
}

describe('examples/importer readSource()', () => {
  it('reads all that a connection needs, and asks for TLS unless told otherwise', () => {
    const expected = { host: 'db.test', port: 5432, user: 'u', password: 'p@', database: 'd', tls: true };
    assert.deepEqual(readSource('postgres://u:p%40@db.test/d'), expected);
    assert.deepEqual(readSource('postgresql://u:p%40@db.test:5432/d?sslmode=require'), expected);
    assert.deepEqual(readSource('postgres://u@[::1]:1/d?sslmode=disable'), {
      host: '::1',
      port: 1,
      user: 'u',
      password: '',
      database: 'd',
      tls: false,
    });
  });

  it('refuses what would lead elsewhere, to our files or to our environment', () => {
    for (const text of [
      '',
      'db.test',
      'http://u:p@db.test/d',
      'postgres:///d',
      'postgres://db.test/d',
      'postgres://u:p@db.test',
      'postgres://u:p@db.test/',
      'postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d',
      'postgres://u:p@db.test/d?host=127.0.0.1',
      'postgres://u:p@db.test/d?host=/var/run/postgresql',
      'postgres://u:p@db.test/d?sslrootcert=/etc/passwd',
      'postgres://u:p@db.test/d?sslmode=no-verify',
      'postgres://u:p@db.test/d?options=-c%20x',
      'postgres://u:p@db.test,127.0.0.1/d',
      'postgres://u:p@db.test:0/d',
      'postgres://u:%ff@db.test/d',
      'socket:/var/run/postgresql',
    ])
      assert.throws(() => readSource(text), { code: 'not-a-source' }, text);
  });
});

const missing = notRun('postgres');

describe(
  `examples/importer${missing === undefined ? '' : `: ${missing}`}`,
  { skip: missing ?? false },
  () => {
    let service: Service;
    const at = (host: string, more: Partial<Source> = {}): Source => ({
      host,
      port: service.port,
      user: 'postgres',
      password: 'unused',
      database: 'postgres',
      tls: false,
      ...more,
    });
    const importer = (dial: DialOptions | object = {}, options: object = {}): Import =>
      createImporter({ dial: createDial({ rules, resolver, ...dial }), ca: service.cert, ...options });
    const ignore = (): void => {};

    /** The connections of a call to each address. */
    async function counted<T>(
      call: () => Promise<T>,
    ): Promise<{ result: T; allowed: number; denied: number }> {
      const first = await service.connections();
      const result = await call();
      const last = await service.connections();
      return { result, allowed: last.allowed - first.allowed, denied: last.denied - first.denied };
    }

    before(async () => {
      service = await startService('postgres');
      const { host, port } = service;
      const own = new pg.Client({ host, port, user: 'postgres', database: 'postgres' });
      await own.connect();
      await own.query(`
      CREATE TABLE orders AS SELECT id, 'o' || id AS name FROM generate_series(1, 1234) AS id;
      CREATE TABLE "odd ""name" AS SELECT 1 AS id;
      CREATE TABLE nothing (id int);
      CREATE TABLE large AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 5000);
      CREATE VIEW slow AS SELECT pg_sleep(600)::text;
      CREATE SEQUENCE counter;
      CREATE VIEW writes AS SELECT nextval('counter');
      CREATE ROLE idle NOLOGIN;
      CREATE ROLE guest LOGIN`);
      await own.end();
    });
    after(() => service?.stop());

    it('copies every row, by literal, by name, and over TLS with the name checked', async () => {
      for (const source of [at(ALLOWED), at('name.test'), at('name.test', { tls: true })]) {
        const rows: object[] = [];
        const { result, allowed, denied } = await counted(() =>
          importer()(source, 'orders', (batch) => rows.push(...batch)),
        );
        assert.equal(result, 1234);
        assert.deepEqual(rows.at(-1), { id: 1234, name: 'o1234' });
        assert.equal(rows.length, 1234);
        assert.deepEqual([allowed, denied], [1, 0]);
      }
    });

    it('a table of any name is a table, never SQL', async () => {
      assert.equal(await importer()(at(ALLOWED), 'odd "name', ignore), 1);
      assert.equal(await importer()(at(ALLOWED), 'nothing', ignore), 0);
      const { code } = await failure(importer()(at(ALLOWED), 'orders; DROP TABLE orders', ignore));
      assert.equal(code, 'no-such-table');
    });

    it('a denied host is not dialled: the customer reads what a closed port would give, the cause has the facts', async () => {
      for (const host of [DENIED, `::ffff:${DENIED}`, 'inside.test'])
        for (const tls of [false, true]) {
          const { result, allowed, denied } = await counted(() =>
            failure(importer()(at(host, { tls }), 'orders', ignore)),
          );
          assert.equal(result.code, 'unreachable');
          assert.equal(result.message, 'unreachable');
          await assertDenied(Promise.reject(result), {
            host,
            reason: 'blocked',
            address: DENIED,
            entry: DENIED,
          });
          assert.deepEqual([allowed, denied], [0, 0]);
        }
      const unused = await failure(importer()(at('nowhere.test'), 'orders', ignore));
      const closed = await failure(importer()(at(ALLOWED, { port: 1024 }), 'orders', ignore));
      for (const { code, message } of [unused, closed])
        assert.deepEqual([code, message], ['unreachable', 'unreachable']);
    });

    it('a name that rebinds leads in neither time', async () => {
      let asked = 0;
      const rebinding: Resolver = async () => [asked++ === 0 ? ALLOWED : DENIED];
      const importTable = importer({ resolver: rebinding });
      const { result, allowed, denied } = await counted(async () => {
        assert.equal(await importTable(at('rebind.test'), 'orders', ignore), 1234);
        return failure(importTable(at('rebind.test'), 'orders', ignore));
      });
      assert.equal(result.code, 'unreachable');
      assert.deepEqual([asked, allowed, denied], [2, 1, 0]);
    });

    it('a dial without rules takes those in effect for the customer', async () => {
      const importTable = createImporter({ dial: createDial({ resolver }) });
      const none = await failure(importTable(at(ALLOWED), 'orders', ignore));
      await assertDenied(Promise.reject(none), { host: ALLOWED, reason: 'no-rules' });
      const count = await netjail.withRules(rules, importTable, at(ALLOWED), 'orders', ignore);
      assert.equal(count, 1234);
    });

    it('over TLS another name than that of the certificate, or an unknown authority, is refused', async () => {
      const other = await failure(importer()(at('other.test', { tls: true }), 'orders', ignore));
      assert.equal(other.code, 'bad-certificate');
      const importTable = createImporter({ dial: createDial({ rules, resolver }) });
      const unknown = await failure(importTable(at('name.test', { tls: true }), 'orders', ignore));
      assert.equal(unknown.code, 'bad-certificate');
    });

    it('tells the customer what the database said', async () => {
      for (const [source, table, code] of [
        [at(ALLOWED, { user: 'idle' }), 'orders', 'login-failed'],
        [at(ALLOWED, { user: 'nobody' }), 'orders', 'login-failed'],
        [at(ALLOWED, { database: 'none' }), 'orders', 'no-such-database'],
        [at(ALLOWED, { user: 'guest' }), 'orders', 'not-permitted'],
        [at(ALLOWED), 'none', 'no-such-table'],
        // A view that writes: the transaction does not let it.
        [at(ALLOWED), 'writes', 'failed'],
      ] as const)
        assert.equal(
          (await failure(importer()(source, table, ignore))).code,
          code,
          `${source.user} ${table}`,
        );
    });

    it('a database that sends too much is cut off, with TLS and without', async () => {
      for (const tls of [false, true]) {
        let rows = 0;
        const importTable = importer({}, { sizeLimit: 100_000 });
        const { code } = await failure(
          importTable(at('name.test', { tls }), 'large', (batch) => (rows += batch.length)),
        );
        assert.equal(code, 'too-large');
        assert.ok(rows < 5000, `${rows} rows`);
      }
    });

    it('a database that takes too long is given up', async (t) => {
      const importTable = importer({}, { timeLimit: 500 });
      assert.equal((await failure(importTable(at(ALLOWED), 'slow', ignore))).code, 'too-slow');
      const { port, connections } = await startServer(t, () => {});
      assert.equal((await failure(importTable(at(ALLOWED, { port }), 'orders', ignore))).code, 'too-slow');
      assert.equal(connections(), 1);
    });

    it('a name that does not exist is unreachable, whatever is in it', async () => {
      const unknown = async (): Promise<string[]> => {
        throw Object.assign(new Error('getaddrinfo ENOTFOUND timeout.test'), { code: 'ENOTFOUND' });
      };
      const importTable = importer({ resolver: unknown });
      assert.equal((await failure(importTable(at('timeout.test'), 'orders', ignore))).code, 'unreachable');
    });

    it('an empty password is sent as that, not filled from our environment', async (t) => {
      const before = process.env['PGPASSWORD'];
      process.env['PGPASSWORD'] = 'ours';
      t.after(() => {
        if (before === undefined) delete process.env['PGPASSWORD'];
        else process.env['PGPASSWORD'] = before;
      });
      let password: string | undefined;
      // Asks for the password in plain text, and hangs up when it has it.
      const ask = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
      const { port } = await startServer(t, (socket, data, isFirst) => {
        if (isFirst) return void socket.write(ask);
        password = data.subarray(5).toString();
        socket.end();
      });
      await failure(importer()(at(ALLOWED, { port, password: '' }), 'orders', ignore));
      assert.equal(password, '\0');
    });

    it('runs with one command and prints each import', async (t) => {
      const { status, stdout, stderr } = await run(t, 'importer/main.js');
      assert.equal(status, 0, stdout + stderr);
      assert.equal(stdout.match(/^ {2}imported 1234 rows, the first: \{"id":1,/gm)?.length, 3);
      assert.equal(stdout.match(/^ {2}not imported: unreachable$/gm)?.length, 4);
      assert.ok(!stdout.includes('secret@'), 'a password is printed');
      assert.match(stdout, /^Connections: to the customers 5, to our own database 0\.$/m);
    });
  },
);

/** A server on the allowed address that is no database. */
async function startServer(
  t: TestContext,
  onData: (socket: net.Socket, data: Buffer, isFirst: boolean) => void,
): Promise<{ port: number; connections(): number }> {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    let isFirst = true;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      onData(socket, data, isFirst);
      isFirst = false;
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, ALLOWED);
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}
