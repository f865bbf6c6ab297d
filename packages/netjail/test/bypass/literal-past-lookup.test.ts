// Node never calls a look-up hook for an address literal: a guard that lives there lets it through.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { adapters } from '../helpers/adapters.ts';
import { rules } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate } from '../helpers/lab.ts';

/** What `new URL` makes the literal 127.0.0.1 of, and what getaddrinfo would. */
const FOLDED = ['127.1', '0x7f.1', '2130706433', '0x7f000001', '017700000001', '①②⑦.0.0.1', '127.0.0.1.'];
const blocked = { reason: 'blocked', address: DENIED, entry: '127.0.0.1' } as const;

for (const adapter of adapters) {
  describe(`${adapter.name} with a literal`, () => {
    it('denies it without asking the resolver', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: () => assert.fail('the resolver was asked') });
      await assertDenied(client.request(lab.url(DENIED)), { host: DENIED, ...blocked });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('that a URL folds to an address denies the address', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: () => assert.fail('the resolver was asked') });
      for (const host of FOLDED)
        await assertDenied(client.request(lab.url(host)), { host: DENIED, ...blocked });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  });
}

describe('dial()', () => {
  it('takes text that only getaddrinfo calls an address for a name, and judges its answer', async (t) => {
    const lab = await startLab(t);
    const dial = createDial({ rules });
    for (const host of ['127.1', '0x7f.1', '2130706433', '127.0.0.01', '0177.0.0.1']) {
      const failed = new Promise((_, reject) => dial({ host, port: lab.port }).on('error', reject));
      await assertDenied(failed, { host, ...blocked });
    }
    assert.equal(lab.denied.connections, 0);
  });

  it('denies the literal of an HTTP/2 session that dial.tls carries', async (t) => {
    const lab = await startLab(t, 'h2');
    const { cert: ca } = await tlsCertificate();
    const dial = createDial({ rules, resolver: async () => [ALLOWED] });
    const connect = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const session = http2.connect(lab.url(host), {
          createConnection: () =>
            dial.tls({ host, port: lab.port, ca, ALPNProtocols: ['h2'] }) as unknown as Duplex,
        });
        session.on('error', reject);
        const stream = session.request({ ':path': '/' });
        stream.on('error', reject).on('response', (headers) => {
          session.destroy();
          resolve(headers[':status']!);
        });
      });
    await assertDenied(connect(DENIED), { host: DENIED, ...blocked });
    assert.equal(await connect('name.test'), 200);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });
});
