// An option that is one thing when it is judged and another when it is used.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { evilLookup, rules } from '../helpers/attack.ts';

describe('options that flip', () => {
  it('read each option of a request once', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    let reads = 0;
    const options = {
      port: lab.port,
      agent,
      get host() {
        return reads++ % 2 === 0 ? ALLOWED : DENIED;
      },
    };
    const request = http.get(options);
    await new Promise((resolve) =>
      request.on('response', (response) => resolve(response.resume())).on('error', resolve),
    );
    assert.equal(lab.denied.connections, 0);
    agent.destroy();
  });

  it('judge a request by the host that it is sent to, in absolute form too, whoever hands the options over', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    t.after(() => agent.destroy());
    for (const [prototype, path] of [
      [null, `http://${DENIED}:${lab.port}/`],
      [Object.prototype, `http://${DENIED}:${lab.port}/`],
      [null, '/'],
      [Object.prototype, '/'],
    ] as const) {
      let reads = 0;
      class Around extends http.Agent {
        addRequest(request: http.ClientRequest): void {
          const flipping = {
            port: lab.port,
            get host() {
              return reads++ === 0 ? DENIED : ALLOWED;
            },
          };
          agent.addRequest(request, Object.setPrototypeOf(flipping, prototype));
        }
      }
      const request = http.get({ agent: new Around(), host: ALLOWED, path });
      const [error] = await once(request, 'error');
      assert.deepEqual([deniedError(error)?.host, reads], [DENIED, 1]);
    }
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it('lead nowhere when one that is refused is there only when Node copies it', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules, resolver: async () => [ALLOWED] });
    t.after(() => agent.destroy());
    const evil = net.connect(lab.port, DENIED);
    t.after(() => evil.destroy());
    await once(evil, 'connect');
    const { _handle: handle } = evil as unknown as { _handle: { fd: number } };
    const refused = { lookup: evilLookup, fd: handle.fd, handle, _handle: handle, socket: evil };
    for (const [name, value] of Object.entries(refused)) {
      let reads = 0;
      class Around extends http.Agent {
        addRequest(request: http.ClientRequest): void {
          const options = { host: 'name.test', port: lab.port };
          Object.defineProperty(options, name, {
            enumerable: true,
            get: () => (reads++ === 0 ? undefined : value),
          });
          agent.addRequest(request, options);
        }
      }
      const request = http.get({ agent: new Around(), host: ALLOWED, path: `/${name}` });
      const [response] = await once(request, 'response');
      await once(response.resume(), 'end');
      assert.ok(reads > 1, name);
    }
    assert.deepEqual(
      lab.allowed.requests.map(({ url }) => url),
      Object.keys(refused).map((name) => `/${name}`),
    );
    // The attacker's own connection.
    assert.deepEqual([lab.denied.connections, lab.denied.requests], [1, []]);
  });

  const dial = createDial({ rules });
  for (const [name, open] of Object.entries({
    'dial()': dial,
    'dial.socket().connect()': (target: { host: string; port: number }) => dial.socket().connect(target),
  })) {
    it(`${name} reads an option that flips once`, async (t) => {
      const lab = await startLab(t);
      let reads = 0;
      const socket = open({
        port: lab.port,
        get host() {
          return reads++ === 0 ? ALLOWED : DENIED;
        },
      });
      await once(socket, 'connect');
      assert.deepEqual([reads, socket.remoteAddress, lab.denied.connections], [1, ALLOWED, 0]);
      socket.destroy();
    });
  }

  it('dispatch() sends the path that it judged', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent: undici.Agent, rules });
    let reads = 0;
    const request = {
      origin: lab.url(ALLOWED, ''),
      method: 'GET' as const,
      get path() {
        return reads++ === 0 ? '/' : `${lab.url(DENIED)}secret`;
      },
    };
    const { body } = await dispatcher.request(request);
    await body.dump();
    assert.deepEqual(
      lab.allowed.requests.map(({ url }) => url),
      ['/'],
    );
    await dispatcher.close();
  });
});
