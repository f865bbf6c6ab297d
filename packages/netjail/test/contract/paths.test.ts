// Unix sockets: denied, unless an entry names the very path.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { withRules } from '../../src/context.ts';
import { createDial, type Dial } from '../../src/dial.ts';
import { createRedisConnector } from '../../src/db/index.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { assertDenied } from '../helpers/denial.ts';
import { DENIED, localhostCertificate, startLab, tlsCertificate } from '../helpers/lab.ts';

interface UnixServer {
  path: string;
  connections: number;
}

async function startUnixServer(t: TestContext): Promise<UnixServer> {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
  const site: UnixServer = { path: join(folder, 'x.sock'), connections: 0 };
  const server = http.createServer((_request, response) => response.end('hello'));
  server.on('connection', () => site.connections++);
  server.listen(site.path);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return site;
}

async function readReply(socket: Socket): Promise<string> {
  let reply = '';
  socket.setEncoding('utf8').on('data', (text: string) => (reply += text));
  socket.write('GET / HTTP/1.0\r\n\r\n');
  await once(socket, 'end');
  return reply;
}

const dialled = (open: (dial: Dial, path: string) => Socket) => (rules: Rules | undefined, path: string) =>
  readReply(open(createDial(rules === undefined ? {} : { rules }), path));

const ways: Record<string, (rules: Rules | undefined, path: string) => Promise<string>> = {
  'dial()': dialled((dial, path) => dial({ path })),
  'dial() with a connect function of its own': (rules, path) =>
    readReply(
      createDial({
        ...(rules === undefined ? {} : { rules }),
        connect: () => assert.fail('connect was called for a path'),
      })({ path }),
    ),
  'dial.socket()': dialled((dial, path) => dial.socket().connect(path)),
  'dial.socket() with options': dialled((dial, path) => dial.socket().connect({ path })),
  HttpAgent: (rules, path) =>
    new Promise((resolve, reject) => {
      const agent = new HttpAgent(rules === undefined ? {} : { rules });
      http
        .get({ socketPath: path, path: '/', agent }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve(body));
        })
        .on('error', reject);
    }),
};

/** The path of all connections of a dispatcher; what the URL names is never looked up. */
const through = (rules: Rules | undefined, path: string) => ({
  ...(rules === undefined ? {} : { rules }),
  resolver: () => assert.fail('a name was looked up for a path'),
  connect: { socketPath: path },
});

ways['fetch with connect.socketPath'] = async (rules, path) => {
  const fetch = createFetch(through(rules, path));
  const reply = await (await fetch('http://docker.test/')).text();
  await fetch.close();
  return reply;
};
ways['undici 6 with connect.socketPath'] = async (rules, path) => {
  const dispatcher = new Dispatcher({ Agent: undici6.Agent, ...through(rules, path) });
  const { body } = await undici6.request('http://docker.test/', { dispatcher });
  const reply = await body.text();
  await dispatcher.close();
  return reply;
};
ways['undici 7 with connect.socketPath'] = async (rules, path) => {
  const dispatcher = new Dispatcher({ Agent: undici7.Agent, ...through(rules, path) });
  const { body } = await undici7.request('http://docker.test/', { dispatcher });
  const reply = await body.text();
  await dispatcher.close();
  return reply;
};

for (const [name, request] of Object.entries(ways)) {
  describe(`${name} on a path`, () => {
    it('reaches the server when an entry names this very path', async (t) => {
      const server = await startUnixServer(t);
      const rules = new Rules({ allow: [{ path: server.path }] });
      assert.match(await request(rules, server.path), /hello$/);
      assert.equal(server.connections, 1);
      await withRules(rules, async () => assert.match(await request(undefined, server.path), /hello$/));
      assert.equal(server.connections, 2);
    });

    it('denies when no entry names it, however much is allowed', async (t) => {
      const server = await startUnixServer(t);
      const rules = new Rules({ allow: ['0.0.0.0/0', '::/0', { port: [1, 65535] }, { path: '/var/run/x' }] });
      await assertDenied(request(rules, server.path), { host: server.path, reason: 'path-not-allowed' });
      // Another spelling is another path: nothing is folded.
      const dotted = server.path.replace(/\/x\.sock$/, '/./x.sock');
      await assertDenied(request(new Rules({ allow: [{ path: server.path }] }), dotted), {
        host: dotted,
        reason: 'path-not-allowed',
      });
      await assertDenied(request(undefined, server.path), { host: server.path, reason: 'no-rules' });
      assert.equal(server.connections, 0);
    });

    it('denies when an entry blocks it', async (t) => {
      const server = await startUnixServer(t);
      const entry = { path: server.path };
      await assertDenied(request(new Rules({ allow: [entry], block: [entry] }), server.path), {
        host: server.path,
        reason: 'path-blocked',
        entry: JSON.stringify(entry),
      });
      assert.equal(server.connections, 0);
    });
  });
}

describe('Dispatcher with connect.socketPath', () => {
  it('checks the certificate for the name of the URL when the path speaks TLS', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
    const path = join(folder, 'x.sock');
    const certificate = await tlsCertificate();
    const server = https.createServer(certificate, (_request, response) => response.end('hello'));
    let connections = 0;
    server.on('connection', () => connections++).listen(path);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    });
    const dispatcher = new Dispatcher({
      Agent: undici7.Agent,
      rules: new Rules({ allow: [{ path }] }),
      connect: { socketPath: path, ca: certificate.cert },
    });
    t.after(() => dispatcher.destroy());
    const { body } = await undici7.request('https://name.test/', { dispatcher });
    assert.equal(await body.text(), 'hello');
    await assert.rejects(undici7.request('https://other.test/', { dispatcher }), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    assert.equal(connections, 2);
  });

  it('checks the certificate against the host beside the path, never against "localhost"', async (t) => {
    const { cert, key } = await localhostCertificate();
    const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
    const path = join(folder, 'x.sock');
    const server = tls.createServer({ cert, key }, (socket) => socket.on('error', () => {})).listen(path);
    await once(server, 'listening');
    t.after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const rules = new Rules({ allow: [{ path }] });
    const outcome = async (socket: Socket): Promise<unknown> => {
      const error = await Promise.race([
        once(socket, 'secureConnect').then(() => undefined),
        once(socket, 'error').then(([reason]) => (reason as { code?: string }).code),
      ]).catch((reason: { code?: string }) => reason.code);
      socket.destroy();
      return error;
    };
    const open: Record<string, (host: string) => Socket> = {
      'dial.tls()': (host) => createDial({ rules }).tls({ path, host, ca: cert } as never),
      'HttpsAgent.createConnection()': (host) =>
        new HttpsAgent({ rules }).createConnection({ path, host, ca: cert }) as Socket,
    };
    for (const [name, from] of Object.entries(open)) {
      assert.equal(await outcome(from('db.test')), 'ERR_TLS_CERT_ALTNAME_INVALID', name);
      assert.equal(await outcome(from('localhost')), undefined, name);
    }
    // The host is for the certificate alone: nothing goes there.
    const lab = await startLab(t, 'https');
    const beside = { path, host: DENIED, port: lab.port, ca: cert };
    for (const socket of [
      createDial({ rules }).tls(beside as never),
      new HttpsAgent({ rules }).createConnection({ ...beside, path: undefined, socketPath: path }) as Socket,
    ])
      assert.equal(await outcome(socket), 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    const Connector = createRedisConnector({ rules });
    for (const [host, code] of [
      ['db.test', 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['localhost', undefined],
    ] as const) {
      const connector = new Connector({ host: 'localhost', port: 6379, path, tls: { ca: cert, host } });
      const socket: Socket = await connector.connect();
      assert.equal(connector.firstError?.code, code);
      assert.equal(socket.destroyed, code !== undefined);
      socket.destroy();
    }
  });

  it('denies a path that no entry names when the URL asks for TLS', async (t) => {
    const server = await startUnixServer(t);
    const dispatcher = new Dispatcher({
      Agent: undici7.Agent,
      rules: new Rules({ allow: ['public'] }),
      connect: { socketPath: server.path },
    });
    t.after(() => dispatcher.destroy());
    await assertDenied(undici7.request('https://name.test/', { dispatcher }), {
      host: server.path,
      reason: 'path-not-allowed',
    });
    assert.equal(server.connections, 0);
  });

  it('lets a denied path through and publishes it in mode report', async (t) => {
    const server = await startUnixServer(t);
    const verdicts: unknown[] = [];
    const listen = (message: unknown): void => void verdicts.push(message);
    subscribe('netjail:verdict', listen);
    t.after(() => unsubscribe('netjail:verdict', listen));
    const fetch = createFetch({
      rules: new Rules({}),
      mode: 'report',
      connect: { socketPath: server.path },
    });
    assert.equal(await (await fetch('http://docker.test/')).text(), 'hello');
    await fetch.close();
    assert.deepEqual(
      verdicts.map((verdict) => [(verdict as { host: string }).host, (verdict as { reason: string }).reason]),
      [[server.path, 'path-not-allowed']],
    );
    assert.equal(server.connections, 1);
  });
});

// Behind a path there may be a proxy, and nobody has judged the host that the URL names.
describe('a request on a path that names its target in absolute form', () => {
  const target = 'http://10.0.0.1/';
  const denial = { host: '10.0.0.1', reason: 'not-allowed', address: '10.0.0.1' } as const;

  it('is denied by Dispatcher, though it names the host of its URL', async (t) => {
    const server = await startUnixServer(t);
    for (const { Agent } of [undici6, undici7]) {
      const dispatcher = new Dispatcher({
        Agent: Agent as typeof undici7.Agent,
        rules: new Rules({ allow: [{ path: server.path }] }),
        connect: { socketPath: server.path },
      });
      t.after(() => dispatcher.destroy());
      const call = dispatcher.request({ origin: 'http://10.0.0.1', path: target, method: 'GET' });
      await assertDenied(call, denial);
    }
    assert.equal(server.connections, 0);
  });

  it('is denied by HttpAgent, though it names the host of its options', async (t) => {
    const server = await startUnixServer(t);
    const agent = new HttpAgent({ rules: new Rules({ allow: [{ path: server.path }] }) });
    const call = new Promise((resolve, reject) => {
      http
        .get({ socketPath: server.path, host: '10.0.0.1', path: target, agent }, resolve)
        .on('error', reject);
    });
    await assertDenied(call, denial);
    assert.equal(server.connections, 0);
  });
});
