// What got past other guards, each held against every adapter. Most of it has a file of its own:
//
// IPv4-compatible, mapped, NAT64, 6to4 and Teredo addresses      carried-address.test.ts
// literals past a look-up hook, text that getaddrinfo folds      literal-past-lookup.test.ts
// another address between check and connect                      rebinding.test.ts
// the second address of Happy Eyeballs, only the first one tried happy-eyeballs.test.ts
// redirects to literals                                          redirect-to-literal.test.ts
// 0.0.0.0 and :: past a block of loopback                        unspecified-address.test.ts
// Unix sockets                                                   unix-socket.test.ts
// resolvers that lie, V4MAPPED answers                           lying-resolver.test.ts, contract/names.test.ts
// proxies of the environment, through axios too                  environment-proxy.test.ts, clients/http-axios-proxy.test.ts
// options that flip, pollution                                   options-read-twice.test.ts, polluted-options.test.ts
// a denial thrown out of createConnection                        create-connection.test.ts
// TLS, sockets of a client's own, kept connections unguarded     contract/pools.test.ts
// pools by the text of the rules, or by the origin alone         contract/pools.test.ts
// empty lists that allow, look-ups without rules                 contract/names.test.ts
import { adapters } from '../helpers/adapters.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { createDial } from '../../src/dial.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher, type AgentClass } from '../../src/undici/index.ts';
import type { Reason } from '../../src/verdict.ts';
import { failure, rules } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

// It does not load on Node 20.
const undici8: unknown =
  Number(process.versions.node.split('.')[0]) >= 22 ? await import('undici8') : undefined;

const EVERYTHING = ['0.0.0.0/0', '::/0'];

interface Attack {
  /** Whose failure it was, and what it did. */
  name: string;
  allow: string[];
  block?: string[];
  denied: { address: string; reason: Reason; entry?: string }[];
}

const attacks: Attack[] = [
  {
    name: 'net.BlockList, for which ::/0 contains every IPv4 address',
    allow: ['::/0'],
    denied: [{ address: DENIED, reason: 'not-allowed' }],
  },
  {
    name: 'net.BlockList, which says no when the family is another one',
    allow: EVERYTHING,
    block: ['::ffff:127.0.0.1/128'],
    denied: [{ address: DENIED, reason: 'blocked', entry: '::ffff:127.0.0.1/128' }],
  },
  {
    name: 'guards that compare addresses as text',
    allow: EVERYTHING,
    block: ['0:0:0:0:0:0:0:1', '2001:DB8::/32'],
    denied: [
      { address: '::1', reason: 'blocked', entry: '::1' },
      { address: '2001:db8::1', reason: 'blocked', entry: '2001:db8::/32' },
    ],
  },
  {
    name: 'netparser and fast-cidr-match, which lose a prefix inside another one',
    allow: ['127.0.0.0/8', '127.0.0.2/32'],
    block: ['127.0.0.0/30', '127.0.0.1/32', '127.0.0.0/31'],
    denied: [
      { address: '127.0.0.1', reason: 'blocked', entry: '127.0.0.0/30' },
      { address: '127.0.0.2', reason: 'blocked', entry: '127.0.0.0/30' },
      { address: '127.0.0.0', reason: 'blocked', entry: '127.0.0.0/30' },
    ],
  },
  {
    name: 'ip-set, which reads the first group of an IPv6 address only',
    allow: ['2001:db8:1::/48'],
    block: ['2001:db8:1:1::/64'],
    denied: [
      { address: '2001:db8:2::1', reason: 'not-allowed' },
      { address: '2001:db8:1:1::1', reason: 'blocked', entry: '2001:db8:1:1::/64' },
    ],
  },
  {
    name: 'guards in which allow beats block, or the narrower entry the wider one',
    allow: [`${DENIED}/32`, ...EVERYTHING],
    block: ['127.0.0.0/8'],
    denied: [{ address: DENIED, reason: 'blocked', entry: '127.0.0.0/8' }],
  },
  {
    name: 'guards whose lists of private ranges have holes',
    allow: ['public'],
    denied: [
      '0.1.2.3',
      '10.0.0.1',
      '100.64.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.31.255.255',
      '192.0.0.8',
      '192.0.2.1',
      '192.168.0.1',
      '198.18.0.1',
      '198.19.255.255',
      '203.0.113.1',
      '224.0.0.1',
      '239.255.255.250',
      '240.0.0.1',
      '255.255.255.255',
      '100::1',
      '2001:2::1',
      '2001:db8::1',
      '3fff::1',
      '5f00::1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fec0::1',
      'ff02::1',
    ].map((address) => ({ address, reason: 'not-allowed' })),
  },
];

for (const { name, allow, block = [], denied } of attacks) {
  describe(`what got past ${name}`, () => {
    for (const adapter of adapters) {
      it(`is denied by ${adapter.name}, as a literal and as an answer`, async (t) => {
        const lab = await startLab(t);
        let answer: string | undefined;
        const client = adapter.create({
          rules: new Rules({ allow, block }),
          resolver: async () => [answer ?? assert.fail('the resolver was asked')],
          timeout: 5_000,
        });
        for (const { address, reason, entry } of denied) {
          answer = undefined;
          const literal = address.includes(':') ? `[${address}]` : address;
          await assertDenied(client.request(lab.url(literal)), { host: address, reason, address, entry });
          answer = address;
          const named = client.request(lab.url('name.test'));
          await assertDenied(named, { host: 'name.test', reason, address, entry });
        }
        assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
        await client.destroy();
      });
    }
  });
}

describe('what got past guards whose policy can be changed once it is handed out', () => {
  for (const adapter of adapters) {
    it(`is denied by ${adapter.name}`, async (t) => {
      const lab = await startLab(t);
      const lists = { allow: ['127.0.0.0/8'], block: [DENIED] };
      const own = new Rules(lists);
      const client = adapter.create({ rules: own });
      lists.block.length = 0;
      lists.allow.push(...EVERYTHING);
      for (const change of [
        () => Object.assign(own, { block: [] }),
        () => ((own as { accept: unknown }).accept = () => true),
        () => (own.block as unknown[]).pop(),
      ])
        assert.throws(change, TypeError);
      const expected = { host: DENIED, reason: 'blocked', address: DENIED, entry: DENIED } as const;
      await assertDenied(client.request(lab.url(DENIED)), expected);
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  }
});

describe('what got past guards that only warn of an entry that they cannot read', () => {
  it('is no rules at all', () => {
    for (const entry of ['127.0.0.0/33', '127.0.0.1/8/8', '127.1', 'lan', ''])
      assert.throws(() => new Rules({ allow: EVERYTHING, block: [entry] }), /block\[0\]/);
  });
});

describe('what got past guards that ask net.isIP, which takes zones', () => {
  it('is denied by dial(), dial.tls(), dial.socket() and HttpAgent', async () => {
    const dial = createDial({ rules: new Rules({ allow: EVERYTHING, block: ['127.0.0.1'] }) });
    const agent = new HttpAgent({ rules: new Rules({ allow: EVERYTHING, block: ['127.0.0.1'] }) });
    for (const host of ['::1%lo', '::ffff:127.0.0.1%lo', 'fe80::1%1']) {
      const expected = { host, reason: 'zone', address: host } as const;
      for (const open of [
        () => once(dial({ host, port: 1 }), 'connect'),
        () => once(dial.tls({ host, port: 1 }), 'secureConnect'),
        () => once(dial.socket().connect(1, host), 'connect'),
        () => failure(http.request({ host, port: 1, agent })).then((error) => Promise.reject(error)),
      ])
        await assertDenied(open(), expected);
    }
  });
});

describe("what got past undici's dns interceptor, which skips literals and lets pass when it is full", () => {
  interface Composable {
    request: typeof undici7.request;
    Agent: unknown;
    interceptors: { dns(options: object): undici7.Dispatcher.DispatcherComposeInterceptor };
  }
  const versions: Record<string, Composable> = {
    'undici 6': undici6 as unknown as Composable,
    'undici 7': undici7 as unknown as Composable,
  };
  if (undici8 !== undefined) versions['undici 8'] = undici8 as unknown as Composable;

  for (const [version, { request, Agent, interceptors }] of Object.entries(versions)) {
    it(`is denied by a Dispatcher of ${version} that it is composed around`, async (t) => {
      const lab = await startLab(t);
      const answers: Record<string, string> = { 'name.test': ALLOWED, 'inner.test': DENIED };
      const dispatcher = new Dispatcher({
        Agent: Agent as AgentClass,
        rules,
        resolver: async (host: string) => [answers[host]!],
      } as never) as unknown as undici7.Agent;
      const asked: string[] = [];
      const get = (composed: undici7.Dispatcher, host: string): Promise<string> =>
        request(lab.url(host), { dispatcher: composed }).then(({ body }) => body.text());
      const compose = (): undici7.Dispatcher =>
        dispatcher.compose(
          interceptors.dns({
            maxItems: 1,
            dualStack: false,
            lookup: (
              { hostname }: URL,
              _options: object,
              callback: (error: null, addresses: object[]) => void,
            ) => {
              asked.push(hostname);
              callback(null, [{ address: answers[hostname], family: 4, ttl: 60_000 }]);
            },
          }),
        );
      const blocked = { reason: 'blocked', address: DENIED, entry: '127.0.0.1' } as const;
      // It looks the name up: the dispatcher sees an address.
      await assertDenied(get(compose(), 'inner.test'), { host: DENIED, ...blocked });
      const full = compose();
      assert.equal(await get(full, 'name.test'), `hello from ${ALLOWED}`);
      assert.deepEqual(asked, ['inner.test', 'name.test']);
      // It is full: the dispatcher looks the name up.
      await assertDenied(get(full, 'inner.test'), { host: 'inner.test', ...blocked });
      assert.equal(asked.length, 2);
      await assertDenied(get(full, DENIED), { host: DENIED, ...blocked });
      assert.equal(lab.denied.connections, 0);
      await dispatcher.destroy();
    });
  }
});
