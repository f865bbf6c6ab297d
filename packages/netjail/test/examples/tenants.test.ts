// The service with many tenants: whose rules decide, and who gets which connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { GuardedFetch } from '../../src/fetch/index.ts';
import type { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { load, run } from '../helpers/examples.ts';
import { ALLOWED, DENIED, startLab, type Kind, type Lab } from '../helpers/lab.ts';
import { inTime } from '../helpers/in-time.ts';
import { netjail } from '../helpers/recipes.ts';

const { createApp } = await load<{
  createApp(options: object): { listen(port: number, host: string): Server };
}>('tenants/app.js');
const { createFetch } = (await import(String('netjail/fetch'))) as { createFetch(): GuardedFetch };
const agents = (await import(String('netjail/http'))) as {
  HttpAgent: new (options?: object) => HttpAgent;
  HttpsAgent: new (options?: object) => HttpsAgent;
};
const { Rules } = netjail;

const house = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
const tenants = new Map(
  Object.entries({
    a: new Rules({ allow: [ALLOWED] }),
    b: new Rules({ allow: [ALLOWED, '127.0.0.3'] }),
    // The same policy as that of b, written otherwise.
    c: new Rules({ allow: ['127.0.0.3/32', ALLOWED, ALLOWED] }),
    greedy: new Rules({ allow: ['0.0.0.0/0', '::/0'] }),
    none: new Rules({}),
    missing: undefined,
  }).map(([name, rules]) => [`key-${name}`, { name, rules }]),
);

const CLIENTS = ['fetch', 'axios'] as const;

interface Setting {
  lab: Lab;
  relay(
    tenant: string,
    url: string,
    client: string,
  ): Promise<{ status: number; error?: string; body?: string }>;
  log: { tenant: string; error: string }[];
  /** What was asked for on each connection. */
  asked: Map<Socket, string[]>;
}

async function startService(t: TestContext, kind: Kind = 'http', timeLimit?: number): Promise<Setting> {
  const asked: Setting['asked'] = new Map();
  const lab = await startLab(t, kind, {
    request(request: IncomingMessage, response: ServerResponse) {
      asked.set(request.socket, [...(asked.get(request.socket) ?? []), request.url!]);
      if (request.url?.startsWith('/redirect')) return false;
      if (request.url === '/drip') {
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
        return true;
      }
      response.end(request.url);
      return true;
    },
  });
  const log: Setting['log'] = [];
  const fetch = createFetch();
  const httpAgent = new agents.HttpAgent({ keepAlive: true });
  const httpsAgent = new agents.HttpsAgent({ keepAlive: true });
  const server = createApp({
    tenants,
    house,
    fetch,
    httpAgent,
    httpsAgent,
    timeLimit,
    log: (line: Setting['log'][0]) => log.push(line),
  }).listen(0, DENIED);
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    httpAgent.destroy();
    httpsAgent.destroy();
    await fetch.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const relay: Setting['relay'] = async (tenant, url, client) => {
    const query = new URLSearchParams({ url, with: client });
    const response = await globalThis.fetch(`http://${DENIED}:${port}/relay?${query}`, {
      headers: { 'x-api-key': `key-${tenant}` },
    });
    return { ...((await response.json()) as { error?: string; body?: string }), status: response.status };
  };
  return { lab, relay, log, asked };
}

const REFUSED = { status: 422, error: 'This URL cannot be reached.' };

describe('examples/tenants', () => {
  for (const client of CLIENTS) {
    it(`${client}: each tenant reaches what its own rules allow`, async (t) => {
      const { lab, relay } = await startService(t);
      assert.deepEqual(await relay('a', lab.url(ALLOWED, '/for-a'), client), { status: 200, body: '/for-a' });
      assert.deepEqual(await relay('none', lab.url(ALLOWED), client), REFUSED);
      assert.deepEqual(await relay('missing', lab.url(ALLOWED), client), REFUSED);
      assert.equal(lab.allowed.connections, 1);
    });

    it(`${client}: an answer that does not end is given up`, async (t) => {
      const { lab, relay } = await startService(t, 'http', 200);
      assert.deepEqual(await inTime(relay('a', lab.url(ALLOWED, '/drip'), client), client), REFUSED);
      assert.equal(lab.allowed.connections, 1);
    });

    it(`${client}: no tenant widens the rules of the house, nor by a redirect`, async (t) => {
      const { lab, relay, log } = await startService(t);
      const redirect = lab.url(ALLOWED, `/redirect?${encodeURIComponent(lab.url(DENIED))}`);
      for (const url of [lab.url(DENIED), lab.url('[::ffff:127.0.0.1]'), redirect])
        assert.deepEqual(await relay('greedy', url, client), REFUSED);
      assert.equal(lab.denied.connections, 0);
      assert.equal(lab.allowed.connections, 1);
      for (const { tenant, error } of log) {
        assert.equal(tenant, 'greedy');
        assert.match(error, /127\.0\.0\.1 is blocked by 127\.0\.0\.1$/);
      }
    });

    it(`${client}: https is guarded as well, also when a redirect leads there`, async (t) => {
      const { lab, relay } = await startService(t, 'https');
      const plain = await startLab(t);
      const redirect = plain.url(ALLOWED, `/redirect?${encodeURIComponent(lab.url(DENIED))}`);
      for (const url of [lab.url(DENIED), redirect])
        assert.deepEqual(await relay('greedy', url, client), REFUSED);
      assert.equal(lab.denied.connections, 0);
      assert.equal(plain.allowed.connections, 1);
    });

    it(`${client}: interleaved tenants share no connection, each reuses its own`, async (t) => {
      const { lab, relay, asked } = await startService(t);
      for (let round = 1; round <= 3; round++)
        for (const tenant of ['a', 'b', 'greedy'])
          assert.equal((await relay(tenant, lab.url(ALLOWED, `/${tenant}`), client)).body, `/${tenant}`);
      assert.deepEqual(
        [...asked.values()],
        ['/a', '/b', '/greedy'].map((url) => [url, url, url]),
      );
    });

    it(`${client}: at the same time, every answer goes to its tenant and no connection is shared`, async (t) => {
      const { lab, relay, asked } = await startService(t);
      const calls = Array.from({ length: 30 }, (_, index) => ['a', 'b', 'greedy', 'none'][index % 4]!);
      const answers = await Promise.all(
        calls.map(async (tenant) => relay(tenant, lab.url(ALLOWED, `/${tenant}`), client)),
      );
      for (const [index, tenant] of calls.entries())
        assert.equal(answers[index]!.body, tenant === 'none' ? undefined : `/${tenant}`);
      assert.equal([...asked.values()].flat().length, calls.filter((tenant) => tenant !== 'none').length);
      for (const urls of asked.values()) assert.equal(new Set(urls).size, 1, `one connection served ${urls}`);
      assert.equal(lab.denied.connections, 0);
    });

    it(`${client}: tenants with equal rules share connections, as the README says`, async (t) => {
      const { lab, relay } = await startService(t);
      for (const tenant of ['b', 'c'])
        assert.equal((await relay(tenant, lab.url(ALLOWED), client)).status, 200);
      assert.equal(lab.allowed.connections, 1);
    });
  }

  it('answers without a tenant or a URL come before anything is connected', async (t) => {
    const { lab, relay } = await startService(t);
    assert.equal((await relay('nobody', lab.url(ALLOWED), 'fetch')).status, 401);
    for (const url of ['', 'data:,x', 'file:///etc/passwd', 'nothing'])
      assert.equal((await relay('greedy', url, 'fetch')).status, 400);
    assert.equal((await relay('greedy', lab.url(ALLOWED), 'constructor')).status, 400);
    assert.equal(lab.allowed.connections, 0);
  });

  it('runs with one command and prints the connection of each request', async (t) => {
    const { status, stdout, stderr } = await run(t, 'tenants/main.js');
    assert.equal(status, 0, stdout + stderr);
    assert.equal(
      stdout.match(/^ {2}acme {4}127\.0\.0\.2 {2}over connection 1, request [12] on it$/gm)?.length,
      2,
    );
    assert.match(stdout, /^10 connections, each of one tenant only; the internal service saw 0\.$/m);
  });
});
