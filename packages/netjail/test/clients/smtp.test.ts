import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALLOWED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { agrees, answering, contract, rules, useOnce, withService } from './contract.ts';

withService('smtp', (service) => {
  contract(service, { file: 'nodemailer.js', says: /^250/, tls: ({ tlsPort }) => tlsPort! });

  it('nodemailer.js checks the name in the certificate after STARTTLS', async (t) => {
    const recipe = await loadRecipe('nodemailer.js');
    const guard = { rules, resolver: answering([ALLOWED]) };
    const target = { port: service().port, tls: { ca: service().cert }, secure: false };
    assert.match(await useOnce(t, recipe, guard, { ...target, host: 'name.test' }), /^250/);
    await assert.rejects(useOnce(t, recipe, guard, { ...target, host: 'other.test' }), {
      originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  // One handshake of SMTPS is broken off before its server counts it.
  agrees(service, 1);
});
