// A connect function that connects elsewhere.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { evilLookup, refusedOption, rules } from '../helpers/attack.ts';

describe('dial()', () => {
  it('dial() destroys the socket of a connect function that lies, before a byte is written', async () => {
    let received = 0;
    const server = net
      .createServer((socket) => socket.on('data', (data) => (received += data.length)).on('error', () => {}))
      .listen(0, DENIED);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = net.connect(port, DENIED);
    await once(connected, 'connect');
    for (const connect of [
      () => net.connect(port, DENIED),
      () => connected,
      () => net.connect({ host: 'x.test', port, lookup: evilLookup as never }),
    ]) {
      const socket = createDial({ rules, resolver: async () => [ALLOWED], connect })({
        host: 'name.test',
        port,
      });
      socket.write('secret');
      const [error] = (await once(socket, 'error')) as [Error];
      const denial = deniedError(error)?.denials[0];
      assert.deepEqual([denial?.reason, denial?.address, denial?.entry], ['blocked', DENIED, '127.0.0.1']);
    }
    server.close();
    await once(server, 'close');
    assert.equal(received, 0);
    assert.throws(
      () => createDial({ rules, connect: (() => ({})) as never })({ host: ALLOWED, port }),
      refusedOption('connect'),
    );
  });

  it('dial() does not call connect when the target is denied before', () => {
    const never = createDial({ rules, connect: () => assert.fail('connect was called') });
    never({ host: DENIED, port: 1 }).on('error', (error) => assert.ok(deniedError(error)));
  });
});
