// The option `family`: what it may be, and that anything else is an error and not a connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Agent } from 'undici';
import { createDial, Rules } from '../src/index.ts';
import { HttpAgent } from '../src/http/index.ts';
import { Dispatcher } from '../src/undici/index.ts';
import { ALLOWED, startLab } from './helpers/lab.ts';

const options = { rules: new Rules({ allow: ['127.0.0.0/8'] }), resolver: async () => [ALLOWED] };
const dial = createDial(options);

async function opened(socket: Socket): Promise<void> {
  await once(socket, 'connect');
  socket.destroy();
}

/** Connects to a name with a family. */
const calls: Record<string, (port: number, family: never) => Promise<void>> = {
  'dial()': (port, family) => opened(dial({ host: 'name.test', port, family })),
  'dial.socket()': (port, family) => opened(dial.socket().connect({ host: 'name.test', port, family })),
  HttpAgent: async (port, family) => {
    const agent = new HttpAgent(options);
    const request = http.get({ host: 'name.test', port, family, agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    agent.destroy();
  },
  Dispatcher: async (port, family) => {
    const dispatcher = new Dispatcher({ ...options, Agent, connect: { family } });
    try {
      const { body } = await dispatcher.request({
        origin: `http://name.test:${port}`,
        path: '/',
        method: 'GET',
      });
      await body.dump();
    } finally {
      await dispatcher.destroy();
    }
  },
};

for (const [name, call] of Object.entries(calls)) {
  describe(`${name} with the option family`, () => {
    for (const family of ['6', 'ipv6', 7, true, {}] as never[]) {
      it(`fails when it is ${JSON.stringify(family)}`, async (t) => {
        const lab = await startLab(t);
        await assert.rejects(call(lab.port, family), {
          name: 'TypeError',
          code: 'ERR_NETJAIL_INVALID_OPTION',
          message: /"family": it is 4, 6 or 0 for both/,
        });
        assert.equal(lab.allowed.connections, 0);
      });
    }

    for (const family of [undefined, 0, 4] as never[]) {
      it(`connects when it is ${family}`, async (t) => {
        const lab = await startLab(t);
        await call(lab.port, family);
        assert.equal(lab.allowed.connections, 1);
      });
    }

    it('fails when it is 6 and the one address of the name, an allowed one, is of IPv4', async (t) => {
      const lab = await startLab(t);
      await assert.rejects(call(lab.port, 6 as never), {
        code: 'ENOTFOUND',
        message: 'Cannot resolve "name.test": it has no IPv6 address',
      });
      assert.equal(lab.allowed.connections, 0);
    });
  });
}
