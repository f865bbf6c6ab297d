// Tries the parts of netjail in the runtime that runs this file: Node, Bun or Deno. Servers stand in
// another process, which counts what reaches them. Prints one JSON line for each part:
// { part, result, message }, where the result is 'guarded'; 'refused' when netjail threw before
// anything was connected; 'absent' when the runtime or the package failed by itself; 'broken' when
// the guard did not do what it should.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createDial, deniedError, Rules, withRules } from 'netjail';
import { HttpAgent, HttpsAgent } from 'netjail/http';
import { Dispatcher } from 'netjail/undici';

const { NETJAIL_HTTP, NETJAIL_HTTPS, NETJAIL_H2, NETJAIL_CA } = process.env;
const ca = readFileSync(NETJAIL_CA, 'utf8');
const ALLOWED = '127.0.0.2';
const DENIED = '127.0.0.1';
const rules = new Rules({ allow: ['127.0.0.0/8', '::/0'], block: [DENIED] });
const resolver = async (host) => [host === 'name.test' ? ALLOWED : DENIED];
const guard = { rules, resolver };
const hello = `hello from ${ALLOWED}`;

const text = async (stream) => {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
};

/** Reads the answer of a socket that speaks HTTP/1.0. */
const speak = (socket, host) =>
  new Promise((resolve, reject) => {
    let all = '';
    socket.setEncoding('utf8').on('data', (data) => (all += data));
    socket.on('error', reject).on('end', () => resolve(all.split('\r\n\r\n')[1]));
    socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
  });

const get = (module, agent, port, host) =>
  new Promise((resolve, reject) => {
    const scheme = module === https ? 'https' : 'http';
    module
      .get(`${scheme}://${bracket(host)}:${port}/`, { agent }, (response) =>
        text(response).then(resolve, reject),
      )
      .on('error', reject);
  });

const ALLOWANCES = ['name.test', ALLOWED];
const DENIALS = [
  [DENIED, DENIED],
  ['::ffff:127.0.0.1', DENIED],
  ['inner.test', DENIED],
  ['::', '::'],
];

/** Holds `visit(host)` to the contract: what is allowed is reached, what is denied is denied. */
async function hold(visit, allowances = ALLOWANCES) {
  for (const host of allowances) assert.equal(await visit(host), hello, host);
  for (const [host, address] of DENIALS) {
    const error = await visit(host).then(
      (body) => assert.fail(`${host} was let through: ${body}`),
      (reason) => reason,
    );
    const denied = deniedError(error);
    assert.ok(denied, `${host} failed with ${error?.stack}`);
    assert.equal(denied.denials[0].address, address);
  }
}

const bracket = (host) => (host.includes(':') ? `[${host}]` : host);

function overHttp2(allowances) {
  const dial = createDial(guard);
  const visit = (host) =>
    new Promise((resolve, reject) => {
      const target = { host, port: Number(NETJAIL_H2), ca, ALPNProtocols: ['h2'] };
      const session = http2
        .connect(`https://${bracket(host)}:${NETJAIL_H2}`, { createConnection: () => dial.tls(target) })
        .on('error', reject);
      const stream = session.request({ ':path': '/' }).on('error', reject);
      text(stream)
        .then(resolve, reject)
        .finally(() => session.close());
    });
  return hold(visit, allowances);
}

/** Dials with a `connect` that goes elsewhere; what the server there saw. */
async function astray() {
  const other = '127.0.0.5';
  const seen = { connections: 0, bytes: 0 };
  const server = net.createServer((socket) => {
    seen.connections++;
    socket.on('data', (data) => (seen.bytes += data.length)).on('error', () => {});
  });
  server.listen(0, other);
  await once(server, 'listening');
  const { port } = server.address();
  const connect = () => net.connect({ host: other, port });
  const dial = createDial({ rules: new Rules({ allow: [ALLOWED], block: [other] }), connect });
  const error = await speak(dial({ host: ALLOWED, port }), ALLOWED).catch((reason) => reason);
  assert.equal(deniedError(error)?.denials[0].address, other, String(error?.stack));
  await delay(20);
  server.close();
  assert.equal(seen.bytes, 0);
  return seen;
}

const parts = {
  'createDial()': () => {
    const dial = createDial(guard);
    return hold((host) => speak(dial({ host, port: Number(NETJAIL_HTTP) }), host));
  },
  'dial.tls()': async () => {
    const dial = createDial(guard);
    await hold((host) => speak(dial.tls({ host, port: Number(NETJAIL_HTTPS), ca }), host));
    await assert.rejects(
      speak(
        createDial({ rules, resolver: async () => [ALLOWED] }).tls({
          host: 'wrong.test',
          port: Number(NETJAIL_HTTPS),
          ca,
        }),
        'wrong.test',
      ),
      (error) => /ALTNAME|altname|Hostname|certificate/i.test(`${error.code} ${error.message}`),
    );
  },
  'dial.socket()': () => {
    const dial = createDial(guard);
    return hold((host) => speak(dial.socket().connect(Number(NETJAIL_HTTP), host), host));
  },
  'a socket that goes astray is destroyed before the first byte': () => astray(),
  'a socket that goes astray is stopped before connect(2)': async () => {
    const { connections } = await astray();
    if (connections > 0) throw new Error('its address is judged when it is connected');
  },
  'withRules()': async () => {
    const dial = createDial({ resolver });
    const visit = (host) => speak(dial({ host, port: Number(NETJAIL_HTTP) }), host);
    await hold((host) => withRules(rules, () => visit(host)));
    // After timers, promises and an answer, the rules are still those of the caller.
    await withRules(rules, async () => {
      await delay(1);
      assert.equal(await visit(ALLOWED), hello);
      assert.equal(await new Promise((resolve) => setImmediate(() => resolve(visit(ALLOWED)))), hello);
    });
    const error = await visit(ALLOWED).catch((reason) => reason);
    assert.equal(deniedError(error)?.reason, 'no-rules');
  },
  HttpAgent: async () => {
    const agent = new HttpAgent({ ...guard, keepAlive: true });
    await hold((host) => get(http, agent, NETJAIL_HTTP, host));
    agent.destroy();
  },
  HttpsAgent: async () => {
    const agent = new HttpsAgent({ ...guard, ca });
    await hold((host) => get(https, agent, NETJAIL_HTTPS, host));
    agent.destroy();
  },
  'HttpAgent under the rules in effect': async () => {
    const agent = new HttpAgent({ resolver, keepAlive: true, maxSockets: 1 });
    await hold((host) => withRules(rules, () => get(http, agent, NETJAIL_HTTP, host)));
    // A connection that is kept alive is not for other rules.
    const other = new Rules({ allow: ['10.0.0.0/8'] });
    const error = await withRules(other, () => get(http, agent, NETJAIL_HTTP, ALLOWED)).catch(
      (reason) => reason,
    );
    assert.equal(deniedError(error)?.reason, 'not-allowed');
    agent.destroy();
  },
  'node:http2 through the dial, to names': () => overHttp2(['name.test']),
  'node:http2 through the dial, to addresses': () => overHttp2([ALLOWED]),
  'createFetch()': async () => {
    const { createFetch } = await import('netjail/fetch');
    const guarded = createFetch(guard);
    await hold(async (host) => (await guarded(`http://${bracket(host)}:${NETJAIL_HTTP}/`)).text());
    await guarded.destroy();
  },
  ...Object.fromEntries(
    ['undici6', 'undici', 'undici8'].map((name) => [
      `Dispatcher with ${name === 'undici' ? 'undici 7, imported as undici' : name.replace(/[0-9]/, ' $&')}`,
      async () => {
        const { Agent, request } = await import(name);
        const dispatcher = new Dispatcher({ Agent, ...guard });
        await hold(async (host) => {
          return (await request(`http://${bracket(host)}:${NETJAIL_HTTP}/`, { dispatcher })).body.text();
        });
        await dispatcher.destroy();
      },
    ]),
  ),
};

for (const [part, run] of Object.entries(parts)) {
  let outcome = { result: 'guarded' };
  try {
    await run();
  } catch (error) {
    const { code, message } = error;
    const [line] = String(message).split('\n');
    // Refused by netjail itself, whatever it was; an assertion that fails is no such thing.
    if (code?.startsWith('ERR_NETJAIL_') && deniedError(error) === undefined)
      outcome = { result: 'refused', message: line };
    else if (code === 'ERR_ASSERTION') outcome = { result: 'broken', message: String(error.stack) };
    else outcome = { result: 'absent', message: line };
  }
  console.log(JSON.stringify({ part, ...outcome }));
}
process.exit(0);
