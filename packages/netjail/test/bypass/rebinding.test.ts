// A name that is one address when it is judged and another when it is connected to.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resolver } from '../../src/resolver.ts';
import { adapters } from '../helpers/adapters.ts';
import { rules } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

/** Answers one address after the other, in a circle. */
function rebinding(...answers: string[]): Resolver & { asked: number } {
  const resolver = async (): Promise<string[]> => [answers[resolver.asked++ % answers.length]!];
  resolver.asked = 0;
  return resolver;
}

for (const adapter of adapters) {
  describe(`${adapter.name} with a name that is bound again`, () => {
    it('connects to the address of the one answer that was judged', async (t) => {
      const lab = await startLab(t);
      const resolver = rebinding(ALLOWED, DENIED);
      const client = adapter.create({ rules, resolver });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      assert.deepEqual([resolver.asked, lab.denied.connections], [1, 0]);
      await client.destroy();
    });

    it('judges the answer of each connection by itself, many at once', async (t) => {
      const lab = await startLab(t);
      const resolver = rebinding(ALLOWED, DENIED);
      const client = adapter.create({ rules, resolver });
      const calls = Array.from({ length: 20 }, () =>
        client.request(lab.url('name.test')).then(
          ({ body }) => body,
          () => 'denied',
        ),
      );
      const outcomes = await Promise.all(calls);
      assert.ok(outcomes.every((outcome) => [`hello from ${ALLOWED}`, 'denied'].includes(outcome)));
      assert.ok(outcomes.includes('denied'));
      assert.ok(lab.allowed.connections > 0);
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('denies it from the first time on when the answer is denied', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: rebinding(DENIED, ALLOWED) });
      await assertDenied(client.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  });
}
