// The hooks that docs/clients.md tells not to use, each shown to leak. When one of these tests fails
// because a client has closed the leak, the page has something to take back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net, { type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { loadRecipe } from '../helpers/services.ts';
import { never, rules } from './contract.ts';

const requireClient = createRequire(pathToFileURL(join(packageRoot, '../../examples/clients/redis.js')));

/** A look-up that lets nothing through at all. */
const refusing: LookupFunction = (host, _options, callback) =>
  process.nextTick(callback, new Error(`${host} is refused by the look-up`), '', 0);

/** Counts connections at an address, and may talk. */
async function listen(
  t: TestContext,
  address: string,
  talk?: (socket: Socket) => void,
): Promise<{ port: number; connections: number; connected: Promise<unknown> }> {
  const server = net.createServer();
  const open = new Set<Socket>();
  const site = { port: 0, connections: 0, connected: once(server, 'connection') };
  server.on('connection', (socket) => {
    site.connections++;
    open.add(socket.on('error', () => {}));
    if (talk === undefined) socket.destroy();
    else talk(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  site.port = (server.address() as AddressInfo).port;
  t.after(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return site;
}

interface MongoModule {
  MongoClient: new (url: string, options: object) => { connect(): Promise<unknown>; close(): Promise<void> };
  BSON: { serialize(document: object): Uint8Array };
}
interface RedisModule {
  createClient(options: object): { on(event: string, listener: () => void): void; connect(): Promise<unknown>; destroy(): void };
}
interface AmqpModule {
  connect(url: object, options: object): Promise<unknown>;
}

describe('`lookup` of node-redis', () => {
  it('is not called for an address', async (t) => {
    const site = await listen(t, DENIED);
    const { createClient } = requireClient('redis') as RedisModule;
    const socket = { host: DENIED, port: site.port, lookup: refusing, reconnectStrategy: false };
    const client = createClient({ socket });
    client.on('error', () => {});
    await assert.rejects(client.connect());
    assert.equal(site.connections, 1);
  });
});

describe('`lookup` of amqplib', () => {
  it('is not called for an address', async (t) => {
    const site = await listen(t, DENIED);
    const { connect } = requireClient('amqplib') as AmqpModule;
    await assert.rejects(connect({ hostname: DENIED, port: site.port }, { lookup: refusing }));
    assert.equal(site.connections, 1);
  });
});

describe('mongodb', () => {
  const { MongoClient, BSON } = requireClient('mongodb') as MongoModule;

  /** Answers each OP_MSG as the secondary of a replica set with one more member. */
  const secondary = (me: () => string, member: string) => (socket: Socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 16 && bytes.length >= bytes.readInt32LE(0)) {
        const id = bytes.readInt32LE(4);
        const isQuery = bytes.readInt32LE(12) === 2004;
        bytes = bytes.subarray(bytes.readInt32LE(0));
        const hello = {
          ...{ ok: 1, helloOk: true, secondary: true, isWritablePrimary: false, setName: 'set', setVersion: 1 },
          ...{ hosts: [me(), member], me: me(), minWireVersion: 0, maxWireVersion: 21, version: '7.0.0' },
          ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
        };
        const body = BSON.serialize(hello);
        const head = Buffer.alloc(isQuery ? 36 : 21);
        head.writeInt32LE(head.length + body.length, 0);
        head.writeInt32LE(id, 8);
        head.writeInt32LE(isQuery ? 1 : 2013, 12);
        if (isQuery) head.writeInt32LE(1, 32);
        socket.write(Buffer.concat([head, body]));
      }
    });
  };

  const replicaSet = async (t: TestContext): Promise<{ seed: { port: number }; member: { connections: number; connected: Promise<unknown> } }> => {
    const member = await listen(t, DENIED);
    const seed: { port: number } = await listen(
      t,
      ALLOWED,
      secondary(() => `${ALLOWED}:${seed.port}`, `${DENIED}:${member.port}`),
    );
    return { seed, member };
  };

  it('`lookup` is not called for the members that a server names', async (t) => {
    const { seed, member } = await replicaSet(t);
    const client = new MongoClient(`mongodb://${ALLOWED}:${seed.port}/?replicaSet=set`, {
      lookup: refusing,
      serverSelectionTimeoutMS: 1500,
    });
    t.after(() => client.close());
    const connecting = client.connect().catch(() => {});
    await member.connected;
    assert.ok(member.connections > 0);
    await connecting;
  });

  it('mongodb.js is kept from the members that a server names', async (t) => {
    const { seed, member } = await replicaSet(t);
    const { open } = await loadRecipe('mongodb.js');
    const handle = await open({ rules, resolver: never }, { host: ALLOWED, port: seed.port });
    t.after(() => handle.close());
    assert.equal(await handle.use(), '7.0.0');
    assert.equal(member.connections, 0);
  });
});
