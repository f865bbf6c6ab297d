// The real packages, through the hooks that they have.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import axios from 'axios';
import nodeFetch from 'node-fetch';
import { WebSocket } from 'ws';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const httpAgent = new HttpAgent({ rules });
const httpsAgent = new HttpsAgent({ rules });
const fetch = createFetch({ rules });

type Get = (url: string) => Promise<number>;
const clients: Record<string, Get> = {
  axios: async (url) => (await axios.get(url, { httpAgent, httpsAgent, proxy: false })).status,
  'axios with its fetch adapter': async (url) =>
    (await axios.get(url, { adapter: 'fetch', env: { fetch: fetch as never } })).status,
  'node-fetch': async (url) =>
    (await nodeFetch(url, { agent: (target) => (target.protocol === 'https:' ? httpsAgent : httpAgent) }))
      .status,
};
// got and ky need Node 22: on Node 20 they do not load, and their rows are not there.
if (Number(process.versions.node.split('.')[0]) >= 22) {
  const { default: got } = await import('got');
  const { default: ky } = await import('ky');
  clients['got'] = async (url) =>
    (await got(url, { agent: { http: httpAgent, https: httpsAgent }, retry: { limit: 0 } })).statusCode;
  clients['ky'] = async (url) => (await ky(url, { fetch: fetch as never, retry: 0 })).status;
}

for (const [name, get] of Object.entries(clients)) {
  describe(name, () => {
    it('reaches what is allowed, and is denied what is not, after a redirect too', async (t) => {
      const lab = await startLab(t);
      assert.equal(await get(lab.url(ALLOWED)), 200);
      for (const url of [
        lab.url(DENIED),
        lab.url('[::ffff:127.0.0.1]'),
        lab.url(ALLOWED, `/redirect?${encodeURIComponent(lab.url(DENIED))}`),
      ]) {
        const error: unknown = await get(url).then(
          () => assert.fail(url),
          (reason: unknown) => reason,
        );
        // node-fetch keeps the message only.
        if (name === 'node-fetch')
          assert.match((error as Error).message, /: 127\.0\.0\.1 is blocked by 127\.0\.0\.1$/);
        else
          assert.deepEqual(
            [deniedError(error)?.reason, deniedError(error)?.denials[0]?.address],
            ['blocked', DENIED],
            String(error),
          );
      }
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    });
  });
}

describe('axios', () => {
  it('is denied what it asks of an environment proxy that is allowed', async (t) => {
    const lab = await startLab(t);
    let forwarded = 0;
    const proxy = http
      .createServer((_request, response) => (forwarded++, response.end('proxied')))
      .listen(0, '127.0.0.4');
    await once(proxy, 'listening');
    t.after(() => (delete process.env['http_proxy'], proxy.close(), proxy.closeAllConnections()));
    process.env['http_proxy'] = `http://127.0.0.4:${(proxy.address() as AddressInfo).port}`;
    for (const host of [DENIED, 'inner.test']) {
      const error: unknown = await axios.get(lab.url(host), { httpAgent }).then(
        () => assert.fail(host),
        (reason: unknown) => reason,
      );
      assert.equal(deniedError(error)?.host, host);
    }
    assert.deepEqual([forwarded, lab.denied.connections], [0, 0]);
  });
});

describe('ws', () => {
  it('is upgraded where it is allowed, and denied where not', async (t) => {
    const lab = await startLab(t);
    for (const [host, expected] of [
      [ALLOWED, undefined],
      [DENIED, 'blocked'],
    ] as const) {
      const socket = new WebSocket(lab.url(host).replace('http', 'ws'), { agent: httpAgent });
      // The lab is no WebSocket server: an allowed one fails at the handshake, having been there.
      const [error] = (await once(socket, 'error')) as [Error];
      assert.equal(deniedError(error)?.reason, expected);
    }
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });
});
