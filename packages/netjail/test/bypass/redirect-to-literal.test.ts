// A server that is allowed sends the client on to an address that is not.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { describe, it } from 'node:test';
import axios from 'axios';
import { got } from 'got';
import nodeFetch from 'node-fetch';
import * as undici from 'undici';
import * as undici6 from 'undici6';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Dispatcher, type AgentClass } from '../../src/undici/index.ts';
import { rules } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { deniedError } from '../../src/errors.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const httpAgent = new HttpAgent({ rules });
const httpsAgent = new HttpsAgent({ rules });
const guardedFetch = createFetch({ rules });
const dispatcher6 = new Dispatcher({ Agent: undici6.Agent as unknown as AgentClass, rules } as never);
const dispatcher7 = new Dispatcher({ Agent: undici.Agent, rules });

const followers: Record<string, (url: string) => Promise<unknown>> = {
  fetch: (url) => guardedFetch(url),
  'undici 6 request, maxRedirections': (url) =>
    undici6.request(url, { dispatcher: dispatcher6 as never, maxRedirections: 5 }),
  'undici 6 fetch': (url) => undici6.fetch(url, { dispatcher: dispatcher6 as never }),
  'undici 7 fetch': (url) => undici.fetch(url, { dispatcher: dispatcher7 }),
  'undici 7 request, redirect interceptor': (url) =>
    undici.request(url, {
      dispatcher: dispatcher7.compose(undici.interceptors.redirect({ maxRedirections: 5 })),
    }),
  'axios, http adapter': (url) => axios.get(url, { httpAgent, httpsAgent, proxy: false }),
  'axios, fetch adapter': (url) =>
    axios.get(url, { adapter: 'fetch', env: { fetch: guardedFetch } } as never),
  got: (url) => got(url, { agent: { http: httpAgent, https: httpsAgent }, retry: { limit: 0 } }),
};

/** From one allowed hop to the next, and on. */
const redirect = (to: string): string => `/redirect?${encodeURIComponent(to)}`;

for (const [name, follow] of Object.entries(followers)) {
  describe(`${name} after a redirect`, () => {
    it('to a denied literal, on any hop, denies it', async (t) => {
      const lab = await startLab(t);
      const denied = lab.url(DENIED, '/secret');
      for (const [url, hops] of [
        [lab.url(ALLOWED, redirect(denied)), 1],
        [lab.url(ALLOWED, redirect(lab.url(ALLOWED, redirect(denied)))), 2],
        [lab.url(ALLOWED, redirect(lab.url('127.0.0.1.', '/secret'))), 1],
        [lab.url(ALLOWED, redirect(`//${DENIED}:${lab.port}/secret`)), 1],
        [lab.url(ALLOWED, redirect(lab.url('0x7f.1', '/secret'))), 1],
        [lab.url(ALLOWED, redirect(denied.replace('http:', 'https:'))), 1],
      ] as const) {
        const before = lab.allowed.requests.length;
        await assertDenied(follow(url), {
          host: DENIED,
          reason: 'blocked',
          address: DENIED,
          entry: '127.0.0.1',
        });
        assert.equal(lab.allowed.requests.length - before, hops);
      }
      assert.equal(lab.denied.connections, 0);
    });
  });
}

describe('node-fetch after a redirect', () => {
  // It keeps the message of a denial only.
  it('to a denied literal denies it', async (t) => {
    const lab = await startLab(t);
    const agent = (url: URL): http.Agent =>
      (url.protocol === 'https:' ? httpsAgent : httpAgent) as https.Agent;
    await assert.rejects(nodeFetch(lab.url(ALLOWED, redirect(lab.url(DENIED))), { agent }), {
      code: 'ERR_NETJAIL_DENIED',
      message: /127\.0\.0\.1 is blocked by 127\.0\.0\.1/,
    });
    assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [1, 0]);
  });
});

describe('ws after a redirect', () => {
  it('to a denied literal denies it', async (t) => {
    const lab = await startLab(t);
    const { WebSocket } = await import('ws');
    // The server of the lab upgrades every upgrade request, so the hop is made here.
    const hop = http.createServer().listen(0, ALLOWED);
    hop.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ws://${DENIED}:${lab.port}/\r\n\r\n`),
    );
    await new Promise((resolve) => hop.once('listening', resolve));
    t.after(() => hop.close());
    const { port } = hop.address() as { port: number };
    const socket = new WebSocket(`ws://${ALLOWED}:${port}/`, { agent: httpAgent, followRedirects: true });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    const denial = deniedError(error)?.denials[0];
    assert.deepEqual([denial?.reason, denial?.address, denial?.entry], ['blocked', DENIED, '127.0.0.1']);
    assert.equal(lab.denied.connections, 0);
  });
});
