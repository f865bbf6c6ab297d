// What is left to itself, axios asks the proxy that the environment names: for plain requests
// through the agents, for TLS through an agent of its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import axios, { type AxiosRequestConfig } from 'axios';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { rules } from '../helpers/attack.ts';
import { assertDenied, type Expected } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate, type Kind, type Lab } from '../helpers/lab.ts';

/** An address that the rules allow, and one that they do not. */
const PROXY = '127.0.0.4';
const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

interface Proxy {
  url: string;
  port: number;
  /** What was asked of it: "GET http://..." or "CONNECT host:port". */
  asked: string[];
  connections: number;
}

/** A proxy that goes where it likes: for CONNECT, to the denied server. */
async function startProxy(t: TestContext, address: string): Promise<Proxy> {
  const seen: Proxy = { url: '', port: 0, asked: [], connections: 0 };
  const server = http.createServer((request, response) => {
    seen.asked.push(`${request.method} ${request.url}`);
    const to = /\/redirect\?(.*)$/.exec(request.url!)?.[1];
    if (to === undefined) response.end('proxied');
    else response.writeHead(302, { location: decodeURIComponent(to) }).end();
  });
  server.on('connection', () => seen.connections++);
  const open = new Set<Socket>();
  server.on('connect', (request, socket: Socket) => {
    seen.asked.push(`CONNECT ${request.url}`);
    const onward = net.connect(Number(request.url!.split(':')[1]), DENIED, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const one of [socket, onward]) open.add(one.on('error', () => one.destroy()));
  });
  server.listen(0, address);
  await once(server, 'listening');
  seen.port = (server.address() as AddressInfo).port;
  seen.url = `http://${address}:${seen.port}`;
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return seen;
}

/** An environment that names the proxy for everything, in both cases, until the test ends. */
function nameInEnvironment(t: TestContext, url: string): void {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of VARIABLES) process.env[name] = /^no/i.test(name) ? '' : url;
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

interface Setup {
  lab: Lab;
  proxy: Proxy;
  get(url: string, more?: AxiosRequestConfig): Promise<string>;
}

/** How axios comes to its proxy. */
type Way = 'of the environment' | 'of its options';

async function setUp(t: TestContext, way: Way, kind: Kind = 'http', address = PROXY): Promise<Setup> {
  const lab = await startLab(t, kind);
  const proxy = await startProxy(t, address);
  const own: AxiosRequestConfig = {};
  if (way === 'of the environment') nameInEnvironment(t, proxy.url);
  else own.proxy = { protocol: 'http', host: address, port: proxy.port };
  const resolver = async (host: string): Promise<string[]> => [host === 'inner.test' ? DENIED : ALLOWED];
  const httpAgent = new HttpAgent({ rules, resolver });
  const { cert } = await tlsCertificate();
  const httpsAgent = new HttpsAgent({ rules, resolver, ca: cert });
  t.after(() => [httpAgent, httpsAgent].forEach((agent) => agent.destroy()));
  const get = async (url: string, more: AxiosRequestConfig = {}): Promise<string> =>
    (await axios.get<string>(url, { httpAgent, httpsAgent, ...own, ...more })).data;
  return { lab, proxy, get };
}

const blocked = (host: string): Expected => ({
  host,
  reason: 'blocked',
  address: DENIED,
  entry: '127.0.0.1',
});

for (const way of ['of the environment', 'of its options'] as const) {
  describe(`axios with the proxy ${way}, for a plain request`, () => {
    it('is denied a target that is denied, and any name', async (t) => {
      const { lab, proxy, get } = await setUp(t, way);
      await assertDenied(get(lab.url(DENIED)), blocked(DENIED));
      for (const host of ['inner.test', 'name.test'])
        await assertDenied(get(lab.url(host)), { host, reason: 'proxied-name' });
      assert.deepEqual([proxy.asked, lab.denied.connections], [[], 0]);
    });

    it('asks the proxy for an address that is allowed, and is denied where it redirects to', async (t) => {
      const { lab, proxy, get } = await setUp(t, way);
      assert.equal(await get(lab.url(ALLOWED)), 'proxied');
      const hop = `/redirect?${encodeURIComponent(lab.url(DENIED))}`;
      await assertDenied(get(lab.url(ALLOWED, hop)), blocked(DENIED));
      assert.deepEqual(proxy.asked, [`GET ${lab.url(ALLOWED)}`, `GET ${lab.url(ALLOWED, hop)}`]);
      assert.equal(lab.denied.connections, 0);
    });

    it('is denied the proxy when the address of that is denied', async (t) => {
      const { lab, proxy, get } = await setUp(t, way, 'http', DENIED);
      await assertDenied(get(lab.url(ALLOWED)), blocked(DENIED));
      assert.deepEqual([proxy.connections, lab.allowed.connections], [0, 0]);
    });
  });

  // As docs/clients.md says: axios tunnels with an agent of its own.
  describe(`axios with the proxy ${way}, for a request over TLS, leaks`, () => {
    for (const address of [PROXY, DENIED]) {
      it(`goes past the agents to a proxy at ${address}, which goes anywhere`, async (t) => {
        const { lab, proxy, get } = await setUp(t, way, 'https', address);
        assert.equal(await get(lab.url('name.test')), `hello from ${DENIED}`);
        assert.deepEqual(proxy.asked, [`CONNECT name.test:${lab.port}`]);
        assert.equal(lab.denied.connections, 1);
      });
    }
  });
}

describe('axios with `proxy: false` in an environment that names a proxy', () => {
  for (const kind of ['http', 'https'] as const) {
    it(`never speaks to it, over ${kind}`, async (t) => {
      const { lab, proxy, get } = await setUp(t, 'of the environment', kind);
      for (const host of [ALLOWED, 'name.test'])
        assert.equal(await get(lab.url(host), { proxy: false }), `hello from ${ALLOWED}`);
      for (const host of [DENIED, 'inner.test'])
        await assertDenied(get(lab.url(host), { proxy: false }), blocked(host));
      const hop = `/redirect?${encodeURIComponent(lab.url(DENIED))}`;
      await assertDenied(get(lab.url(ALLOWED, hop), { proxy: false }), blocked(DENIED));
      assert.deepEqual([proxy.connections, lab.denied.connections], [0, 0]);
    });
  }
});
