// Options that lead around the gate, given to every object of the process by its prototype.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { build, run } from '../helpers/process.ts';
import { unixServer } from '../helpers/unix.ts';

/** What the option would be to lead to the denied server, or to a Unix socket. */
const OPTIONS: Record<string, string> = {
  fd: 'evil._handle.fd',
  handle: 'evil._handle',
  _handle: 'evil._handle',
  socket: 'evil',
  pipe: 'true',
  socketPath: 'process.env.UNIX',
  path: 'process.env.UNIX',
  lookup: `(host, options, callback) => typeof callback !== 'function' ? undefined : options.all ? callback(null, [{ address: '${DENIED}', family: 4 }]) : callback(null, '${DENIED}', 4)`,
  localAddress: `'${DENIED}'`,
  createConnection: `() => net.connect(port, '${DENIED}')`,
  agent: 'new http.Agent()',
  proxy: `'http://${DENIED}:' + port`,
  proxyEnv: `{ HTTP_PROXY: 'http://${DENIED}:' + port }`,
  dispatcher: 'new Agent()',
  // It is a listener to emitters as well: prototypes reach far.
  connect: `(options, callback) => typeof callback === 'function' && callback(null, net.connect(port, '${DENIED}'))`,
  hostname: `'${DENIED}'`,
  autoSelectFamily: 'false',
};

/** How a call may end: denied, or refused for an option that nobody gave. */
const REFUSED = ['blocked', 'ERR_NETJAIL_INVALID_OPTION', 'UND_ERR_INVALID_ARG'];

/** Every way to a connection; each ends in the outcome of a call, or in "nothing" when there is none. */
const WAYS = `
  const net = await import('node:net');
  const https = await import('node:https');
  const { HttpsAgent } = await import('${build}/http/index.js');
  const undici7 = await import('undici');
  const port = Number(new URL(process.env.DENIED).port);
  const limited = (promise) => Promise.race([outcome(promise), new Promise((resolve) => setTimeout(resolve, 3_000, 'nothing'))]);
  const make = () => ({
    fetch: createFetch({ rules }), dial: createDial({ rules }), agent: new HttpAgent({ rules }), secure: new HttpsAgent({ rules, rejectUnauthorized: false }),
    dispatcher6: new Dispatcher({ Agent, rules }), dispatcher7: new Dispatcher({ Agent: undici7.Agent, rules }),
  });
  const event = (emitter, name) => new Promise((resolve, reject) => emitter.on('error', reject).once(name, () => resolve('reached')));
  const ways = {
    fetch: ({ fetch }, host) => fetch('http://' + host + ':' + port + '/').then(({ status }) => status),
    'fetch with init': ({ fetch }, host) => fetch('http://' + host + ':' + port + '/', { method: 'POST', body: 'x' }).then(({ status }) => status),
    'undici 6': ({ dispatcher6 }, host) => request('http://' + host + ':' + port + '/', { dispatcher: dispatcher6 }).then(({ statusCode }) => statusCode),
    'undici 7': ({ dispatcher7 }, host) => undici7.request('http://' + host + ':' + port + '/', { dispatcher: dispatcher7 }).then(({ statusCode }) => statusCode),
    HttpAgent: ({ agent }, host) => event(http.get('http://' + host + ':' + port + '/', { agent }), 'response'),
    'HttpAgent of options': ({ agent }, host) => event(http.request({ host, port, agent }).end(), 'response'),
    HttpsAgent: ({ secure }, host) => event(https.get('https://' + host + ':' + port + '/', { agent: secure }), 'response'),
    'a socket of HttpAgent': ({ agent }, host) => event(agent.createConnection({ host, port }), 'connect'),
    dial: ({ dial }, host) => event(dial({ host, port }), 'connect'),
    'dial.tls': ({ dial }, host) => event(dial.tls({ host, port, rejectUnauthorized: false }), 'secureConnect'),
    'dial.socket': ({ dial }, host) => event(dial.socket().connect(port, host), 'connect'),
    'dial.socket with options': ({ dial }, host) => event(dial.socket({}).connect({ host, port }), 'connect'),
  };`;

describe('every adapter in a process whose Object.prototype', () => {
  for (const [name, value] of Object.entries(OPTIONS)) {
    it(`has ${name} writes nothing to what is denied`, { timeout: 60_000 }, async (t) => {
      const lab = await startLab(t);
      const unix = await unixServer(t);
      const code = `${WAYS}
        const evil = net.connect(port, '${DENIED}');
        await new Promise((resolve) => evil.once('connect', resolve));
        evil.on('error', () => {});
        const value = ${value};
        const before = make();
        const results = {};
        for (const host of ['${ALLOWED}', '${DENIED}']) {
          for (const [way, go] of Object.entries(ways)) {
            Object.prototype.${name} = value;
            const under = async () => go(make(), host);
            const both = [limited((async () => go(before, host))()), limited(under())];
            const outcomes = await Promise.all(both);
            delete Object.prototype.${name};
            results[host + ' ' + way] = outcomes;
          }
        }
        console.log(JSON.stringify(results));`;
      const results = (await run(lab, code, {
        UNIX: unix.path,
      })) as Record<string, unknown[]>;
      for (const [way, outcomes] of Object.entries(results)) {
        if (!way.startsWith(DENIED)) continue;
        for (const outcome of outcomes) assert.ok(REFUSED.includes(outcome as string), `${way}: ${outcome}`);
      }
      // Whether what is allowed is still reached depends on the option: a dial always does.
      assert.equal(results[`${ALLOWED} dial`]![0], 'reached');
      // The attacker's own connection, which is where an fd or a handle leads to.
      assert.deepEqual([lab.denied.connections, lab.denied.requests, unix.seen()], [1, [], 0]);
    });
  }
});

describe('a name, in a process whose prototype shows an option that is not even set,', () => {
  it('is looked up by the resolver that was given, and judged by all its addresses', async (t) => {
    const lab = await startLab(t);
    const code = `
      const given = { rules, answers: 'all', resolver: async () => (asked++, ['${ALLOWED}', '${DENIED}']) };
      let asked = 0;
      const named = { fetch: createFetch(given), agent: new HttpAgent(given), dispatcher: new Dispatcher({ Agent, ...given }), dial: createDial(given) };
      const url = process.env.ALLOWED.replace('${ALLOWED}', 'name.test');
      const { hostname: host, port } = new URL(url);
      const event = (emitter, name) => new Promise((resolve, reject) => emitter.on('error', reject).once(name, () => resolve('reached')));
      const ways = [
        () => named.fetch(url),
        () => request(url, { dispatcher: named.dispatcher }),
        () => event(http.get(url, { agent: named.agent }), 'response'),
        () => event(named.agent.createConnection({ host, port }), 'connect'),
        () => event(named.dial({ host, port: Number(port) }), 'connect'),
      ];
      const outcomes = [];
      for (const way of ways) {
        Object.prototype.proxy = undefined;
        const done = outcome(way());
        await new Promise(setImmediate);
        delete Object.prototype.proxy;
        outcomes.push(await done);
      }
      console.log(JSON.stringify([asked, ...outcomes]));`;
    assert.deepEqual(await run(lab, code), [5, ...Array(5).fill('blocked')]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });
});
