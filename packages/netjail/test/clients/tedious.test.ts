// There is no SQL Server here: a server of the test's own speaks as much TDS as a login needs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { it } from 'node:test';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { openSites, type Service } from '../helpers/services.ts';
import { assertDeniedBy, contract, counted, never, rules, useOnce, withService } from './contract.ts';

const le16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const text = (value: string): Buffer => Buffer.from(value, 'utf16le');
const token = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), le16(body.length), body]);

function packet(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([
    Buffer.from([4, 1, (body.length + 8) >> 8, (body.length + 8) & 0xff, 0, 0, 1, 0]),
    body,
  ]);
}

/** No encryption. */
const PRELOGIN = packet(Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 15, 0, 0, 0, 0, 0, 2]));
const DONE = Buffer.from([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const LOGINACK = token(
  0xad,
  Buffer.concat([Buffer.from([1, 0x74, 0, 0, 4, 4]), text('Test'), Buffer.from([15, 0, 0, 0])]),
);
const INFO = token(
  0xab,
  Buffer.concat([Buffer.from([1, 0, 0, 0, 1, 0]), le16(5), text('hello'), Buffer.from([0, 0, 0, 0, 0, 0])]),
);

interface Route {
  host: string;
  port: number;
}

const toRoute = ({ host, port }: Route): Buffer => {
  const value = Buffer.concat([Buffer.from([0]), le16(port), le16(host.length), text(host)]);
  return token(0xe3, Buffer.concat([Buffer.from([20]), le16(value.length), value, le16(0)]));
};

let route: Route | undefined;

async function start(): Promise<Service> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (data) => {
        if (data[0] === 0x12) socket.write(PRELOGIN);
        else if (data[0] !== 0x10) socket.write(packet(DONE));
        else
          socket.write(
            route === undefined ? packet(INFO, LOGINACK, DONE) : packet(LOGINACK, toRoute(route), DONE),
          );
      });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const sites = await openSites({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  return {
    host: ALLOWED,
    denied: DENIED,
    port: sites.port,
    sites: [sites],
    user: 'user',
    password: 'password',
    encrypt: false,
    connections: async () => ({
      allowed: await sites.allowed.connections(),
      denied: await sites.denied.connections(),
    }),
    stop: async () => {
      await sites.close();
      server.close();
    },
  };
}

withService(
  'tedious',
  (service) => {
    contract(service, { file: 'tedious.js', says: /^hello$/ });

    it('tedious.js is denied when the server reroutes it to a denied address', async (t) => {
      route = { host: DENIED, port: service().port };
      t.after(() => (route = undefined));
      const recipe = await loadRecipe('tedious.js');
      const { denied } = await counted(service(), () =>
        assertDeniedBy(
          recipe,
          () => useOnce(t, recipe, { rules, resolver: never }, { ...service(), host: ALLOWED }),
          {
            host: DENIED,
            reason: 'blocked',
            address: DENIED,
          },
        ),
      );
      assert.equal(denied, 0);
    });
  },
  start,
);
