import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, release, startLab, tlsCertificate } from '../helpers/lab.ts';
import { HttpAgent } from '../../src/http/index.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const same = new Rules({ block: ['127.0.0.1/32'], allow: ['127.9.9.9/8', '127.0.0.0/8'] });
const other = new Rules({ allow: ['127.0.0.2', '10.0.0.0/8'] });
const withoutIt = new Rules({ allow: ['10.0.0.0/8'] });
const resolver = async (): Promise<string[]> => [ALLOWED];

for (const adapter of adapters) {
  describe(`${adapter.name} redirects`, () => {
    it('denies a redirect to a denied address, by literal and by name', async (t) => {
      const lab = await startLab(t);
      const answers: Record<string, string> = {
        'name.test': ALLOWED,
        'inner.test': DENIED,
        '0x7f.1': DENIED,
      };
      const client = adapter.create({ rules, resolver: async (host) => [answers[host]!] });
      for (const host of [DENIED, 'inner.test', '0x7f.1', '[::ffff:127.0.0.1]']) {
        const target = lab.url(host, '/secret');
        const first = client.request(lab.url('name.test', `/redirect?${encodeURIComponent(target)}`));
        // What does not follow redirects itself sends the next request as a caller would.
        const followed = adapter.redirects
          ? first
          : first.then((reply) => (assert.equal(reply.status, 302), client.request(target)));
        const error = await followed.then(
          () => assert.fail(host),
          (reason: unknown) => reason,
        );
        assert.deepEqual(
          [deniedError(error)?.reason, deniedError(error)?.denials[0]!.address],
          ['blocked', DENIED],
        );
      }
      assert.equal(lab.denied.connections, 0);
      assert.equal(lab.allowed.requests.length, 4);
      await client.destroy();
    });
  });
}

for (const adapter of adapters.filter(({ pools }) => pools)) {
  /** A call that fails since its client is closed: fetch says so in the cause, nobody else does. */
  const assertClosed = (call: Promise<unknown>): Promise<void> =>
    assert.rejects(call, (error: Error) => {
      const reason = (adapter.name === 'fetch' ? error.cause : error) as { code?: string };
      assert.equal(reason.code, 'ERR_NETJAIL_CLOSED');
      return true;
    });

  describe(`${adapter.name} pools`, () => {
    it('uses a connection again under the same policy, and another one under another', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ single: true });
      for (const [scope, connections] of [
        [rules, 1],
        [rules, 1],
        [same, 1],
        [other, 2],
        [rules, 2],
      ] as const) {
        assert.equal((await withRules(scope, () => client.request(lab.url(ALLOWED)))).status, 200);
        assert.equal(lab.allowed.connections, connections);
      }
      await withRules(withoutIt, () =>
        assertDenied(client.request(lab.url(ALLOWED)), {
          host: ALLOWED,
          reason: 'not-allowed',
          address: ALLOWED,
        }),
      );
      await assertDenied(client.request(lab.url(ALLOWED)), { host: ALLOWED, reason: 'no-rules' });
      assert.equal(lab.allowed.requests.length, 5);
      await client.destroy();
    });

    it('keeps every request under its own rules when two rule sets queue for one connection', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ single: true, resolver });
      const calls: Promise<void>[] = [];
      for (let i = 0; i < 30; i++) {
        const host = i % 3 === 0 ? 'name.test' : ALLOWED;
        if (i % 2 === 0) {
          calls.push(
            withRules(rules, () => client.request(lab.url(host, `/${i}`))).then(({ status }) =>
              assert.equal(status, 200),
            ),
          );
        } else {
          calls.push(
            withRules(withoutIt, () =>
              assertDenied(client.request(lab.url(host, `/${i}`)), {
                host,
                reason: 'not-allowed',
                address: ALLOWED,
              }),
            ).then(() => {}),
          );
        }
      }
      await Promise.all(calls);
      assert.equal(lab.allowed.requests.length, 15);
      assert.ok(lab.allowed.requests.every(({ url }) => Number(url.slice(1)) % 2 === 0));
      await client.destroy();
    });

    it('leaves no connection open after 1,000 rule sets with maxPools 16', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ maxPools: 16 });
      let most = 0;
      for (let i = 0; i < 1000; i++) {
        const scope = new Rules({ allow: [ALLOWED, `10.${i >> 8}.${i & 255}.0/24`] });
        assert.equal((await withRules(scope, () => client.request(lab.url(ALLOWED)))).status, 200);
        most = Math.max(most, lab.allowed.open.size);
      }
      assert.equal(lab.allowed.connections, 1000);
      assert.ok(most <= 32, `${most} connections were open at once`);
      await client.close();
      await lab.drained();
    });

    it('lets a request in flight finish when it is closed, and refuses new ones', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules });
      const hanging = client.request(lab.url(ALLOWED, '/hang'));
      while (lab.allowed.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const closed = client.close();
      await assertClosed(client.request(lab.url(ALLOWED)));
      release(lab.allowed);
      assert.equal((await hanging).body, 'begun ended');
      await closed;
      await lab.drained();
      assert.equal(lab.allowed.requests.length, 1);
    });

    it('fails a request in flight when it is destroyed', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules });
      const hanging = client.request(lab.url(ALLOWED, '/hang'));
      while (lab.allowed.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const failed = assert.rejects(hanging);
      await client.destroy();
      await failed;
      await lab.drained();
    });

    // An agent of Node's can be used again.
    if (adapter.name === 'HttpAgent/HttpsAgent') return;
    it('refuses the next request, under the same rules, when it is destroyed', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules });
      await client.request(lab.url(ALLOWED));
      await client.destroy();
      await assertClosed(client.request(lab.url(ALLOWED)));
      assert.equal(lab.allowed.requests.length, 1);
      await lab.drained();
    });
  });
}

for (const adapter of adapters.filter(({ name }) => name !== 'dial.socket')) {
  describe(`${adapter.name} over TLS`, () => {
    it('checks the certificate against the name while it is pinned to the judged address', async (t) => {
      const lab = await startLab(t, 'https');
      const { cert } = await tlsCertificate();
      const client = adapter.create({ rules, resolver, ca: cert });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      assert.equal(lab.allowed.requests[0]!.servername, 'name.test');
      assert.equal((await client.request(lab.url(ALLOWED))).status, 200);
      const wrong = await client.request(lab.url('wrong.test')).then(
        () => assert.fail('a wrong name was accepted'),
        (error: Error) => error,
      );
      assert.equal(
        ((adapter.name === 'fetch' ? wrong.cause : wrong) as { code?: string }).code,
        'ERR_TLS_CERT_ALTNAME_INVALID',
      );
      assert.equal(lab.allowed.requests.length, 2);
      await client.destroy();
    });

    it('denies before the handshake', async (t) => {
      const lab = await startLab(t, 'https');
      const client = adapter.create({ rules, resolver: async () => [DENIED] });
      await assertDenied(client.request(lab.url(DENIED)), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      await assertDenied(client.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  });
}

for (const adapter of adapters.filter(({ h2 }) => h2)) {
  describe(`${adapter.name} over HTTP/2`, () => {
    it('is guarded like HTTP/1.1', async (t) => {
      const lab = await startLab(t, 'h2');
      const { cert } = await tlsCertificate();
      const client = adapter.create({ ca: cert, allowH2: true, resolver });
      assert.equal((await withRules(rules, () => client.request(lab.url('name.test')))).status, 200);
      assert.equal((await withRules(other, () => client.request(lab.url('name.test')))).status, 200);
      assert.equal(lab.allowed.connections, 2);
      assert.equal(lab.allowed.requests[0]!.host, `name.test:${lab.port}`);
      await withRules(rules, () =>
        assertDenied(client.request(lab.url(DENIED)), {
          host: DENIED,
          reason: 'blocked',
          address: DENIED,
          entry: '127.0.0.1',
        }),
      );
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  });
}

describe('HttpAgent upgrade and CONNECT requests', () => {
  it('reach the server when it is allowed and are denied when it is not', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const upgrade = http.get(lab.url(ALLOWED), {
      agent,
      headers: { connection: 'Upgrade', upgrade: 'echo' },
    });
    const [, upgraded] = (await once(upgrade, 'upgrade')) as [unknown, Socket];
    upgraded.destroy();
    const tunnel = http
      .request({ host: ALLOWED, port: lab.port, method: 'CONNECT', path: '127.0.0.3:80', agent })
      .end();
    const [, socket] = (await once(tunnel, 'connect')) as [unknown, Socket];
    socket.destroy();
    assert.equal(lab.allowed.connections, 2);

    const denials = [
      {
        options: { host: DENIED, headers: { connection: 'Upgrade', upgrade: 'echo' } },
        host: DENIED,
        reason: 'blocked',
      },
      {
        options: { host: ALLOWED, method: 'CONNECT', path: '127.0.0.1:80' },
        host: DENIED,
        reason: 'blocked',
      },
      {
        options: { host: ALLOWED, method: 'CONNECT', path: '[::ffff:127.0.0.1]:80' },
        host: '::ffff:127.0.0.1',
        reason: 'blocked',
      },
      {
        options: { host: ALLOWED, method: 'CONNECT', path: 'inner.test:80' },
        host: 'inner.test',
        reason: 'proxied-name',
      },
      { options: { host: ALLOWED, path: 'http://127.0.0.1/secret' }, host: DENIED, reason: 'blocked' },
      {
        options: { host: ALLOWED, path: 'http://inner.test/secret' },
        host: 'inner.test',
        reason: 'proxied-name',
      },
      {
        options: { host: ALLOWED, path: 'http://x@127.0.0.1/' },
        host: 'http://x@127.0.0.1/',
        reason: 'proxied-name',
      },
      {
        options: { host: ALLOWED, path: 'ftp://127.0.0.1/' },
        host: 'ftp://127.0.0.1/',
        reason: 'proxied-name',
      },
    ];
    for (const { options, host, reason } of denials) {
      const request = http.request({ port: lab.port, agent, ...options }).end();
      const [error] = (await once(request, 'error')) as [Error];
      assert.deepEqual([deniedError(error)?.host, deniedError(error)?.reason], [host, reason]);
    }
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [2, 0]);
    agent.destroy();
  });
});
