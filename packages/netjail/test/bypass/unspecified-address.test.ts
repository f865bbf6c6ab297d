// 0.0.0.0 and :: reach the local host past a block of loopback.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { assertDenied } from '../helpers/denial.ts';

const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'], block: ['127.0.0.0/8', '::1'] });

for (const adapter of adapters) {
  describe(`${adapter.name} with an unspecified address`, () => {
    it('denies it as a literal and as an answer, where loopback is blocked', async (t) => {
      let seen = 0;
      // It listens where 0.0.0.0 and :: lead to.
      const server = net.createServer((socket) => (seen++, socket.destroy())).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      for (const [host, answer, address] of [
        ['0.0.0.0', '0.0.0.0', '0.0.0.0'],
        ['0', '0.0.0.0', '0.0.0.0'],
        ['[::]', '::', '::'],
        ['[::ffff:0.0.0.0]', '::ffff:0.0.0.0', '0.0.0.0'],
      ] as const) {
        const client = adapter.create({ rules, resolver: async () => [answer] });
        const denial = { reason: 'loopback-blocked', address, entry: '127.0.0.0/8' } as const;
        const { hostname } = new URL(`http://${host}`);
        await assertDenied(client.request(`http://${host}:${port}/`), {
          host: hostname.replace(/^\[|\]$/g, ''),
          ...denial,
        });
        await assertDenied(client.request(`http://name.test:${port}/`), { host: 'name.test', ...denial });
        await client.destroy();
      }
      const carrier = adapter.create({ rules });
      await assertDenied(carrier.request(`http://[64:ff9b::]:${port}/`), {
        host: '64:ff9b::',
        reason: 'carried-address-blocked',
        address: '64:ff9b::',
        entry: '127.0.0.0/8',
        carried: '0.0.0.0',
      });
      await carrier.destroy();
      assert.equal(seen, 0);
    });
  });
}
