import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe, netjail, type Handle } from '../helpers/recipes.ts';
import type { Counter } from '../helpers/services.ts';
import { assertDeniedBy, contract, counted, never, rules, withService } from './contract.ts';

interface Ftp {
  Client: new (timeout: number, options: object) => { ftp: { _newSocket(): unknown } };
  enterPassiveModeIPv4: unknown;
}
const requireClient = createRequire(pathToFileURL(join(packageRoot, '../../examples/clients/basic-ftp.js')));
const ftp = requireClient('basic-ftp') as Ftp;

withService('vsftpd', (service) => {
  contract(service, { file: 'basic-ftp.js', says: /^hello$/, tls: ({ port }) => port });

  it('basic-ftp.js refuses implicit TLS, for which the client opens a socket of its own', async () => {
    const { open } = await loadRecipe('basic-ftp.js');
    const target = { host: DENIED, port: service().port, secure: 'implicit' };
    const { denied } = await counted(service(), () =>
      assert.rejects(async () => open({ rules, resolver: never }, target), /implicit TLS is not guarded/),
    );
    assert.equal(denied, 0);
  });

  /** A client that believes what PASV answers. */
  const trusting = async (t: TestContext): Promise<Handle> => {
    const { open } = await loadRecipe('basic-ftp.js');
    const handle = await open(
      { rules: new netjail.Rules({ allow: ['127.0.0.0/8'], block: [advertised()] }), resolver: never },
      { host: ALLOWED, port: service().advertisingPort },
      { allowSeparateTransferHost: true },
    );
    t.after(() => handle.close());
    (handle['client'] as { prepareTransfer: unknown }).prepareTransfer = ftp.enterPassiveModeIPv4;
    return handle;
  };
  const advertised = (): string => service()['advertised'] as string;
  const data = (): Counter => service()['data'] as Counter;

  it('basic-ftp.js is denied the blocked address that PASV answers', async (t) => {
    const recipe = await loadRecipe('basic-ftp.js');
    const handle = await trusting(t);
    await assertDeniedBy(recipe, () => handle.use(), {
      host: advertised(),
      reason: 'blocked',
      address: advertised(),
    });
    assert.equal(await data().connections(), 0);
  });

  it('an unguarded client goes where PASV says, which the test above would see', async (t) => {
    const handle = await trusting(t);
    const plain = new ftp.Client(1000, {});
    (handle['client'] as typeof plain).ftp._newSocket = plain.ftp._newSocket;
    assert.equal(await handle.use(), 'hello');
    assert.equal(await data().connections(), 1);
  });
});
