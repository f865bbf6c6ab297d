// Options of an agent or a request that lead around the gate.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, it } from 'node:test';
import { AROUND_THE_GATE } from '../../src/connect-options.ts';
import { createSocketOptions } from '../../src/db/index.ts';
import { createDial } from '../../src/dial.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { ALLOWED, startLab } from '../helpers/lab.ts';
import { evilLookup, refusedOption, rules } from '../helpers/attack.ts';

/** What Node sets itself is judged, or has no effect. */
const REFUSED_IN_REQUEST = AROUND_THE_GATE.filter(
  (name) => !['path', 'socketPath', 'createConnection'].includes(name),
);

describe('options', () => {
  for (const [name, create] of [
    ['createDial()', createDial],
    ['createSocketOptions()', createSocketOptions],
    ['createFetch()', createFetch],
    ['HttpAgent', (options: never) => new HttpAgent(options)],
  ] as [string, (options: unknown) => unknown][]) {
    it(`${name} throws when given rules instead of options`, () => {
      assert.throws(() => create(rules), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_ARGUMENT',
        message: 'Cannot use Rules as options: they are an object with `rules`',
      });
    });
  }
});

describe('HttpAgent and HttpsAgent options', () => {
  it('throw when one of the agent leads around the rules', () => {
    for (const Agent of [HttpAgent, HttpsAgent]) {
      for (const name of [
        'lookup',
        'socketPath',
        'path',
        'host',
        'hostname',
        'port',
        'socket',
        'fd',
        'handle',
        'createConnection',
        'agent',
        'proxy',
        'proxyEnv',
        'blockList',
      ]) {
        assert.throws(
          () =>
            new Agent({ [name]: name === 'proxyEnv' ? { HTTP_PROXY: 'http://127.0.0.1' } : 'x' } as never),
          refusedOption(name),
        );
      }
    }
  });

  it('throw when one of a request leads around the rules', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    for (const name of REFUSED_IN_REQUEST) {
      const option = { [name]: name === 'lookup' ? evilLookup : {} };
      assert.throws(() => http.get({ host: ALLOWED, port: lab.port, agent, ...option }), refusedOption(name));
      assert.throws(() => http.get(lab.url(ALLOWED), { agent, ...option }), refusedOption(name));
    }
    assert.throws(
      () =>
        https.get({
          host: ALLOWED,
          port: lab.port,
          agent: new HttpsAgent({ rules }),
          socket: new net.Socket(),
        } as never),
      refusedOption('socket'),
    );
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });
});
