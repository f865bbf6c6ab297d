// The recipes with the other major versions of their packages, and with their other calls.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type * as Undici from 'undici';
import { deniedError } from '../../src/errors.ts';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';
import { netjail, recipe, type Handle } from '../helpers/recipes.ts';
import { webService } from '../helpers/web-service.ts';

const rules = new netjail.Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
const resolver = async (host: string): Promise<string[]> => [host === 'name.test' ? ALLOWED : DENIED];
const guard = { rules, resolver };
const node = Number(process.versions.node.split('.')[0]);
const load = <T>(name: string): Promise<T> => import(name) as Promise<T>;

const others = [
  { file: 'got.js', other: 'got16', name: 'got 16', needs: 22 },
  { file: 'ky.js', other: 'ky2', name: 'ky 2', needs: 22 },
  { file: 'node-fetch.js', other: 'node-fetch2', name: 'node-fetch 2', needs: 20 },
];
for (const { file, other, name, needs } of others) {
  const skip = node < needs ? `not run: ${name} needs Node ${needs}` : false;
  describe(name, { skip }, () => {
    it('is guarded by the same recipe, after a redirect too', async (t) => {
      const lab = await startLab(t);
      const { open, meta } = await recipe(file);
      const { default: client } = await load<{ default: unknown }>(other);
      const outcome = async (url: string): Promise<string> => {
        const handle = await open(guard, url, client);
        return handle
          .use()
          .catch((error: Error) =>
            meta.denial === 'message'
              ? error.message.replace(/.*: /, '')
              : String(deniedError(error)?.reason),
          )
          .finally(() => handle.close());
      };
      const denied = meta.denial === 'message' ? `${DENIED} is blocked by ${DENIED}` : 'blocked';
      for (const host of ['name.test', ALLOWED])
        assert.equal(await outcome(lab.url(host)), `hello from ${ALLOWED}`);
      for (const url of [
        lab.url(DENIED),
        lab.url('inner.test'),
        lab.url(ALLOWED, `/redirect?${encodeURIComponent(lab.url(DENIED))}`),
      ])
        assert.equal(await outcome(url), denied);
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [3, 0]);
    });
  });
}

type Call = (undici: typeof Undici, url: string, dispatcher: Undici.Dispatcher) => Promise<string>;
const calls: Record<string, Call> = {
  request: async ({ request }, url, dispatcher) => (await request(url, { dispatcher })).body.text(),
  fetch: async ({ fetch }, url, dispatcher) => (await fetch(url, { dispatcher })).text(),
  stream: async ({ stream }, url, dispatcher) => {
    let body = '';
    const sink = new Writable({ write: (chunk, _encoding, done) => ((body += String(chunk)), done()) });
    await stream(url, { dispatcher, method: 'GET' }, () => sink);
    return body;
  },
  pipeline: ({ pipeline }, url, dispatcher) =>
    text(pipeline(url, { dispatcher, method: 'GET' }, ({ body }) => body).end()),
  'request of the dispatcher': async (_undici, url, dispatcher) => {
    const { origin, pathname, search } = new URL(url);
    return (await dispatcher.request({ origin, path: pathname + search, method: 'GET' })).body.text();
  },
  'request with the redirect interceptor': async ({ request, interceptors }, url, dispatcher) =>
    (
      await request(url, { dispatcher: dispatcher.compose(interceptors.redirect({ maxRedirections: 2 })) })
    ).body.text(),
};
const FOLLOW = ['fetch', 'request with the redirect interceptor'];
const versions = [
  { name: 'undici 6', packageName: 'undici6', needs: 20 },
  { name: 'undici 7', packageName: 'undici', needs: 20 },
  { name: 'undici 8', packageName: 'undici8', needs: 22 },
];
for (const { name, packageName, needs } of versions) {
  const skip = node < needs ? `not run: ${name} needs Node ${needs}` : false;
  describe(name, { skip }, () => {
    for (const [call, send] of Object.entries(calls)) {
      it(`${call}() is guarded by the recipe's dispatcher`, async (t) => {
        const lab = await startLab(t);
        const undici = await load<typeof Undici>(packageName);
        const { Dispatcher } = await load<typeof import('../../src/undici/index.ts')>('netjail/undici');
        const dispatcher = new Dispatcher({
          Agent: undici.Agent,
          ...guard,
        } as never) as unknown as Undici.Dispatcher;
        t.after(() => dispatcher.destroy());
        for (const host of ['name.test', ALLOWED])
          assert.equal(await send(undici, lab.url(host), dispatcher), `hello from ${ALLOWED}`);
        const redirect = lab.url(ALLOWED, `/redirect?${encodeURIComponent(lab.url(DENIED))}`);
        for (const url of [
          lab.url(DENIED),
          lab.url('inner.test'),
          ...(FOLLOW.includes(call) ? [redirect] : []),
        ]) {
          const error: unknown = await send(undici, url, dispatcher).then(
            (body) => assert.fail(body),
            (reason: unknown) => reason,
          );
          assert.equal(deniedError(error)?.reason, 'blocked', String((error as Error).stack));
        }
        assert.equal(lab.denied.connections, 0);
      });
    }

    it('Pool, Client, BalancedPool, ProxyAgent, EnvHttpProxyAgent and RetryAgent are refused', async () => {
      const undici = await load<Record<string, new (url: string) => { close(): Promise<void> }>>(packageName);
      const { Dispatcher } = await load<typeof import('../../src/undici/index.ts')>('netjail/undici');
      for (const other of [
        'Pool',
        'Client',
        'BalancedPool',
        'ProxyAgent',
        'EnvHttpProxyAgent',
        'RetryAgent',
      ]) {
        assert.throws(() => new Dispatcher({ Agent: undici[other], rules } as never), {
          code: 'ERR_NETJAIL_INVALID_OPTION',
          message: new RegExp(`Cannot use option "Agent": ${other} connects in ways of its own`),
        });
      }
    });
  });
}

interface Sniffing {
  on(event: 'sniff', listener: (error: Error | null) => void): void;
}
interface Search extends Sniffing {
  diagnostic?: Sniffing;
  transport: { sniff(options: object): void };
  connectionPool: { connections: { url: URL }[] };
}

for (const file of ['elasticsearch.js', 'opensearch.js']) {
  describe(file, () => {
    it('is denied at the nodes that a server advertises', async (t) => {
      const service = webService({ file });
      let port = 0;
      const lab = await startLab(t, 'http', {
        request(request, response, address) {
          if (!request.url!.startsWith('/_nodes/')) return service.request!(request, response, address);
          response.setHeader('x-elastic-product', 'Elasticsearch');
          response.setHeader(
            'content-type',
            file === 'opensearch.js'
              ? 'application/json'
              : 'application/vnd.elasticsearch+json;compatible-with=9',
          );
          const node = {
            http: { publish_address: `${DENIED}:${port}` },
            roles: ['master', 'data', 'ingest'],
          };
          response.end(JSON.stringify({ cluster_name: 'lab', nodes: { one: node } }));
          return true;
        },
      });
      ({ port } = lab);
      const { open } = await recipe(file);
      const handle = (await open(guard, lab.url(ALLOWED).replace(/\/$/, ''))) as Handle & { client: Search };
      t.after(() => handle.close());
      const { client } = handle;
      const sniffed = new Promise<void>((resolve, reject) =>
        (client.diagnostic ?? client).on('sniff', (error) => (error ? reject(error) : resolve())),
      );
      client.transport.sniff({ reason: 'sniff-on-start' });
      await sniffed;
      assert.deepEqual(
        client.connectionPool.connections.map(({ url }) => url.host),
        [`${DENIED}:${port}`],
      );
      await assert.rejects(handle.use(), { message: new RegExp(`${DENIED} is blocked by ${DENIED}$`) });
      assert.equal(lab.denied.connections, 0);
    });
  });
}

describe('Elasticsearch without HttpConnection', () => {
  it('fails, and connects nowhere', async (t) => {
    const lab = await startLab(t, 'http', webService({ file: 'elasticsearch.js' }));
    const { HttpAgent } = await load<typeof import('../../src/http/index.ts')>('netjail/http');
    const { Client } = await load<{ Client: new (options: object) => { info(): Promise<unknown> } }>(
      '@elastic/elasticsearch',
    );
    const client = new Client({
      node: lab.url(DENIED),
      agent: () => new HttpAgent(guard as never),
      maxRetries: 0,
    });
    await assert.rejects(client.info(), { message: /request is not a function/ });
    assert.equal(lab.denied.connections, 0);
  });
});

describe('MCP TypeScript SDK', () => {
  for (const [file, transport] of [
    ['mcp.js', 'streamableHttp.js StreamableHTTPClientTransport'],
    ['mcp-sse.js', 'sse.js SSEClientTransport'],
  ] as const) {
    it(`${transport.split(' ')[1]} is denied a redirect that it is told to follow`, async (t) => {
      let redirect = '';
      const lab = await startLab(t, 'http', {
        request: (...args) => webService({ file, redirect }).request!(...args),
      });
      redirect = lab.url(DENIED).replace(/\/$/, '');
      const { createFetch } = await load<typeof import('../../src/fetch/index.ts')>('netjail/fetch');
      const { Client } = await load<{ Client: McpClient }>('@modelcontextprotocol/sdk/client/index.js');
      const [module, name] = transport.split(' ') as [string, string];
      const transports = await load<Record<string, McpTransport>>(
        `@modelcontextprotocol/sdk/client/${module}`,
      );
      const fetch = createFetch(guard as never);
      const client = new Client({ name: 'test', version: '1.0.0' });
      t.after(() => fetch.destroy());
      const to = new transports[name]!(new URL(lab.url(ALLOWED)), { fetch, redirectPolicy: 'follow' });
      await assert.rejects(client.connect(to), (error: Error) =>
        `${error.message} ${deniedError(error)?.message}`.includes(`${DENIED} is blocked by ${DENIED}`),
      );
      await client.close();
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [1, 0]);
    });
  }
});

type McpTransport = new (url: URL, options: object) => object;
type McpClient = new (info: object) => { connect(transport: object): Promise<void>; close(): Promise<void> };

describe('ws', () => {
  /** A server that redirects every handshake to a TLS server on the allowed address. */
  async function redirecting(t: TestContext): Promise<{ url: string; secure: Lab }> {
    const secure = await startLab(t, 'https', webService({ file: 'ws.js' }));
    const redirect = secure.url(ALLOWED).replace(/^https(.*)\/$/, 'wss$1');
    const plain = await startLab(t, 'http', webService({ file: 'ws.js', redirect }));
    return { url: plain.url(ALLOWED).replace(/\/$/, ''), secure };
  }

  it('speaks TLS after a redirect to wss: when createConnection is ours', async (t) => {
    const { url, secure } = await redirecting(t);
    const { open } = await recipe('ws-create-connection.js');
    const handle = await open(guard, url);
    // Nobody here knows the authority of the certificate: TLS was spoken to find that out.
    await assert.rejects(handle.use(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    assert.equal(secure.allowed.connections, 1);
    assert.equal(secure.allowed.requests.length, 0);
  });

  it('ends the process after a redirect to wss: when it has an agent, ours or any', async (t) => {
    const { url } = await redirecting(t);
    const program = `
      import http from 'node:http';
      import { WebSocket } from 'ws';
      const options = { agent: new http.Agent(), followRedirects: true };
      new WebSocket('${url.replace('http', 'ws')}/', options).on('error', () => process.exit(0));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: packageRoot,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (data: string) => (stderr += data));
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.match(stderr, /ERR_INVALID_PROTOCOL/);
  });
});

describe('redirects', () => {
  it('to the other protocol are refused by superagent and a single agent', async (t) => {
    const lab = await startLab(t);
    const { open } = await recipe('superagent.js');
    const url = lab.url(ALLOWED, `/redirect?${encodeURIComponent(`https://${DENIED}:${lab.port}/`)}`);
    const handle = await open(guard, url);
    t.after(() => handle.close());
    await assert.rejects(handle.use(), { code: 'ERR_INVALID_PROTOCOL' });
    assert.equal(lab.denied.connections, 0);
  });
});
