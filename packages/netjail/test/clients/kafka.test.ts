import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { loadRecipe } from '../helpers/services.ts';
import { assertDeniedBy, contract, counted, never, rules, useOnce, withService } from './contract.ts';

withService('kafka', (service) => {
  contract(service, { file: 'kafkajs.js', says: /^[\w-]{22}$/, mapped: false });

  it('kafkajs.js is denied the broker that a broker names at a blocked address', async (t) => {
    const recipe = await loadRecipe('kafkajs.js');
    const target = { host: ALLOWED, port: service().advertisingPort };
    const { allowed, denied } = await counted(service(), () =>
      assertDeniedBy(recipe, () => useOnce(t, recipe, { rules, resolver: never }, target), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
      }),
    );
    assert.ok(allowed > 0, 'nobody asked the broker');
    assert.equal(denied, 0);
  });

  it('platformatic-kafka.js has no hook: it connects to the broker that a broker names', async (t) => {
    const recipe = await loadRecipe('platformatic-kafka.js');
    assert.equal(recipe.meta.way, 'none');
    const handle = await recipe.open({ rules }, { host: ALLOWED, port: service().advertisingPort });
    t.after(() => handle.close());
    const { denied } = await counted(service(), () => (handle['useBrokers'] as () => Promise<unknown>)());
    assert.ok(denied > 0, 'it was not connected: the table has something to take back');
  });
});
