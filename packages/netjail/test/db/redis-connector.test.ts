import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import {
  createRedisConnector as create,
  type RedisConnector,
  type RedisConnectorOptions,
} from '../../src/db/index.ts';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';

const createRedisConnector = create as (
  ...args: Parameters<typeof create>
) => new (options: RedisConnectorOptions) => RedisConnector;

const rules = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });

describe('createRedisConnector()', () => {
  it('hands out a connected socket', async (t) => {
    const lab = await startLab(t);
    const Connector = createRedisConnector({ rules });
    const connector = new Connector({ host: ALLOWED, port: lab.port });
    const socket = await connector.connect();
    assert.deepEqual([socket.connecting, socket.remoteAddress], [false, ALLOWED]);
    connector.disconnect();
    await lab.drained();
    assert.equal(connector.check(), true);
  });

  it('rejects with the denial', async (t) => {
    const lab = await startLab(t);
    const Connector = createRedisConnector({ rules });
    const call = new Connector({ host: DENIED, port: lab.port }).connect();
    await assertDenied(call, { host: DENIED, reason: 'blocked', address: DENIED, entry: DENIED });
    assert.equal(lab.denied.connections, 0);
  });

  it('goes where it is told at each connection, and judges that', async (t) => {
    const lab = await startLab(t);
    const places = [ALLOWED, DENIED];
    const Connector = createRedisConnector({ rules }, async () => ({
      host: places.shift()!,
      port: lab.port,
    }));
    const connector = new Connector({ host: 'unused.test', port: 1 });
    assert.equal((await connector.connect()).remoteAddress, ALLOWED);
    connector.disconnect();
    await assertDenied(connector.connect(), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: DENIED,
    });
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('keeps the rules in effect at its creation when it connects elsewhere', async (t) => {
    const lab = await startLab(t);
    const Connector = withRules(rules, () => createRedisConnector());
    const connector = new Connector({ host: ALLOWED, port: lab.port });
    assert.equal((await withRules(null, () => connector.connect())).remoteAddress, ALLOWED);
    connector.disconnect();
  });

  it('denies the path of a Unix socket', async () => {
    const Connector = createRedisConnector({ rules });
    const call = new Connector({ path: '/run/redis.sock', host: ALLOWED, port: 1 }).connect();
    await assertDenied(call, { host: '/run/redis.sock', reason: 'path-not-allowed' });
  });

  it('connects to the path of a Unix socket that an entry names', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'netjail-connector-'));
    const path = join(folder, 'redis.sock');
    const server = net.createServer((socket) => void socket.end('hello')).listen(path);
    await once(server, 'listening');
    t.after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const Connector = createRedisConnector({ rules: new Rules({ allow: [{ path }] }) });
    const connector = new Connector({ path, host: 'localhost', port: 6379 });
    assert.equal(await text(await connector.connect()), 'hello');
    connector.disconnect();
  });

  it('checks the certificate against the host, whatever host `tls` names', async (t) => {
    const lab = await startLab(t, 'https');
    const { cert: ca } = await tlsCertificate();
    const Connector = createRedisConnector({ rules, resolver: async () => [ALLOWED] });
    const tls = { ca, host: DENIED, port: 1 };
    const connector = new Connector({ host: 'name.test', port: lab.port, tls });
    assert.equal((await connector.connect()).remoteAddress, ALLOWED);
    connector.disconnect();
    await assert.rejects(new Connector({ host: 'other.test', port: lab.port, tls }).connect(), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    assert.equal(lab.denied.connections, 0);
  });

  it('ends an attempt that is disconnected', async () => {
    let asked: (answer: string[]) => void = () => {};
    const answers = new Promise<string[]>((resolve) => (asked = resolve));
    const Connector = createRedisConnector({ rules, resolver: () => answers });
    const connector = new Connector({ host: 'name.test', port: 1 });
    const connecting = connector.connect();
    await new Promise((resolve) => setImmediate(resolve));
    connector.disconnect();
    await assert.rejects(connecting, { message: 'Connection is closed.' });
    asked([ALLOWED]);
  });

  it('ends an attempt that takes longer than connectTimeout', async () => {
    const Connector = createRedisConnector({ rules, resolver: () => new Promise(() => {}) });
    const connector = new Connector({ host: 'name.test', port: 1, connectTimeout: 20 });
    await assert.rejects(connector.connect(), { code: 'ERR_NETJAIL_TIMEOUT' });
  });

  it('throws when given malformed options', () => {
    assert.throws(() => createRedisConnector({ lookup: 1 } as never), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_OPTION',
      message: /"lookup": there is no such option/,
    });
    assert.throws(() => createRedisConnector({}, 'sentinel' as never), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_OPTION',
      message: /"locate": it is a function, not "sentinel"/,
    });
  });
});
