import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { it } from 'node:test';
import { DENIED, tlsCertificate } from '../helpers/lab.ts';
import { packageRoot } from '../helpers/data.ts';
import { netjail, recipe as loadRecipe } from '../helpers/recipes.ts';
import { openSites, type Service } from '../helpers/services.ts';
import { contract, counted, never, rules, useOnce, withService } from './contract.ts';

const PATH = '/netjail.Test/Hello';
const requireClient = createRequire(pathToFileURL(join(packageRoot, '../../examples/clients/grpc.js')));
const grpc = requireClient('@grpc/grpc-js') as Grpc;

/** The little of it that a server takes. */
interface Grpc {
  Server: new () => {
    addService(service: object, handlers: object): void;
    bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  Client: new (
    target: string,
    credentials: unknown,
  ) => {
    makeUnaryRequest(
      path: string,
      serialize: (text: string) => Buffer,
      deserialize: (bytes: Buffer) => string,
      argument: string,
      options: object,
      done: (result: unknown) => void,
    ): void;
    close(): void;
  };
  credentials: { createInsecure(): unknown };
  ServerCredentials: {
    createInsecure(): unknown;
    createSsl(roots: null, pairs: { private_key: Buffer; cert_chain: Buffer }[]): unknown;
  };
}

async function start(): Promise<Service> {
  const { cert, key } = await tlsCertificate();
  const server = new grpc.Server();
  const bytes = (text: string): Buffer => Buffer.from(text);
  const hello = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: String,
    responseSerialize: bytes,
    responseDeserialize: String,
  };
  server.addService(
    { hello },
    { hello: (_call: unknown, done: (error: null, answer: string) => void) => done(null, 'hello') },
  );
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const listen = (credentials: unknown): Promise<number> =>
    new Promise((resolve, reject) => {
      server.bindAsync(`${DENIED}:0`, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  const plain = await openSites({
    host: DENIED,
    port: await listen(grpc.ServerCredentials.createInsecure()),
  });
  const tls = await openSites({
    host: DENIED,
    port: await listen(grpc.ServerCredentials.createSsl(null, [pair])),
  });
  const sites = [plain, tls];
  return {
    host: '127.0.0.2',
    denied: DENIED,
    port: plain.port,
    tlsPort: tls.port,
    sites,
    cert,
    path: PATH,
    connections: async () => {
      const sum = {
        allowed: 0,
        denied: 0,
      };
      for (const { allowed, denied } of sites) {
        sum.allowed += await allowed.connections();
        sum.denied += await denied.connections();
      }
      return sum;
    },
    stop: async () => {
      server.forceShutdown();
      await Promise.all(sites.map((each) => each.close()));
    },
  };
}

withService(
  'grpc',
  (service) => {
    contract(service, { file: 'grpc.js', says: /^hello$/, tls: ({ tlsPort }) => tlsPort! });

    it('does not go through a proxy that the environment names', async (t) => {
      const recipe = await loadRecipe('grpc.js');
      process.env['grpc_proxy'] = `http://${DENIED}:${service().port}`;
      t.after(() => delete process.env['grpc_proxy']);
      const target = { ...service(), tls: undefined };
      const { result, denied } = await counted(service(), () =>
        useOnce(t, recipe, { rules, resolver: never }, target),
      );
      assert.deepEqual([result, denied], ['hello', 0]);
    });

    it('has a connection of its own for each channel, so that none is shared between rules', async (t) => {
      const recipe = await loadRecipe('grpc.js');
      const target = { ...service(), tls: undefined };
      const { allowed } = await counted(service(), async () => {
        const first = await recipe.open({ rules, resolver: never }, target);
        t.after(() => first.close());
        assert.equal(await first.use(), 'hello');
        assert.equal(await first.use(), 'hello');
        const other = new netjail.Rules({ allow: [target.host] });
        assert.equal(await useOnce(t, recipe, { rules: other, resolver: never }, target), 'hello');
      });
      assert.equal(allowed, 2);
    });

    it('leaks to a proxy that the environment names without grpc.enable_http_proxy: 0', async (t) => {
      const recipe = await loadRecipe('grpc.js');
      // Registers the scheme.
      (await recipe.open({ rules, resolver: never }, { ...service(), tls: undefined })).close();
      process.env['grpc_proxy'] = `http://${DENIED}:${service().port}`;
      t.after(() => delete process.env['grpc_proxy']);
      const { host, port } = service();
      const { denied } = await counted(service(), async () => {
        const client = new grpc.Client(`guarded:///${host}:${port}`, grpc.credentials.createInsecure());
        const bytes = (text: string): Buffer => Buffer.from(text);
        await new Promise((done) => {
          client.makeUnaryRequest(PATH, bytes, String, 'hello', { deadline: Date.now() + 2000 }, done);
        });
        client.close();
      });
      assert.ok(denied > 0, 'it was not connected: the table has something to take back');
    });
  },
  start,
);
