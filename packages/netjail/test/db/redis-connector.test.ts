import assert from 'node:assert/strict';
import { once, type EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'node:test';
import {
  createRedisConnector as create,
  type RedisConnector,
  type RedisConnectorOptions,
} from '../../src/db/index.ts';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { packageRoot } from '../helpers/data.ts';
import { assertDenied } from '../helpers/denial.ts';
import { hangingFirst } from '../helpers/hanging.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';

const createRedisConnector = create as (
  ...args: Parameters<typeof create>
) => new (options: RedisConnectorOptions) => RedisConnector;

const requireClient = createRequire(pathToFileURL(join(packageRoot, '../../examples/clients/ioredis.js')));
const { Redis } = requireClient('ioredis') as {
  Redis: new (
    options: object,
  ) => EventEmitter & { get(key: string): Promise<unknown>; disconnect(again?: boolean): void };
};

/** The error of an attempt after which ioredis tries again. */
async function failed(connector: RedisConnector): Promise<string> {
  const socket = await connector.connect();
  assert.equal(socket.destroyed, true);
  const { firstError } = connector as unknown as { firstError: Error & { code?: string } };
  return firstError.code ?? firstError.message;
}

/** A port on which nobody listens: it was given to a server that is gone. */
async function unusedPort(): Promise<number> {
  const server = net.createServer().listen(0, ALLOWED);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Answers OK to each command; unlike a real one it begins to when the test wants it. */
function fakeRedis(): net.Server {
  return net.createServer((socket) => {
    socket.on('data', (data) => {
      for (const _command of String(data).match(/\*[0-9]+/g) ?? []) socket.write('$2\r\nOK\r\n');
    });
  });
}

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
  });

  it('takes what `locate` found for right when it has the role that is asked for', () => {
    const here = new (createRedisConnector({ rules }))({ host: ALLOWED });
    assert.deepEqual([here.check(), here.check({ role: 'slave' })], [true, true]);
    const Located = createRedisConnector({ rules }, () => ({ host: ALLOWED, port: 1 }));
    const master = new Located({});
    assert.deepEqual(
      [master.check({}), master.check({ role: 'master' }), master.check({ role: 'slave' })],
      [true, true, false],
    );
    const replica = new Located({ role: 'slave' });
    assert.deepEqual([replica.check({ role: 'master' }), replica.check({ role: 'slave' })], [false, true]);
  });

  for (const [name, found] of [
    ['no answer', null],
    ['no host', { host: '', port: 1 }],
    ['no port', { host: ALLOWED, port: '0' }],
    ['text that is no port', { host: ALLOWED, port: 'x' }],
  ] as [string, never][]) {
    it(`has ioredis try again when \`locate\` finds ${name}`, async () => {
      const connector = new (createRedisConnector({ rules }, () => found))({});
      assert.match(await failed(connector), /^ERR_NETJAIL_INVALID_|Cannot destructure/);
    });
  }

  for (const tls of [undefined, null, false] as const) {
    it(`speaks no TLS when \`tls\` is ${tls}`, async (t) => {
      const lab = await startLab(t);
      const connector = new (createRedisConnector({ rules }))({ host: ALLOWED, port: lab.port, tls });
      const socket = await inTime(connector.connect(), 'the connection');
      assert.equal((socket as { encrypted?: boolean }).encrypted, undefined);
      connector.disconnect();
      await lab.drained();
    });
  }

  it('does not cut a connection at once when its limit is longer than a timer can be', async (t) => {
    const lab = await startLab(t);
    // A timer that is too long fires after 1 ms, so before this answer.
    const resolver = (): Promise<string[]> => new Promise((resolve) => setTimeout(resolve, 5, [ALLOWED]));
    const Connector = createRedisConnector({ rules, resolver });
    const connector = new Connector({ host: 'name.test', port: lab.port, connectTimeout: 2 ** 31 });
    assert.equal((await inTime(connector.connect(), 'the connection')).remoteAddress, ALLOWED);
    connector.disconnect();
    await lab.drained();
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
    const other = new Connector({ host: 'other.test', port: lab.port, tls });
    assert.equal(await failed(other), 'ERR_TLS_CERT_ALTNAME_INVALID');
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
    assert.equal((await connecting).destroyed, true);
    asked([ALLOWED]);
  });

  it('lets ioredis connect again when it is disconnected for that while it connects', async (t) => {
    const fake = fakeRedis();
    fake.listen(0, ALLOWED);
    await once(fake, 'listening');
    t.after(() => fake.close());
    const { port } = fake.address() as net.AddressInfo;
    const hanging = hangingFirst();
    const Connector = createRedisConnector({ rules, resolver: hanging.resolver });
    const options = { port, Connector, enableReadyCheck: false, retryStrategy: () => 1 };
    const client = new Redis({ host: 'name.test', ...options });
    t.after(() => client.disconnect());
    await hanging.begun;
    client.disconnect(true);
    assert.equal(await inTime(client.get('x'), 'the client'), 'OK');
    assert.equal(hanging.lookUps, 2);
  });

  it('connects by the family that the client asks for', async () => {
    const families: number[] = [];
    const resolver = async (_host: string, { family }: { family: number }): Promise<string[]> => {
      families.push(family);
      return [];
    };
    const Connector = createRedisConnector({ rules, resolver });
    for (const options of [{}, { family: 4 }, { family: 6 }])
      await new Connector({ host: 'name.test', port: 1, ...options }).connect();
    assert.deepEqual(families, [0, 4, 6]);
  });

  it('ends an attempt that takes longer than connectTimeout', async () => {
    const Connector = createRedisConnector({ rules, resolver: () => new Promise(() => {}) });
    const connector = new Connector({ host: 'name.test', port: 1, connectTimeout: 20 });
    assert.equal(await failed(connector), 'ERR_NETJAIL_TIMEOUT');
  });

  it('ends an attempt that is disconnected while TLS is being agreed on', async (t) => {
    const silent = net.createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}));
    silent.listen(0, ALLOWED);
    await once(silent, 'listening');
    const { port } = silent.address() as net.AddressInfo;
    const accepted = once(silent, 'connection') as Promise<[net.Socket]>;
    const Connector = createRedisConnector({ rules });
    const connector = new Connector({ host: ALLOWED, port, tls: {} });
    const connecting = connector.connect();
    const [socket] = await accepted;
    // With the client's first message it is connected on the other side, too.
    await once(socket, 'data');
    const ended = once(socket, 'close');
    connector.disconnect();
    assert.equal((await connecting).destroyed, true);
    socket.end();
    await ended;
    t.after(() => silent.close());
  });

  it('lets the last reply come when it is disconnected, and cuts a peer that does not end after disconnectTimeout', async (t) => {
    const peers: net.Socket[] = [];
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      peers.push(socket.on('error', () => {}));
      socket.resume().on('end', () => socket.write('bye'));
    });
    await once(server.listen(0, ALLOWED), 'listening');
    t.after(() => (peers.forEach((peer) => peer.destroy()), server.close()));
    const { port } = server.address() as net.AddressInfo;
    const Connector = createRedisConnector({ rules });
    const connector = new Connector({ host: ALLOWED, port, disconnectTimeout: 20 });
    const socket = await connector.connect();
    const reply = once(socket, 'data') as Promise<[Buffer]>;
    const closed = once(socket, 'close');
    connector.disconnect();
    assert.equal(String((await inTime(reply, 'the reply'))[0]), 'bye');
    await inTime(closed, 'the end');
    assert.equal(socket.destroyed, true);
  });

  it('ends an attempt that is disconnected while it is told where to go, or waits for that in vain', async () => {
    const Connector = createRedisConnector({ rules }, () => new Promise(() => {}));
    const connector = new Connector({});
    const connecting = connector.connect();
    connector.disconnect();
    assert.equal((await connecting).destroyed, true);
  });

  it('opens nothing for an attempt that was ended, when another one is under way', async (t) => {
    const lab = await startLab(t);
    const answers: ((place: { host: string; port: number }) => void)[] = [];
    const Connector = createRedisConnector({ rules }, () => new Promise((resolve) => answers.push(resolve)));
    const connector = new Connector({});
    const first = connector.connect();
    connector.disconnect();
    assert.equal((await first).destroyed, true);
    const second = connector.connect();
    const place = { host: ALLOWED, port: lab.port };
    answers[0]!(place);
    await new Promise(setImmediate);
    answers[1]!(place);
    await second;
    assert.equal(lab.allowed.connections, 1);
    // And that one can still be ended.
    connector.disconnect();
    await inTime(lab.drained(), 'the connection');
  });

  it('hands out a socket that has ended, and why, when there is nothing to connect to', async (t) => {
    const lab = await startLab(t);
    const Connector = createRedisConnector({ rules });
    const connector = new Connector({ host: ALLOWED, port: await unusedPort() });
    assert.equal(await failed(connector), 'ECONNREFUSED');
    const lost = new (createRedisConnector({ rules }, () => Promise.reject(new Error('no Sentinel'))))({});
    assert.equal(await failed(lost), 'no Sentinel');
    // A denial of whoever it asks is a denial.
    const dial = createDial({ rules });
    const ask = async (): Promise<never> => {
      const [error] = (await once(dial({ host: DENIED, port: lab.port }), 'error')) as [Error];
      throw error;
    };
    await assertDenied(new (createRedisConnector({ rules }, ask))({}).connect(), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: DENIED,
    });
    // The next attempt knows nothing of it.
    const places = [await unusedPort(), lab.port];
    const Moving = createRedisConnector({ rules }, () => ({ host: ALLOWED, port: places.shift()! }));
    const moving = new Moving({});
    assert.equal(await failed(moving), 'ECONNREFUSED');
    assert.equal((await moving.connect()).remoteAddress, ALLOWED);
    assert.equal((moving as unknown as { firstError: unknown }).firstError, undefined);
    moving.disconnect();
  });

  it('lets ioredis try again until a server is there, and ends it with a denial', async (t) => {
    const port = await unusedPort();
    const Connector = createRedisConnector({ rules });
    const options = { port, Connector, enableReadyCheck: false, retryStrategy: () => 1 };
    const redis = new Redis({ host: ALLOWED, ...options, maxRetriesPerRequest: null });
    t.after(() => redis.disconnect());
    const answer = redis.get('x') as Promise<string>;
    const [error] = (await once(redis, 'error')) as [{ code?: string }];
    assert.equal(error.code, 'ECONNREFUSED');
    const fake = fakeRedis();
    fake.listen(port, ALLOWED);
    t.after(() => fake.close());
    redis.on('error', () => {});
    assert.equal(await inTime(answer, 'the command'), 'OK');

    const denied = new Redis({ host: DENIED, ...options });
    const ended = new Promise((resolve) => denied.once('end', resolve));
    const [denial] = (await once(denied, 'error')) as [Error];
    assert.equal(deniedError(denial)?.reason, 'blocked');
    await inTime(ended, 'the denied client');
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
