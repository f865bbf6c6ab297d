import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadRecipe } from '../helpers/services.ts';
import { agrees, counted, rules, useOnce, withService } from './contract.ts';

withService('memcached', (service) => {
  for (const file of ['memcached.js', 'memjs.js']) {
    it(`${file} has no hook: it connects to any address`, async (t) => {
      const recipe = await loadRecipe(file);
      assert.equal(recipe.meta.way, 'none');
      const target = { host: service().denied, port: service().port };
      const { result, denied } = await counted(service(), () => useOnce(t, recipe, { rules }, target));
      assert.match(result, /^(\d|true)/);
      assert.ok(denied > 0, 'it was not connected: the table has something to take back');
    });
  }
  agrees(service);
});
