// Connections are opened as their options ask, and closed when nobody uses them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { createFetch } from '../../src/fetch/index.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { Pools } from '../../src/pool.ts';
import { refusedOption, rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, startLab, tlsCertificate } from '../helpers/lab.ts';

describe('Dispatcher over TLS', () => {
  it('asks for the server name of its options, else of the Host header, else of the URL', async (t) => {
    const lab = await startLab(t, 'https');
    const { cert: ca } = await tlsCertificate();
    for (const [connect, headers, host] of [
      [{ servername: 'name.test' }, {}, 'other.test'],
      [{}, { host: 'name.test' }, 'other.test'],
      [{}, {}, 'name.test'],
    ] as const) {
      const dispatcher = new Dispatcher({
        Agent: undici.Agent,
        rules,
        resolver: async () => [ALLOWED],
        connect: { ca, ...connect },
      });
      const { body } = await dispatcher.request({
        origin: lab.url(host, ''),
        path: '/',
        method: 'GET',
        headers,
      });
      await body.dump();
      assert.equal(lab.allowed.requests.at(-1)!.servername, 'name.test');
      await dispatcher.destroy();
    }
  });
  it('leaves from the localAddress of the client, with and without TLS', async (t) => {
    for (const kind of ['http', 'https'] as const) {
      const lab = await startLab(t, kind);
      const dispatcher = new Dispatcher({
        Agent: undici.Agent,
        rules,
        localAddress: '127.0.0.9',
        connect: { rejectUnauthorized: false },
      });
      const { body } = await dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' });
      assert.deepEqual(
        [...lab.allowed.open].map(({ remoteAddress }) => remoteAddress),
        ['127.0.0.9'],
      );
      await body.dump();
      await dispatcher.destroy();
    }
  });
});
describe('HttpAgent.closeIdleConnections()', () => {
  it('closes what no request uses, at once', async (t) => {
    const server = http.createServer((_request, response) => response.end('x'));
    server.keepAliveTimeout = 0;
    let open = 0;
    server
      .on('connection', (socket) => {
        open++;
        socket.on('close', () => {
          open--;
          server.emit('netjail:closed');
        });
      })
      .listen(0, ALLOWED);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const agent = new HttpAgent({ rules, keepAlive: true });
    const free = once(agent, 'free');
    http.get({ agent, host: ALLOWED, port: (server.address() as { port: number }).port }, (response) =>
      response.resume(),
    );
    await free;
    assert.equal(open, 1);
    agent.closeIdleConnections();
    await inTime(once(server, 'netjail:closed'), 'the connection');
    assert.equal(open, 0);
  });
});
describe('Pools', () => {
  it('retires the one that was not used for longest', () => {
    const retired: unknown[] = [];
    const sets = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => new Rules({ allow: [address] }));
    const pools = new Pools<Rules | undefined>(
      2,
      (own) => own,
      (own) => retired.push(own),
    );
    for (const i of [0, 1, 0, 2]) pools.for(sets[i]);
    assert.deepEqual(
      retired.map((one) => one === sets[1]),
      [true],
    );
  });
});
describe('createFetch()', () => {
  it('refuses or ignores a dispatcher of an init that is no plain object', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    t.after(() => fetch.destroy());
    class Init {
      dispatcher = new undici.Agent();
    }
    const given = [new Init(), Object.create({ method: 'POST' }) as object];
    await fetch(lab.url(ALLOWED), given[0] as never).then(
      (response) => response.text(),
      (error) => assert.equal(error.code, refusedOption('dispatcher').code),
    );
    await (await fetch(lab.url(ALLOWED, '/inherited'), given[1] as never)).text();
    await assert.rejects(fetch(lab.url('127.0.0.1'), new Init() as never));
    assert.equal(lab.denied.connections, 0);
  });
});
