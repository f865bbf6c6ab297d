// A TLS session that was made under other rules.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import * as undici from 'undici';
import { ALLOWED, tlsCertificate } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'] });
const same = new Rules({ allow: ['127.0.0.2', '127.0.0.0/8'] });
const other = new Rules({ allow: [ALLOWED] });

type Version = 'TLSv1.2' | 'TLSv1.3';

/** A server that ends each connection, and which of them resumed a session. */
async function startServer(
  t: TestContext,
  version: Version,
): Promise<{ cert: string; port: number; resumed: boolean[] }> {
  const { cert, key } = await tlsCertificate();
  const resumed: boolean[] = [];
  const server = https.createServer({ cert, key, maxVersion: version }, (_request, response) =>
    response.setHeader('connection', 'close').end('hello'),
  );
  server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()));
  server.listen(0, ALLOWED);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { cert, port: (server.address() as AddressInfo).port, resumed };
}

for (const adapter of adapters.filter(({ pools }) => pools)) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as Version[]) {
    describe(`${adapter.name} over ${version}`, () => {
      it('resumes a session under the same policy only', async (t) => {
        const { cert, port, resumed } = await startServer(t, version);
        const client = adapter.create({ ca: cert, resolver: async () => [ALLOWED] });
        for (const scope of [rules, same, other, other, rules]) {
          const { status } = await withRules(scope, () => client.request(`https://name.test:${port}/`));
          assert.equal(status, 200);
        }
        assert.deepEqual(resumed, [false, true, false, true, true]);
        await client.destroy();
      });
    });
  }
}

describe('maxCachedSessions', () => {
  const { Agent } = undici;
  const requests = async (t: TestContext, options: object): Promise<boolean[]> => {
    const { cert, port, resumed } = await startServer(t, 'TLSv1.3');
    const resolver = async (): Promise<string[]> => [ALLOWED];
    const dispatcher = new Dispatcher({ Agent, rules, resolver, connect: { ca: cert }, ...options });
    for (let i = 0; i < 2; i++) {
      const { body } = await dispatcher.request({
        origin: `https://name.test:${port}`,
        path: '/',
        method: 'GET',
      });
      await body.dump();
    }
    await dispatcher.destroy();
    return resumed;
  };

  it('resumes sessions when it is not given, and when it is 1', async (t) => {
    assert.deepEqual(await requests(t, {}), [false, true]);
    assert.deepEqual(await requests(t, { maxCachedSessions: 1 }), [false, true]);
  });

  it('resumes none when it is 0', async (t) => {
    assert.deepEqual(await requests(t, { maxCachedSessions: 0 }), [false, false]);
    const { cert: ca } = await tlsCertificate();
    assert.deepEqual(await requests(t, { connect: { ca, maxCachedSessions: 0 } }), [false, false]);
  });

  it('throws when it is no number from 0', () => {
    for (const maxCachedSessions of [-1, 0.5, '1'])
      assert.throws(() => new Dispatcher({ Agent, rules, maxCachedSessions } as never), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_OPTION',
        message: /"maxCachedSessions": it is a whole number from 0/,
      });
  });
});
