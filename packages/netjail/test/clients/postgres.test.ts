import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { agrees, answering, contract, rules, withService } from './contract.ts';

withService('postgres', (service) => {
  for (const file of ['pg.js', 'pg-pool.js', 'postgres.js', 'knex.js', 'sequelize.js', 'typeorm.js'])
    contract(service, { file, says: /^PostgreSQL \d/, tls: ({ port }) => port });

  for (const [file, places] of [
    ['pg-pool.js', 10],
    ['postgres.js', 10],
  ] as const) {
    it(`${file} connects after more denials than its pool has places`, async (t) => {
      const { open } = await loadRecipe(file);
      const resolver = answering([DENIED]);
      const handle = await open({ rules, resolver }, { ...service(), host: 'name.test', backoff: 0.001 });
      t.after(() => handle.close());
      for (let i = 0; i <= places; i++) await assert.rejects(handle.use(), (error) => !!deniedError(error));
      resolver.answer = [ALLOWED];
      assert.match(await handle.use(), /^PostgreSQL \d/);
    });
  }

  agrees(service);
});
