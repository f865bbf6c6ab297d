// The second address of an answer, which Node tries when the first one refuses or stays silent.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adapters } from '../helpers/adapters.ts';
import { rules } from '../helpers/attack.ts';
import { blackHole, HOLE } from '../helpers/black-hole.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

for (const adapter of adapters) {
  describe(`${adapter.name} when the first address of an answer`, () => {
    const refusing = '127.0.0.9';
    for (const answers of [
      [refusing, DENIED, ALLOWED],
      [refusing, ALLOWED, DENIED],
      [refusing, `::ffff:${DENIED}`, '::1', ALLOWED],
    ]) {
      it(`refuses tries the allowed one of ${answers.join(' ')}`, async (t) => {
        const lab = await startLab(t);
        const client = adapter.create({ rules, resolver: async () => answers });
        assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
        assert.equal(lab.denied.connections, 0);
        await client.destroy();
      });
    }

    it('refuses and all others are denied fails with what the network said', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: async () => [refusing, DENIED] });
      const error = await client.request(lab.url('name.test')).then(
        () => assert.fail('it was let through'),
        (reason: Error) => (adapter.name === 'fetch' ? (reason.cause as Error) : reason),
      );
      assert.equal((error as { code?: string }).code, 'ECONNREFUSED');
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('is a black hole goes on to the allowed one, past the denied one', async (t) => {
      const lab = await startLab(t);
      if ((await blackHole(t, lab.port)) === undefined) {
        t.skip('not run: no black hole on this system, it takes Linux');
        return;
      }
      const client = adapter.create({ rules, resolver: async () => [HOLE, DENIED, ALLOWED] });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
      await client.destroy();
    });
  });
}
