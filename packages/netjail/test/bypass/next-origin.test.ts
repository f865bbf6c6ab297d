// The connector of undici keeps the origin of before: the next one must not be taken for it.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

interface Client {
  get(url: string): Promise<unknown>;
  destroy(): unknown;
}

const CLIENTS: Record<string, (rules: Rules) => Client> = {
  'undici 6': (rules) => {
    const dispatcher = new Dispatcher({ Agent: undici6.Agent, rules });
    return {
      get: async (url) => (await undici6.request(url, { dispatcher: dispatcher as never })).body.text(),
      destroy: () => dispatcher.destroy(),
    };
  },
  'undici 7': (rules) => {
    const dispatcher = new Dispatcher({ Agent: undici7.Agent, rules });
    return {
      get: async (url) => (await undici7.request(url, { dispatcher })).body.text(),
      destroy: () => dispatcher.destroy(),
    };
  },
  'fetch()': (rules) => {
    const fetch = createFetch({ rules });
    return { get: async (url) => (await fetch(url)).text(), destroy: () => fetch.destroy() };
  },
};

for (const [name, make] of Object.entries(CLIENTS)) {
  describe(`${name} after a connection that was allowed`, () => {
    it('is denied another host on the same port, and the other way round goes on', async (t) => {
      const lab = await startLab(t);
      const client = make(new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] }));
      t.after(() => client.destroy());
      for (let i = 0; i < 2; i++) {
        await client.get(lab.url(ALLOWED));
        await assertDenied(client.get(lab.url(DENIED)), {
          host: DENIED,
          reason: 'blocked',
          address: DENIED,
          entry: DENIED,
        });
      }
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    });

    it('is denied another port of the same host', async (t) => {
      const lab = await startLab(t);
      const other = await startLab(t);
      const client = make(new Rules({ allow: [{ prefix: `${ALLOWED}/32`, port: lab.port }] }));
      t.after(() => client.destroy());
      await client.get(lab.url(ALLOWED));
      await assertDenied(client.get(other.url(ALLOWED)), {
        host: ALLOWED,
        reason: 'port-not-allowed',
        address: ALLOWED,
      });
      assert.deepEqual([lab.allowed.connections, other.allowed.connections], [1, 0]);
    });

    it('speaks TLS to the same host and port when that is asked for, and sends nothing in plain text', async (t) => {
      const lab = await startLab(t);
      const client = make(new Rules({ allow: ['127.0.0.0/8'] }));
      t.after(() => client.destroy());
      await client.get(lab.url(ALLOWED));
      await assert.rejects(client.get(lab.url(ALLOWED).replace('http:', 'https:')));
      assert.equal(lab.allowed.requests.length, 1);
    });
  });
}
