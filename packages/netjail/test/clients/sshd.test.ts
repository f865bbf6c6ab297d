import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { agrees, contract, counted, never, rules, withService } from './contract.ts';

withService('sshd', (service) => {
  contract(service, { file: 'ssh2.js', says: /^hello/ });

  for (const host of [DENIED, ALLOWED]) {
    it(`ssh2.js rejects, and leaves nothing of the socket to ${host}, when the key cannot be read`, async () => {
      const { open } = await loadRecipe('ssh2.js');
      const target = { host, port: service().port, user: 'anybody', privateKey: 'no key' };
      const { denied } = await counted(service(), () =>
        assert.rejects(async () => open({ rules, resolver: never }, target), /Cannot parse privateKey/),
      );
      assert.equal(denied, 0);
    });
  }

  agrees(service);
});
