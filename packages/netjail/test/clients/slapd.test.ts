import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALLOWED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import { agrees, answering, contract, counted, rules, withService } from './contract.ts';

interface Ldap {
  startTLS(options: object): Promise<void>;
}

withService('slapd', (service) => {
  contract(service, {
    file: 'ldapts.js',
    says: /^dc=name,dc=test$/,
    tls: ({ tlsPort }) => tlsPort!,
    mapped: '::ffff:7f00:1',
  });

  it('ldapts.js checks the name in the certificate after STARTTLS, over the guarded socket', async (t) => {
    const { open } = await loadRecipe('ldapts.js');
    const guard = { rules, resolver: answering([ALLOWED]) };
    const start = async (host: string, servername: string): Promise<string> => {
      const handle = await open(guard, { ...service(), host });
      t.after(() => handle.close());
      await (handle['client'] as Ldap).startTLS({ ca: service().cert, servername });
      return handle.use();
    };
    const { allowed, denied } = await counted(service(), async () => {
      assert.match(await start('name.test', 'name.test'), /^dc=name,dc=test$/);
      await assert.rejects(start('other.test', 'other.test'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    });
    assert.deepEqual({ allowed, denied }, { allowed: 2, denied: 0 });
  });

  agrees(service);
});
