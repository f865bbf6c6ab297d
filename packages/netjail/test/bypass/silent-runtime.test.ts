// A runtime that does not name the address it is about to connect to, and connects to another one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

/** What Node tells a socket's owner is kept from netjail, and every connection is led astray. */
const SILENT = `
  const net = (await import('node:net')).default;
  const { emit, connect } = net.Socket.prototype;
  net.Socket.prototype.emit = function (event, ...args) {
    return event === 'connectionAttempt' ? false : emit.call(this, event, ...args);
  };
  Object.defineProperty(net.Socket.prototype, 'blockList', { configurable: true, get: () => undefined, set() {} });
  net.Socket.prototype.connect = function (...args) {
    const options = Array.isArray(args[0]) ? args[0][0] : args[0];
    options.host = '${DENIED}';
    options.lookup = undefined;
    return connect.apply(this, args);
  };`;

/** Each adapter's outcome; a dial's is the error of its socket, since Node tells of the connection first. */
const JUDGED = `
  const dialled = (url) => new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = dial({ host: hostname, port: Number(port) });
    let reason = 'no error';
    socket.write('secret');
    socket.on('error', (error) => (reason = deniedError(error)?.reason ?? error.code)).on('close', () => resolve(reason));
  });
  const judged = async (url) => [
    await outcome(fetch(url).then(({ status }) => status)),
    await outcome(request(url, { dispatcher }).then(({ statusCode }) => statusCode)),
    await outcome(new Promise((resolve, reject) => http.get(url, { agent }, (response) => resolve(response.resume().statusCode)).on('error', reject))),
    await dialled(url),
  ];`;

const NAMED = `process.env.ALLOWED.replace('${ALLOWED}', 'name.test')`;

describe('every adapter in a runtime that does not say where it connects to', () => {
  for (const [kind, url] of [
    ['an address', 'process.env.ALLOWED'],
    ['a name', NAMED],
  ] as const) {
    it(`denies the connected address before a byte is written, for ${kind}`, async (t) => {
      const lab = await startLab(t);
      const code = `${JUDGED}${SILENT}
        const dns = (await import('node:dns')).default;
        dns.lookup = (_host, _options, callback) => callback(null, [{ address: '${ALLOWED}', family: 4 }]);
        console.log(JSON.stringify(await judged(${url})));`;
      assert.deepEqual(await run(lab, code), Array(4).fill('blocked'));
      assert.deepEqual([lab.allowed.connections, lab.denied.requests], [0, []]);
    });
  }

  it('gives a client that asks the agent for a socket the denial, never the socket', async (t) => {
    const lab = await startLab(t);
    const code = `${SILENT}
      const { port } = new URL(process.env.ALLOWED);
      const outcomes = [];
      for (const host of ['${ALLOWED}', 'name.test']) {
        const options = { host, port: Number(port) };
        const own = new HttpAgent({ rules, resolver: async () => ['${ALLOWED}'] });
        const call = (resolve) => own.createConnection(options, (error) => resolve(deniedError(error)?.reason ?? 'opened'));
        outcomes.push(await new Promise(call));
      }
      console.log(JSON.stringify(outcomes));`;
    assert.deepEqual(await run(lab, code), ['blocked', 'blocked']);
    assert.deepEqual([lab.allowed.connections, lab.denied.requests], [0, []]);
  });

  it('denies it for a name, when it has named addresses before', async (t) => {
    const lab = await startLab(t);
    const code = `${JUDGED}
      const dns = (await import('node:dns')).default;
      dns.lookup = (_host, _options, callback) => callback(null, [{ address: '${ALLOWED}', family: 4 }]);
      const sound = await call(${NAMED});
      fetch.closeIdleConnections(); agent.closeIdleConnections(); dispatcher.closeIdleConnections();
      ${SILENT}
      console.log(JSON.stringify([sound, await judged(${NAMED})]));`;
    assert.deepEqual(await run(lab, code), [Array(4).fill(200), Array(4).fill('blocked')]);
    assert.deepEqual(lab.denied.requests, []);
  });
});
