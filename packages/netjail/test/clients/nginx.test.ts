// Every adapter against a real nginx: HTTP, TLS with the name checked, HTTP/2, redirects.
import { adapters } from '../helpers/adapters.ts';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { notRun, startService, type Service } from '../helpers/services.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const missing = notRun('nginx');

describe('nginx', { skip: missing ?? false }, () => {
  let nginx: Service;
  before(async () => {
    nginx = await startService('nginx');
  });
  after(() => nginx?.stop());

  for (const adapter of adapters) {
    describe(adapter.name, () => {
      it('reaches it by literal and by name, and is denied by both', async () => {
        const start = await nginx.connections();
        const answers: Record<string, string> = { 'name.test': ALLOWED, 'inner.test': DENIED };
        const client = adapter.create({ rules, resolver: async (host) => [answers[host]!] });
        for (const host of [ALLOWED, 'name.test']) {
          const { status, body } = await client.request(`http://${host}:${nginx.port}/`);
          assert.deepEqual([status, body], [200, 'hello\n']);
        }
        for (const host of [DENIED, 'inner.test']) {
          await assertDenied(client.request(`http://${host}:${nginx.port}/`), {
            host,
            reason: 'blocked',
            address: DENIED,
            entry: '127.0.0.1',
          });
        }
        const end = await nginx.connections();
        assert.deepEqual([end.allowed - start.allowed, end.denied - start.denied], [2, 0]);
        await client.destroy();
      });

      if (adapter.redirects) {
        it('is denied where its redirect leads inside', async () => {
          const start = await nginx.connections();
          const client = adapter.create({ rules });
          const inside = `http://${DENIED}:${nginx.port}/`;
          const error: unknown = await client
            .request(`http://${ALLOWED}:${nginx.port}/redirect?to=${inside}`)
            .then(
              () => assert.fail('the redirect was followed'),
              (reason: unknown) => reason,
            );
          assert.deepEqual([deniedError(error)?.reason, deniedError(error)?.host], ['blocked', DENIED]);
          assert.equal((await nginx.connections()).denied, start.denied);
          await client.destroy();
        });
      }

      // A socket of the dial that its client connects has no TLS of its own.
      if (adapter.name !== 'dial.socket') {
        it('checks its certificate against the name while it is pinned to the judged address', async () => {
          const start = await nginx.connections();
          const client = adapter.create({
            rules,
            resolver: async (host) => [host === 'inner.test' ? DENIED : ALLOWED],
            ca: nginx.cert!,
            ...(adapter.h2 ? { allowH2: true } : {}),
          });
          const url = (host: string): string => `https://${host}:${nginx.tlsPort}/`;
          assert.equal((await client.request(url('name.test'))).body, 'hello\n');
          const wrong = await client.request(url('wrong.test')).then(
            () => assert.fail('a wrong name was accepted'),
            (error: Error & { code?: string }) => error.code ?? (error.cause as { code?: string }).code,
          );
          assert.equal(wrong, 'ERR_TLS_CERT_ALTNAME_INVALID');
          await assertDenied(client.request(url('inner.test')), {
            host: 'inner.test',
            reason: 'blocked',
            address: DENIED,
            entry: '127.0.0.1',
          });
          assert.equal((await nginx.connections()).denied, start.denied);
          await client.destroy();
        });
      }
    });
  }
});
