// Accessors on Object.prototype: an option that is assigned would be swallowed by the setter, and
// what is read afterwards would be the getter's.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';
import { unixServer } from '../helpers/unix.ts';

// Not `dispatcher`: undici assigns it to an object of its own, whatever fetch is given, so that whoever can
// define such an accessor has the runtime's fetch already.
/** What each property answers. */
const ACCESSORS: Record<string, string> = {
  host: `'${DENIED}'`,
  hostname: `'${DENIED}'`,
  path: 'process.env.UNIX',
  socketPath: 'process.env.UNIX',
  lookup: `(_host, options, callback) => typeof callback !== 'function' ? undefined : options.all ? callback(null, [{ address: '${DENIED}', family: 4 }]) : callback(null, '${DENIED}', 4)`,
};

/** Outcomes of a denied target; `nothing` is a client that such a process has broken. */
const REFUSED = ['blocked', 'ERR_NETJAIL_INVALID_OPTION', 'UND_ERR_INVALID_ARG', 'nothing'];

const CALLS = `
  const net = await import('node:net');
  const port = Number(new URL(process.env.DENIED).port);
  const limited = (promise) => Promise.race([outcome(promise), new Promise((resolve) => setTimeout(resolve, 3_000, 'nothing'))]);
  const event = (emitter, name) => new Promise((resolve, reject) => emitter.on('error', reject).once(name, () => resolve('reached')));
  const ways = {
    fetch: (host) => fetch('http://' + host + ':' + port + '/').then(({ status }) => status),
    'fetch with init': (host) => fetch('http://' + host + ':' + port + '/', { method: 'POST', body: 'x' }).then(({ status }) => status),
    undici: (host) => request('http://' + host + ':' + port + '/', { dispatcher }).then(({ statusCode }) => statusCode),
    HttpAgent: (host) => event(http.get('http://' + host + ':' + port + '/', { agent }), 'response'),
    dial: (host) => event(dial({ host, port }), 'connect'),
    'dial.tls': (host) => event(dial.tls({ host, port, rejectUnauthorized: false }), 'secureConnect'),
  };`;

describe('every adapter in a process whose Object.prototype', () => {
  for (const [name, value] of Object.entries(ACCESSORS)) {
    it(`has an accessor ${name} reaches nothing that is denied`, { timeout: 60_000 }, async (t) => {
      const lab = await startLab(t);
      const unix = await unixServer(t);
      const code = `${CALLS}
        const results = {};
        for (const host of ['${ALLOWED}', '${DENIED}']) {
          for (const [way, go] of Object.entries(ways)) {
            Object.defineProperty(Object.prototype, '${name}', { configurable: true, get: () => ${value}, set() {} });
            const result = limited((async () => go(host))());
            delete Object.prototype['${name}'];
            results[host + ' ' + way] = await result;
          }
        }
        console.log(JSON.stringify(results));`;
      const results = (await run(lab, code, { UNIX: unix.path })) as Record<string, unknown>;
      for (const [way, outcome] of Object.entries(results)) {
        if (way.startsWith(DENIED)) assert.ok(REFUSED.includes(outcome as string), `${way}: ${outcome}`);
      }
      assert.equal(results[`${DENIED} dial`], 'blocked');
      assert.equal(results[`${ALLOWED} dial`], 'reached');
      assert.deepEqual([lab.denied.connections, lab.denied.requests, unix.seen()], [0, [], 0]);
    });
  }
});

describe('HttpAgent in a process whose Object.prototype', () => {
  it('has a setter that turns the options of a connection elsewhere opens none', async (t) => {
    const lab = await startLab(t);
    const code = `
      const turning = new HttpAgent({ rules, readableHighWaterMark: 1234 });
      let turned = 0;
      Object.defineProperty(Object.prototype, 'readableHighWaterMark', {
        configurable: true,
        get: () => undefined,
        set() {
          if (!Object.hasOwn(this, 'lookup')) return;
          turned++;
          this.host = '${DENIED}';
        },
      });
      const port = Number(new URL(process.env.DENIED).port);
      const sent = outcome(new Promise((resolve, reject) => http.get({ host: '${ALLOWED}', port, path: '/', agent: turning }, (response) => resolve(response.resume().statusCode)).on('error', reject)));
      delete Object.prototype.readableHighWaterMark;
      console.log(JSON.stringify([await sent, turned]));`;
    assert.deepEqual(await run(lab, code), [200, 0]);
    assert.deepEqual([lab.denied.connections, lab.allowed.connections], [0, 1]);
  });
});

/** Sends `given` and resolves to what became of it. */
const DISPATCH = `
  const handler = { onConnect() {}, onHeaders: () => true, onData: () => true, onUpgrade: () => resolve('upgraded'), onComplete: () => resolve('sent'), onError: ({ code }) => resolve(code) };
  try {
    dispatcher.dispatch(given, handler);
  } catch ({ code }) {
    resolve(code);
  }`;

describe('Dispatcher.dispatch() in a process whose Object.prototype', () => {
  for (const [name, first, then] of [
    ['path', "'/'", `process.env.DENIED`],
    ['method', "'GET'", "'CONNECT'"],
    ['origin', "'http://' + new URL(process.env.ALLOWED).host", 'process.env.DENIED'],
  ] as const) {
    it(`has an accessor ${name} sends nothing when the request has none of its own`, async (t) => {
      const lab = await startLab(t);
      const code = `
        const given = { origin: new URL(process.env.ALLOWED).origin, path: '/', method: 'GET' };
        delete given['${name}'];
        const result = await new Promise((resolve) => {
          let reads = 0;
          Object.defineProperty(Object.prototype, '${name}', { configurable: true, get: () => (reads++ === 0 ? ${first} : ${then}) });
          ${DISPATCH}
          delete Object.prototype['${name}'];
        });
        console.log(JSON.stringify(result));`;
      assert.equal(await run(lab, code), 'UND_ERR_INVALID_ARG');
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  }

  for (const [name, value] of [
    ['path', 'process.env.DENIED'],
    ['method', `'CONNECT'`],
  ] as const) {
    it(`gets a ${name} while the request is read sends nothing when it has none of its own`, async (t) => {
      const lab = await startLab(t);
      const code = `
        // undici asks the origin for its text before it reads the rest.
        const origin = new URL(process.env.ALLOWED);
        let asked = 0;
        origin.toString = () => {
          asked++;
          Object.prototype['${name}'] = ${value};
          return origin.origin;
        };
        const given = { origin, path: '/', method: 'GET' };
        delete given['${name}'];
        const result = await new Promise((resolve) => {
          ${DISPATCH}
          delete Object.prototype['${name}'];
        });
        console.log(JSON.stringify([result, asked > 0]));`;
      assert.deepEqual(await run(lab, code), ['UND_ERR_INVALID_ARG', true]);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  }

  for (const [name, value] of [
    ['query', `{ polluted: '1' }`],
    ['headers', `{ host: 'polluted.test' }`],
    ['body', `'polluted'`],
    ['upgrade', `'polluted'`],
    ['servername', '1'],
    ['expectContinue', `'polluted'`],
    ['reset', `'polluted'`],
  ] as const) {
    it(`has ${name} sends the request as it was given`, async (t) => {
      const lab = await startLab(t);
      const code = `
        const given = { origin: new URL(process.env.ALLOWED).origin, path: '/', method: 'GET' };
        const send = (before, after) => new Promise((resolve) => {
          const handler = { onConnect() {}, onHeaders: () => true, onData: () => true, onUpgrade: () => resolve('upgraded'), onComplete: () => resolve('sent'), onError: (error) => resolve(String(error)) };
          before();
          dispatcher.dispatch(given, handler);
          after();
        });
        // An agent is made with the first one.
        const first = await send(() => {}, () => {});
        const second = await send(
          () => { Object.prototype['${name}'] = ${value}; },
          () => delete Object.prototype['${name}'],
        );
        console.log(JSON.stringify([first, second]));`;
      assert.deepEqual(await run(lab, code), ['sent', 'sent']);
      const host = `${ALLOWED}:${lab.port}`;
      assert.deepEqual(
        lab.allowed.requests.map((request) => [request.url, request.host]),
        [
          ['/', host],
          ['/', host],
        ],
      );
    });
  }
});
