// More rule sets than pools: what is retired finishes, and is not taken up again.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, release, startLab } from '../helpers/lab.ts';

const ruleSet = (i: number): Rules => new Rules({ allow: [ALLOWED, `10.0.${i}.0/24`] });

for (const adapter of adapters.filter(({ pools }) => pools)) {
  describe(`${adapter.name} with maxPools 1`, () => {
    it('serves many rule sets at once', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ maxPools: 1, single: true });
      const calls = Array.from({ length: 30 }, (_, i) =>
        withRules(ruleSet(i % 10), () => client.request(lab.url(ALLOWED))),
      );
      assert.ok((await Promise.all(calls)).every(({ status }) => status === 200));
      assert.equal(lab.allowed.requests.length, 30);
      await client.close();
      await lab.drained();
    });

    it('finishes what is in flight and in the queue of a retired rule set', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ maxPools: 1, single: true });
      const hanging = withRules(ruleSet(1), () => client.request(lab.url(ALLOWED, '/hang')));
      while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
      const queued = withRules(ruleSet(1), () => client.request(lab.url(ALLOWED)));
      assert.equal((await withRules(ruleSet(2), () => client.request(lab.url(ALLOWED)))).status, 200);
      release(lab.allowed);
      assert.deepEqual([(await hanging).body, (await queued).status], ['begun ended', 200]);
      await client.close();
      await lab.drained();
    });

    it('opens a new connection when a retired rule set comes back', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ maxPools: 1, single: true });
      for (const i of [1, 1, 2, 1, 1])
        assert.equal((await withRules(ruleSet(i), () => client.request(lab.url(ALLOWED)))).status, 200);
      assert.equal(lab.allowed.connections, 3);
      await client.close();
      await lab.drained();
    });

    it('does not keep the connection that a retired rule set still had in use', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ maxPools: 1, single: true });
      const hanging = withRules(ruleSet(1), () => client.request(lab.url(ALLOWED, '/hang')));
      while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
      await withRules(ruleSet(2), () => client.request(lab.url(ALLOWED)));
      // It comes back while the old connection is open, and gets one of its own.
      await withRules(ruleSet(1), () => client.request(lab.url(ALLOWED)));
      release(lab.allowed);
      await hanging;
      await withRules(ruleSet(1), () => client.request(lab.url(ALLOWED)));
      assert.equal(lab.allowed.connections, 3);
      await client.close();
      await lab.drained();
    });
  });
}

describe('createFetch() with maxPools 1', () => {
  it('follows a redirect when its rule set was retired between the hops', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ maxPools: 1 });
    let other: Promise<string> | undefined;
    lab.allowed.onRequest = (url) => {
      if (url.startsWith('/redirect'))
        other ??= withRules(ruleSet(2), async () => (await fetch(lab.url(ALLOWED, '/other'))).text());
      return other;
    };
    const go = (to: string): Promise<string> =>
      withRules(ruleSet(1), async () =>
        (await fetch(lab.url(ALLOWED, `/redirect?${encodeURIComponent(to)}`))).text(),
      );
    assert.equal(await go('/end'), `hello from ${ALLOWED}`);
    assert.equal(await other, `hello from ${ALLOWED}`);
    other = undefined;
    await assertDenied(go(lab.url(DENIED)), { host: DENIED, reason: 'not-allowed', address: DENIED });
    assert.equal(lab.denied.connections, 0);
    await fetch.destroy();
  });
});
