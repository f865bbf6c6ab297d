import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { loadRecipe, type Sites } from '../helpers/services.ts';
import { assertDeniedBy, contract, never, rules, useOnce, withService } from './contract.ts';

withService('redis-sentinel', (service) => {
  contract(service, { file: 'ioredis-sentinel.js', says: /redis_version:\d/, more: { name: 'allowed' } });

  it('ioredis-sentinel.js is denied the blocked address that Sentinel answers', async (t) => {
    const recipe = await loadRecipe('ioredis-sentinel.js');
    const { denied } = service()['data'] as Sites;
    const before = await denied.connections();
    const target = { host: ALLOWED, port: service().port, name: 'denied' };
    await assertDeniedBy(recipe, () => useOnce(t, recipe, { rules, resolver: never }, target), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
    });
    assert.equal(await denied.connections(), before);
  });
});
