// Hooks and options that docs/clients.md tells not to use, each shown to leak. When one of these
// tests fails because a client has closed the leak, the page has something to take back.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import axios from 'axios';
import got from 'got';
import { Agent, request } from 'undici';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED, startLab, type Kind } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
const httpAgent = new HttpAgent({ rules });
const httpsAgent = new HttpsAgent({ rules });
// Packages without types here.
const { default: superagent } = (await import(String('superagent'))) as unknown as { default: Superagent };
interface Superagent {
  get(url: string): SuperagentRequest;
}
interface SuperagentRequest extends Promise<{ text: string }> {
  lookup(lookup: LookupFunction): this;
  agent(agent: http.Agent): this;
  http2(): this;
  disableTLSCerts(): this;
  buffer(whole: boolean): this;
}

/** A look-up that lets only accepted addresses through: what many guards are made of. */
const judging: LookupFunction = (host, options, callback) => {
  const address = host === 'name.test' ? ALLOWED : DENIED;
  if (!rules.accept(address))
    return void process.nextTick(callback, new Error('denied by the look-up'), '', 0);
  if (options.all) process.nextTick(callback, null, [{ address, family: 4 }]);
  else process.nextTick(callback, null, address, 4);
};

interface Leak {
  name: string;
  kind?: Kind;
  /** What the server said. */
  get(url: string): Promise<string>;
  /** The hook does judge names. */
  judgesNames?: true;
  /** It connects and shakes hands, but fails later for a reason of its own. */
  failsLater?: RegExp;
}

const leaks: Leak[] = [
  {
    name: '`lookup` of node:http',
    judgesNames: true,
    get: (url) =>
      new Promise((resolve, reject) => {
        http.get(url, { lookup: judging }, (response) => resolve(text(response))).on('error', reject);
      }),
  },
  {
    name: '`lookup` of node:http2',
    kind: 'h2c',
    judgesNames: true,
    get: (url) =>
      new Promise((resolve, reject) => {
        const session = http2.connect(url, { lookup: judging } as object).on('error', reject);
        const stream = session.request({ ':path': '/' }).on('error', reject);
        text(stream)
          .then(resolve, reject)
          .finally(() => session.close());
      }),
  },
  {
    name: '`connect.lookup` of undici',
    judgesNames: true,
    get: async (url) => {
      const dispatcher = new Agent({ connect: { lookup: judging } });
      const { body } = await request(url, { dispatcher });
      return body.text().finally(() => dispatcher.close());
    },
  },
  {
    name: '`lookup` of axios',
    judgesNames: true,
    get: async (url) => (await axios.get<string>(url, { lookup: judging as never, proxy: false })).data,
  },
  {
    name: '`dnsLookup` of got',
    judgesNames: true,
    get: (url) => got(url, { dnsLookup: judging as never, retry: { limit: 0 } }).text(),
  },
  {
    name: '`.lookup()` of superagent',
    judgesNames: true,
    get: async (url) => (await superagent.get(url).lookup(judging).buffer(true)).text,
  },
  {
    name: '`httpVersion: 2` of axios, past its agents',
    kind: 'h2',
    get: async (url) =>
      (
        await axios.get<string>(url, {
          httpAgent,
          httpsAgent,
          proxy: false,
          httpVersion: 2,
          http2Options: { rejectUnauthorized: false, sessionTimeout: 10 },
        } as object)
      ).data,
  },
  {
    name: '`http2: true` of got, past its agents',
    kind: 'h2',
    failsLater: /Requested origin .* does not match server/,
    get: (url) =>
      got(url, {
        agent: { http: httpAgent, https: httpsAgent },
        http2: true,
        https: { rejectUnauthorized: false },
        retry: { limit: 0 },
      }).text(),
  },
  {
    name: '`.http2()` of superagent, past its agent',
    kind: 'h2',
    get: async (url) =>
      (await superagent.get(url).agent(httpsAgent).http2().disableTLSCerts().buffer(true)).text,
  },
  {
    name: '`agent: false` of node:http',
    get: (url) =>
      new Promise((resolve, reject) => {
        http.get(url, { agent: false }, (response) => resolve(text(response))).on('error', reject);
      }),
  },
];

for (const { name, kind, get, judgesNames, failsLater } of leaks) {
  describe(`${name} leaks`, () => {
    it(`reaches a blocked literal${judgesNames ? ', though it judges names' : ''}`, async (t) => {
      const lab = await startLab(t, kind);
      if (judgesNames) {
        await assert.rejects(get(lab.url('inner.test')));
        assert.equal(lab.denied.connections, 0);
      }
      if (failsLater === undefined) assert.equal(await get(lab.url(DENIED)), `hello from ${DENIED}`);
      else await assert.rejects(get(lab.url(DENIED)), failsLater);
      assert.ok(lab.denied.connections > 0);
    });
  });
}

const node = Number(process.versions.node.split('.')[0]);
const noEventSource = node < 22 ? 'not run: EventSource of the runtime needs Node 22' : false;
describe('`{ node: { dispatcher } }` of EventSource', { skip: noEventSource }, () => {
  it('is ignored by Node 22, and heeded later', async (t) => {
    const lab = await startLab(t);
    const program = `
      const { createDispatcher } = await import('netjail/fetch');
      const { Rules } = await import('netjail');
      const dispatcher = createDispatcher({ rules: new Rules({ allow: ['127.0.0.0/8'], block: ['${DENIED}'] }) });
      new EventSource('${lab.url(DENIED)}', { node: { dispatcher } }).onerror = () => process.exit();`;
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--experimental-eventsource', '--input-type=module', '-e', program],
      { cwd: packageRoot, stdio: 'inherit' },
    );
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.equal(lab.denied.connections, node === 22 ? 1 : 0);
  });
});
