import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { agrees, answering, contract, counted, rules, useOnce, withService } from './contract.ts';

withService('smtp', (service) => {
  contract(service, { file: 'nodemailer.js', says: /^250/, tls: ({ tlsPort }) => tlsPort!, code: 'ESOCKET' });

  it('nodemailer.js checks the name in the certificate after STARTTLS', async (t) => {
    const recipe = await loadRecipe('nodemailer.js');
    const guard = { rules, resolver: answering([ALLOWED]) };
    const target = { port: service().port, tls: { ca: service().cert }, secure: false };
    assert.match(await useOnce(t, recipe, guard, { ...target, host: 'name.test' }), /^250/);
    await assert.rejects(useOnce(t, recipe, guard, { ...target, host: 'other.test' }), {
      originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  for (const pool of [true, false]) {
    it(`nodemailer.js sends after many denials ${pool ? 'of its pool' : 'without a pool'}`, async (t) => {
      const { open } = await loadRecipe('nodemailer.js');
      const resolver = answering([DENIED]);
      const target = { host: 'name.test', port: service().port, pool, maxConnections: 2 };
      const handle = await open({ rules, resolver }, target);
      t.after(() => handle.close());
      for (let i = 0; i < 5; i++) await assert.rejects(handle.use(), (error) => !!deniedError(error));
      resolver.answer = [ALLOWED];
      assert.match(await handle.use(), /^250/);
    });
  }

  it('nodemailer.js asks no proxy', async (t) => {
    const { open } = await loadRecipe('nodemailer.js');
    const target = { host: ALLOWED, port: service().port, proxy: `http://${DENIED}:${service().port}` };
    const { result, denied } = await counted(service(), async () => {
      const handle = await open({ rules }, target);
      t.after(() => handle.close());
      return handle.use();
    });
    assert.match(result, /^250/);
    assert.equal(denied, 0);
  });

  // One handshake of SMTPS is broken off before its server counts it.
  agrees(service, 1);
});
