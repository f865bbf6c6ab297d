// Addresses that carry a blocked IPv4 address: a gateway on the way unwraps them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { assertDenied } from '../helpers/denial.ts';
import { DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'], block: ['127.0.0.1'] });

/** Spelling as URLs have it, and the IPv4 address inside. */
const CARRIERS: [name: string, address: string][] = [
  ['IPv4-compatible', '::7f00:1'],
  ['NAT64, 64:ff9b::/96', '64:ff9b::7f00:1'],
  ['NAT64, 64:ff9b:1::/48', '64:ff9b:1:7f00:0:100::'],
  ['IPv4-translated', '::ffff:0:7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo, server', '2001:0:7f00:1::'],
  ['Teredo, client', '2001:0:808:808::80ff:fffe'],
  ['ISATAP', 'fe80::5efe:7f00:1'],
  ['ISATAP, universal', '2001:db8::200:5efe:7f00:1'],
];

for (const adapter of adapters) {
  describe(`${adapter.name} denies the carried address`, () => {
    it('of a mapped one, in every spelling, as what it is', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: () => assert.fail('the resolver was asked') });
      for (const host of ['[::ffff:127.0.0.1]', '[::FFFF:7F00:1]', '[0:0:0:0:0:ffff:127.0.0.1]']) {
        await assertDenied(client.request(lab.url(host)), {
          host: '::ffff:7f00:1',
          reason: 'blocked',
          address: DENIED,
          entry: '127.0.0.1',
        });
      }
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    for (const [name, address] of CARRIERS) {
      it(`of ${name}, as a literal and as an answer`, async (t) => {
        const lab = await startLab(t);
        const client = adapter.create({ rules, resolver: async () => [address] });
        const denial = {
          reason: 'carried-address-blocked',
          address,
          entry: '127.0.0.1',
          carried: DENIED,
        } as const;
        await assertDenied(client.request(lab.url(`[${address}]`)), { host: address, ...denial });
        await assertDenied(client.request(lab.url('name.test')), { host: 'name.test', ...denial });
        assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
        await client.destroy();
      });
    }
  });
}
