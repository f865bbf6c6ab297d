// Options of the dispatcher that lead around the gate.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import * as undici6 from 'undici6';
import { Dispatcher } from '../../src/undici/index.ts';
import { DENIED } from '../helpers/lab.ts';
import { evilLookup, refusedOption, rules } from '../helpers/attack.ts';

describe('Dispatcher options', () => {
  const { Agent } = undici;
  const cases: [name: string, options: unknown, code: string][] = [
    ['no Agent', { rules }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['an instance', { Agent: new Agent() }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['ProxyAgent', { Agent: undici.ProxyAgent, uri: 'http://127.0.0.1:1' }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['EnvHttpProxyAgent', { Agent: undici.EnvHttpProxyAgent }, 'ERR_NETJAIL_INVALID_OPTION'],
    [
      'a subclass of EnvHttpProxyAgent',
      { Agent: class Agent extends undici.EnvHttpProxyAgent {} },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    [
      'a subclass of EnvHttpProxyAgent of undici 6',
      { Agent: class Agent extends undici6.EnvHttpProxyAgent {} },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    [
      'a subclass of ProxyAgent',
      { Agent: class Agent extends undici.ProxyAgent {}, uri: 'http://127.0.0.1:1' },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    ['MockAgent', { Agent: undici.MockAgent }, 'ERR_NETJAIL_INVALID_OPTION'],
    // A bundler renames them. An error of this one is nobody's, and ends the process.
    ...[undici.SnapshotAgent, undici.MockAgent, undici6.MockAgent].map((Mock): [string, object, string] => [
      `a subclass of ${Mock.name}`,
      { Agent: class Agent extends (Mock as typeof undici.MockAgent) {} },
      'ERR_NETJAIL_INVALID_OPTION',
    ]),
    ['Pool', { Agent: undici.Pool }, 'ERR_NETJAIL_INVALID_OPTION'],
    [
      'a subclass that goes its own way',
      {
        Agent: class extends Agent {
          constructor(_options?: unknown) {
            super();
          }
        },
      },
      'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
    ],
    [
      'a factory',
      { Agent, factory: () => new undici.Client('http://127.0.0.1') },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    ['interceptors', { Agent, interceptors: {} }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['a connect function', { Agent, connect: () => {} }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.lookup', { Agent, connect: { lookup: evilLookup } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['an empty connect.socketPath', { Agent, connect: { socketPath: '' } }, 'ERR_NETJAIL_INVALID_OPTION'],
    [
      'a connect.socketPath that is no text',
      { Agent, connect: { socketPath: 1 } },
      'ERR_NETJAIL_INVALID_OPTION',
    ],
    ['connect.path', { Agent, connect: { path: '/x' } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.host', { Agent, connect: { host: DENIED } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['socketPath', { Agent, socketPath: '/x' }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['maxPools 0', { Agent, maxPools: 0 }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connectTimeout 2 ** 31', { Agent, connectTimeout: 2 ** 31 }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect.timeout 2 ** 31', { Agent, connect: { timeout: 2 ** 31 } }, 'ERR_NETJAIL_INVALID_OPTION'],
    ['no object', 'Agent', 'ERR_NETJAIL_INVALID_ARGUMENT'],
  ];
  for (const [name, options, code] of cases) {
    it(`throws ${code} when given ${name}`, () => {
      assert.throws(() => new Dispatcher(options as never), { name: 'TypeError', code });
    });
  }

  for (const name of ['http_proxy', 'https_proxy']) {
    it(`throws when given an agent that would use the proxy of ${name}, whatever its class is called`, (t) => {
      const before = process.env[name];
      t.after(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)));
      process.env[name] = `http://${DENIED}:1`;
      for (const { EnvHttpProxyAgent } of [undici, undici6]) {
        const options = { Agent: class Agent extends EnvHttpProxyAgent {}, rules };
        assert.throws(() => new Dispatcher(options as never), {
          code: 'ERR_NETJAIL_INVALID_OPTION',
          message: /"Agent": it goes through a proxy where the environment names one/,
        });
      }
    });
  }

  it('takes the options of a class that allows one origin only', async () => {
    await new Dispatcher({ Agent, rules, maxOrigins: 1 } as never).close();
  });
});

describe('options of a Dispatcher', () => {
  it('throw when one of them would replace the connector', () => {
    const { Agent } = undici;
    // Written out: the source has a list as well, and this holds it against something.
    for (const name of [
      'factory',
      'clientFactory',
      'interceptors',
      'dispatcher',
      'tls',
      'uri',
      'proxyTls',
      'requestTls',
      'proxyTunnel',
      'useH2c',
      'host',
      'hostname',
      'port',
      'lookup',
      'socketPath',
      'path',
      'fd',
      'socket',
    ])
      assert.throws(() => new Dispatcher({ Agent, rules, [name]: 'x' } as never), refusedOption(name));
    for (const name of [
      'host',
      'hostname',
      'port',
      'useH2c',
      'ALPNProtocols',
      'lookup',
      'path',
      'fd',
      'socket',
    ])
      assert.throws(
        () => new Dispatcher({ Agent, rules, connect: { [name]: 'x' } } as never),
        refusedOption(name),
      );
    assert.throws(
      () => new Dispatcher({ Agent, rules, h2Options: { useH2c: true } } as never),
      refusedOption('h2Options.useH2c'),
    );
  });
});
