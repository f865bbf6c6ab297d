// What docs/migration.md says of other packages, held against the packages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Rules } from '../src/rules.ts';
import { packageRoot } from './helpers/data.ts';

type Accepts = (address: string) => boolean;
interface AgentLike {
  createConnection(options: object, callback: (error?: Error | null) => void): unknown;
}

// The packages end in Node's own createConnection. Here it says that it was reached and opens
// nothing: most of these addresses belong to somebody.
let reached = false;
Object.defineProperty(http.Agent.prototype, 'createConnection', {
  value: () => {
    reached = true;
    return { on: () => {} };
  },
});
const load = async <T>(name: string): Promise<T> => (await import(name)) as T;
const { RequestFilteringHttpAgent } = await load<{
  RequestFilteringHttpAgent: new (options?: object) => AgentLike;
}>('request-filtering-agent');
const { default: ssrfFilter } = await load<{ default: (url: string) => AgentLike }>('ssrf-req-filter');
const { default: antissrf } = await load<{ default: Antissrf }>('@microsoft/antissrf');
interface Antissrf {
  AntiSSRFPolicy: new (config: string) => Policy;
  IPAddressRanges: { recommendedLatest: string[] };
}
interface Policy {
  addAllowedAddresses(networks: string[]): void;
  addDeniedAddresses(networks: string[]): void;
  getHttpAgent(): AgentLike;
  denyAllUnspecifiedIPs: boolean;
}

/** What an agent of another package would connect to. */
const through =
  (agent: () => AgentLike): Accepts =>
  (address) => {
    reached = false;
    let failed = false;
    try {
      agent().createConnection({ host: address, port: 80 }, (error) => (failed = Boolean(error)));
    } catch {
      return false;
    }
    return reached && !failed;
  };
const filtering = (options?: object): Accepts => through(() => new RequestFilteringHttpAgent(options));
const policy = (config: string, change?: (made: Policy) => void): Accepts =>
  through(() => {
    const made = new antissrf.AntiSSRFPolicy(config);
    change?.(made);
    return made.getHttpAgent();
  });
const netjail = (allow: string[], block: string[] = []): Accepts => {
  const rules = new Rules({ allow, block });
  return (address) => rules.accept(address);
};

/** Addresses of every kind on which the packages agree about what is public. */
const PLAIN = [
  '8.8.8.8',
  '1.1.1.1',
  '127.0.0.1',
  '0.0.0.0',
  '10.0.0.1',
  '10.20.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '240.0.0.1',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  'fe80::1',
  'fc00::1',
  'ff02::1',
  '2001:db8::1',
  '2606:4700::1111',
];
const everything = ['0.0.0.0/0', '::/0'];

describe('docs/migration.md', () => {
  const rows = readFileSync(join(packageRoot, '../../docs/migration.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, , , ...verdicts]) => /^(?:allowed|denied)$/.test(verdicts[0] ?? ''));

  it('has a table of defaults', () => assert.ok(rows.length >= 15));

  for (const [, address, kind, ...verdicts] of rows) {
    it(`says rightly who allows ${address} (${kind})`, () => {
      const found = [
        filtering(),
        through(() => ssrfFilter('http://x')),
        policy('ExternalOnlyLatest'),
        netjail(['public']),
      ].map((accepts) => (accepts(address!) ? 'allowed' : 'denied'));
      assert.deepEqual(verdicts.slice(0, 4), found);
    });
  }

  const same: Record<string, [old: Accepts, ours: Accepts]> = {
    'request-filtering-agent without options': [filtering(), netjail(['public'])],
    'allowPrivateIPAddress: true': [
      filtering({ allowPrivateIPAddress: true }),
      netjail(everything, ['0.0.0.0', '::']),
    ],
    'allowMetaIPAddress: true, which allows nothing alone': [
      filtering({ allowMetaIPAddress: true }),
      netjail(['public']),
    ],
    'allowPrivateIPAddress: true with allowMetaIPAddress: true': [
      filtering({ allowPrivateIPAddress: true, allowMetaIPAddress: true }),
      netjail(everything),
    ],
    'allowIPAddressList and denyIPAddressList': [
      filtering({ allowIPAddressList: ['10.20.0.0/16'], denyIPAddressList: ['8.8.8.0/24', '1.1.1.1'] }),
      netjail(['public', '10.20.0.0/16'], ['8.8.8.0/24', '1.1.1.1']),
    ],
    'ssrf-req-filter': [through(() => ssrfFilter('http://x')), netjail(['public'])],
    'PolicyConfigOptions.ExternalOnlyLatest': [policy('ExternalOnlyLatest'), netjail(['public'])],
    'PolicyConfigOptions.ExternalOnlyV1': [policy('ExternalOnlyV1'), netjail(['public'])],
    'PolicyConfigOptions.InternalOnly': [
      policy('InternalOnly', (made) => made.addAllowedAddresses(['10.20.0.0/16'])),
      netjail(['10.20.0.0/16']),
    ],
    'PolicyConfigOptions.None': [policy('None'), netjail(everything)],
    'addAllowedAddresses and addDeniedAddresses': [
      policy('ExternalOnlyLatest', (made) => {
        made.addAllowedAddresses(['10.20.0.0/16']);
        made.addDeniedAddresses(['8.8.8.0/24']);
      }),
      netjail(['public', '10.20.0.0/16'], ['8.8.8.0/24']),
    ],
    'denyAllUnspecifiedIPs = true': [
      policy('None', (made) => {
        made.denyAllUnspecifiedIPs = true;
        made.addAllowedAddresses(['10.20.0.0/16']);
      }),
      netjail(['10.20.0.0/16']),
    ],
  };
  for (const [name, [old, ours]] of Object.entries(same)) {
    it(`translates ${name}`, () => {
      assert.deepEqual(
        PLAIN.filter((address) => ours(address)),
        PLAIN.filter((address) => old(address)),
      );
    });
  }

  it('says rightly that an allow entry of the others beats a deny entry, and none of ours a block', () => {
    const both = ['8.8.8.8'];
    assert.equal(filtering({ allowIPAddressList: both, denyIPAddressList: both })('8.8.8.8'), true);
    const change = (made: Policy): void => (made.addAllowedAddresses(both), made.addDeniedAddresses(both));
    assert.equal(policy('None', change)('8.8.8.8'), true);
    assert.equal(netjail(both, both)('8.8.8.8'), false);
  });

  it('says rightly that a bare address in denyIPAddressList misses its other spellings', () => {
    const spelled = filtering({ allowPrivateIPAddress: true, denyIPAddressList: ['2606:4700::1111'] });
    assert.equal(spelled('2606:4700:0::1111'), true);
    assert.equal(netjail(['public'], ['2606:4700::1111'])('2606:4700:0::1111'), false);
  });

  it('gives a block that denies what the others deny', () => {
    const text = readFileSync(join(packageRoot, '../../docs/migration.md'), 'utf8');
    const block = [...text.slice(text.indexOf('  block: [\n')).matchAll(/'([0-9a-f.:]+\/[0-9]+)'/g)].map(
      ([, prefix]) => prefix!,
    );
    const ours = netjail(['public'], block);
    const addresses = [
      ...rows.map(([, address]) => address!),
      ...antissrf.IPAddressRanges.recommendedLatest.map((prefix) => prefix.split('/')[0]!),
    ];
    for (const old of [filtering(), policy('ExternalOnlyLatest')])
      assert.deepEqual(
        addresses.filter((address) => ours(address) && !old(address)),
        old('::ffff:8.8.8.8') ? [] : ['::ffff:8.8.8.8'],
      );
  });
});
