// A TLS session that was made under other rules.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { ALLOWED, tlsCertificate } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'] });
const same = new Rules({ allow: ['127.0.0.2', '127.0.0.0/8'] });
const other = new Rules({ allow: [ALLOWED] });

for (const adapter of adapters.filter(({ pools }) => pools)) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    describe(`${adapter.name} over ${version}`, () => {
      it('resumes a session under the same policy only', async (t) => {
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
        const { port } = server.address() as AddressInfo;
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
