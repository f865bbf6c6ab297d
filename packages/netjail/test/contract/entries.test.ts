import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resolver } from '../../src/resolver.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const never: Resolver = () => assert.fail('the resolver was asked');

/** Every name leads to both sites; the second only where it is allowed. */
function asking(): Resolver & { asked: string[] } {
  const asked: string[] = [];
  return Object.assign(
    async (host: string): Promise<string[]> => {
      asked.push(host);
      return [DENIED, ALLOWED];
    },
    { asked },
  );
}

for (const adapter of adapters) {
  describe(`${adapter.name} entries with host and port`, () => {
    it('reaches the server when host, port and prefix of an entry match', async (t) => {
      const lab = await startLab(t);
      const resolver = asking();
      const rules = new Rules({ allow: [{ host: '*.Name.TEST.', port: lab.port, prefix: `${ALLOWED}/32` }] });
      const client = adapter.create({ rules, resolver });
      assert.equal((await client.request(lab.url('api.name.test'))).body, `hello from ${ALLOWED}`);
      assert.deepEqual([resolver.asked, lab.allowed.requests.length], [['api.name.test'], 1]);
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('denies without a look-up when no allow entry has the host, or none on the port', async (t) => {
      const lab = await startLab(t);
      const rules = new Rules({
        allow: [
          { host: '*.name.test', port: lab.port },
          { host: 'name.test', port: lab.port === 1 ? 2 : 1 },
        ],
      });
      const client = adapter.create({ rules, resolver: never });
      await assertDenied(client.request(lab.url('other.test')), {
        host: 'other.test',
        reason: 'host-not-allowed',
      });
      await assertDenied(client.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'port-not-allowed',
      });
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
      await client.destroy();
    });

    it('denies without a look-up when a block entry names the host or the port', async (t) => {
      const lab = await startLab(t);
      const byHost = adapter.create({
        rules: new Rules({ allow: ['0.0.0.0/0'], block: [{ host: 'name.test' }] }),
        resolver: never,
      });
      await assertDenied(byHost.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'host-blocked',
        entry: '{"host":"name.test"}',
      });
      await byHost.destroy();
      const byPort = adapter.create({
        rules: new Rules({ allow: ['0.0.0.0/0'], block: [{ port: lab.port }] }),
        resolver: never,
      });
      await assertDenied(byPort.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'port-blocked',
        entry: `{"port":${lab.port}}`,
      });
      await assertDenied(byPort.request(lab.url(ALLOWED)), {
        host: ALLOWED,
        reason: 'port-blocked',
        address: ALLOWED,
        entry: `{"port":${lab.port}}`,
      });
      await byPort.destroy();
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });

    it('denies a redirect to another host or port of an allowed site', async (t) => {
      const lab = await startLab(t);
      const rules = new Rules({ allow: [{ host: 'name.test', port: lab.port }] });
      const client = adapter.create({ rules, resolver: async () => [ALLOWED] });
      for (const [target, reason] of [
        [lab.url('other.test', '/'), 'host-not-allowed'],
        [lab.url(ALLOWED, '/'), 'not-allowed'],
        [`http://name.test:${lab.port === 1024 ? 1025 : 1024}/`, 'port-not-allowed'],
      ] as const) {
        const first = client.request(lab.url('name.test', `/redirect?${encodeURIComponent(target)}`));
        // What does not follow redirects itself sends the next request as a caller would.
        const followed = adapter.redirects
          ? first
          : first.then((reply) => (assert.equal(reply.status, 302), client.request(target)));
        await assertDenied(followed, {
          host: new URL(target).hostname,
          reason,
          address: reason === 'not-allowed' ? ALLOWED : undefined,
        });
      }
      assert.equal(lab.allowed.requests.length, 3);
      await client.destroy();
    });

    it('denies a literal when only a host allows its address', async (t) => {
      const lab = await startLab(t);
      const rules = new Rules({ allow: [{ host: 'name.test' }], block: [{ host: 'other.test' }] });
      const client = adapter.create({ rules, resolver: never });
      await assertDenied(client.request(lab.url(ALLOWED)), {
        host: ALLOWED,
        reason: 'not-allowed',
        address: ALLOWED,
      });
      assert.equal(lab.allowed.connections, 0);
      await client.destroy();
    });

    it('reaches the server by a literal when block entries name hosts only', async (t) => {
      const lab = await startLab(t);
      const rules = new Rules({ allow: ['127.0.0.0/8'], block: [{ host: '*.test' }] });
      const client = adapter.create({ rules, resolver: never });
      assert.equal((await client.request(lab.url(ALLOWED))).body, `hello from ${ALLOWED}`);
      assert.equal(lab.allowed.requests.length, 1);
      await client.destroy();
    });
  });
}
