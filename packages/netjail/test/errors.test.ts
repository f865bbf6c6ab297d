import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createDial, type DialOptions } from '../src/dial.ts';
import { DeniedError, deniedError } from '../src/errors.ts';
import type { VerdictMessage } from '../src/events.ts';
import { ranges, type RangeName } from '../src/ranges.ts';
import { Rules } from '../src/rules.ts';
import { denied, type Denial } from '../src/verdict.ts';
import { packageRoot, readData } from './helpers/data.ts';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';

describe('DeniedError', () => {
  const cases: [denial: Denial, clause: string][] = [
    [denied(undefined, 'no-rules'), 'no rules are in effect'],
    [denied('10.0.0.1', 'not-allowed'), '10.0.0.1 is not allowed by any entry'],
    [denied('169.254.169.254', 'blocked', '169.254.0.0/16'), '169.254.169.254 is blocked by 169.254.0.0/16'],
    [
      denied('64:ff9b::a00:1', 'carried-address-blocked', 'private', '10.0.0.1'),
      '64:ff9b::a00:1 carries 10.0.0.1, which is blocked by private',
    ],
    [
      denied('64:ff9b::a00:1', 'carried-address-not-allowed', undefined, '10.0.0.1'),
      '64:ff9b::a00:1 carries 10.0.0.1, which is not allowed by any entry',
    ],
    [denied('::', 'loopback-blocked', '::1'), ':: reaches the local host, which is blocked by ::1'],
    [denied(undefined, 'host-not-allowed'), 'no entry allows this host'],
    [denied(undefined, 'path-not-allowed'), 'no entry allows this path'],
    [denied('127.1', 'not-an-address'), 'the resolver answered 127.1, which is not an address'],
    [denied('fe80::1%lo', 'zone'), 'fe80::1%lo has a zone, and no prefix contains a zone'],
  ];
  for (const [denial, clause] of cases) {
    it(`says host, port and why when the reason is ${denial.reason}`, () => {
      const error = new DeniedError({ host: 'name.test', port: 80, denials: [denial] });
      assert.equal(error.message, `Cannot connect to "name.test" port 80: ${clause}`);
      assert.deepEqual(
        [error.name, error.code, error.reason, error.retryable],
        ['DeniedError', 'ERR_NETJAIL_DENIED', denial.reason, false],
      );
    });
  }

  it('counts what it does not spell out, and cuts and escapes a hostile host', () => {
    const many = new DeniedError({
      host: 'x',
      denials: Array.from({ length: 9 }, (_, i) => denied(`10.0.0.${i}`, 'not-allowed')),
    });
    assert.match(many.message, /^Cannot connect to "x": 10\.0\.0\.0 is .*; 5 more$/);
    const hostile = new DeniedError({
      host: `\n\u001b[31m${'x'.repeat(1e6)}`,
      denials: [denied(undefined, 'no-rules')],
    });
    assert.ok(
      hostile.message.length < 400 && !hostile.message.includes('\n') && !hostile.message.includes('\u001b'),
    );
  });

  const denial = denied(undefined, 'no-rules');
  const malformed: [name: string, init: unknown, message: string][] = [
    ['nothing', undefined, 'undefined is no object with host, port and denials'],
    ['an array', [], 'an array is no object with host, port and denials'],
    ['no host', { denials: [denial] }, 'its host is a string, not undefined'],
    ['a port in text', { host: 'x', port: '80', denials: [denial] }, 'its port is a number, not "80"'],
    [
      'a port that is no number',
      { host: 'x', port: Number.NaN, denials: [denial] },
      'its port is a number, not NaN',
    ],
    ['no denials', { host: 'x' }, 'its denials are an array, not undefined'],
    ['an empty array of denials', { host: 'x', denials: [] }, 'it has no denial'],
    ['a denial that is none', { host: 'x', denials: [denial, null] }, 'each denial is a negative verdict'],
    [
      'a reason that there is not',
      { host: 'x', denials: [{ reason: 'zz' }] },
      'each denial is a negative verdict',
    ],
    [
      'a reason of Object',
      { host: 'x', denials: [{ reason: 'constructor' }] },
      'each denial is a negative verdict',
    ],
    [
      'an address that is a number',
      { host: 'x', denials: [{ ...denial, address: 1 }] },
      'each denial is a negative verdict',
    ],
  ];
  for (const [name, init, message] of malformed) {
    it(`throws when made of ${name}`, () => {
      assert.throws(() => new DeniedError(init as never), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_ARGUMENT',
        message: `Cannot create a DeniedError: ${message}`,
      });
    });
  }

  it('stays one short line, whatever a resolver or a zone says', () => {
    const hostile = '\n2026 INFO login\u001b[2J\u007f\u009b1m\u0085\u2028\u202e\u{e0001}';
    const rules = new Rules({ allow: ['public'] });
    for (const address of [
      hostile,
      `fe80::1%${hostile}`,
      `fe80::1%${'x'.repeat(1e6)}`,
      'x'.repeat(1e6),
      '1.1.1.1 ok',
    ]) {
      const verdict = rules.judge(address) as Denial;
      const { message } = new DeniedError({ host: address, port: 80, denials: [verdict] });
      assert.match(message, /^[\x20-\x7e]+$/);
      assert.ok(message.length < 800, `${message.length} characters`);
      assert.ok(verdict.address!.length <= 256);
      assert.equal(verdict.address, address.slice(0, 256));
      const explained = String(rules.explain(address));
      assert.match(explained, /^[\x20-\x7e]+\n {2}[\x20-\x7e]+$/);
      assert.ok(explained.length < 800);
      const named = String(rules.explain({ address: '8.8.8.8', host: address }));
      assert.match(named, /^[\x20-\x7e\n]+$/);
      assert.match(String(rules.explain({ path: address })), /^[\x20-\x7e]+\n {2}[\x20-\x7e]+$/);
    }
    const { message } = new DeniedError({ host: 'x', denials: [denied('1.1.1.1 ok', 'not-an-address')] });
    assert.equal(
      message,
      'Cannot connect to "x": the resolver answered "1.1.1.1 ok", which is not an address',
    );
  });
});

describe('DeniedError', () => {
  it('has denials that nobody can change', () => {
    const { denials } = new DeniedError({ host: 'x', denials: [denied(undefined, 'no-rules')] });
    assert.ok(Object.isFrozen(denials) && Object.isFrozen(denials[0]));
  });
});

describe('deniedError()', () => {
  const error = new DeniedError({ host: 'x', denials: [denied(undefined, 'no-rules')] });
  it('finds it in causes and aggregates, at any depth', () => {
    for (const wrapped of [
      error,
      new Error('a', { cause: new Error('b', { cause: error }) }),
      new AggregateError([new Error('a'), new AggregateError([error])]),
      { cause: error },
    ]) {
      assert.equal(deniedError(wrapped), error);
    }
  });
  it('finds it where clients keep it', () => {
    const wrapped: Record<string, unknown> = {
      sequelize: { original: error },
      mssql: { originalError: new Error('a', { cause: error }) },
      stripe: { detail: error },
      mongoose: { reason: { servers: new Map([['x:1', { error: new Error('a', { cause: error }) }]]) } },
      'an ErrorEvent': { error },
      'socket.io by WebSocket': { description: { error } },
      'socket.io by polling': { context: { statusText: error } },
    };
    for (const [client, value] of Object.entries(wrapped)) assert.equal(deniedError(value), error, client);
  });
  it('is undefined for anything else, cycles and throwing getters included', () => {
    const { proxy: revoked, revoke } = Proxy.revocable([], {});
    revoke();
    const cycle = new Error('a');
    cycle.cause = new AggregateError([cycle, undefined, null, 1]);
    for (const value of [
      undefined,
      null,
      1,
      'x',
      cycle,
      {
        get cause() {
          throw new Error('x');
        },
      },
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('x');
          },
        },
      ),
      { errors: revoked },
      { servers: revoked },
      {
        servers: Object.assign(new Map([['a', 1]]), {
          values: () => assert.fail('its own values is called'),
        }),
      },
      { errors: Object.defineProperty([error], '0', { get: () => assert.fail() }) },
      {
        errors: new Proxy([], {
          get: (array, key) => (key === 'length' ? Number.NaN : Reflect.get(array, key)),
        }),
      },
    ]) {
      assert.equal(deniedError(value), undefined);
    }
  });
});

describe('deniedError() of what has no end', () => {
  const error = new DeniedError({ host: 'x', denials: [denied(undefined, 'no-rules')] });
  /** An error with a new cause each time that it is asked, so many times deep. */
  class Lazy extends Error {
    static made = 0;
    override get cause(): Error {
      return new Lazy(`${++Lazy.made}`);
    }
    override set cause(_value: unknown) {}
  }

  it('stops after 10,000 values', () => {
    Lazy.made = 0;
    assert.equal(deniedError(new Lazy('first')), undefined);
    assert.ok(Lazy.made >= 9_999 && Lazy.made <= 10_001, String(Lazy.made));
    const servers = new Map<number, unknown>();
    for (let i = 0; i < 10_000; i++) servers.set(i, new Error('another'));
    servers.set(10_000, error);
    assert.equal(deniedError({ servers }), undefined);
    servers.set(5_000, error);
    assert.equal(deniedError({ servers }), error);
  });

  it('finds the nearest of many', () => {
    const others = Array.from({ length: 9_000 }, () => new Error('another'));
    assert.equal(deniedError(new AggregateError([...others, error])), error);
    const beyond = [...Array.from({ length: 10_000 }, () => new Error('another')), error];
    assert.equal(deniedError(new AggregateError(beyond)), undefined);
    // All of them have all of them.
    const shared = Array.from({ length: 9_000 }, () => ({ errors: [] as unknown[] }));
    let read = 0;
    const counted = new Proxy(shared, { get: (array, key) => (read++, Reflect.get(array, key)) });
    for (const one of shared) one.errors = counted;
    assert.equal(deniedError(shared[0]), undefined);
    assert.ok(read <= 10_000 + 2 * shared.length, `${read} reads`);
    const own = Object.assign([new Error('a'), error], {
      slice: () => assert.fail('its own slice is called'),
    });
    assert.equal(deniedError({ errors: own }), error);
  });
});

describe('netjail:verdict', () => {
  it('has one message for each verdict, allowed and denied', async (t) => {
    const lab = await startLab(t);
    const messages: VerdictMessage[] = [];
    const listen = (message: unknown): number => messages.push(message as VerdictMessage);
    subscribe('netjail:verdict', listen);
    const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
    const socket = createDial({ rules, resolver: async () => [DENIED, ALLOWED] })({
      host: 'name.test',
      port: lab.port,
    });
    await once(socket, 'connect');
    socket.destroy();
    await once(createDial()({ host: 'name.test', port: 1 }), 'error');
    unsubscribe('netjail:verdict', listen);
    const common = { host: 'name.test', port: lab.port, carried: undefined, mode: 'enforce' };
    assert.deepEqual(messages, [
      { ...common, allowed: false, address: DENIED, reason: 'blocked', entry: '127.0.0.1' },
      { ...common, allowed: true, address: ALLOWED, reason: undefined, entry: '127.0.0.0/8' },
      { ...common, port: 1, allowed: false, address: undefined, reason: 'no-rules', entry: undefined },
    ]);
  });

  const published = async (options: DialOptions, host: string, port: number): Promise<string[]> => {
    const texts: string[] = [];
    const listen = (message: unknown): void => {
      const { allowed, address, reason } = message as VerdictMessage;
      texts.push(`${allowed ? 'allowed' : reason} ${address}`);
    };
    subscribe('netjail:verdict', listen);
    const socket = createDial(options)({ host, port });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    socket.destroy();
    unsubscribe('netjail:verdict', listen);
    return texts;
  };
  const all = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
  const byName = new Rules({ allow: [{ host: 'other.test' }], block: [{ host: 'blocked.test' }] });
  const mixed = async (): Promise<string[]> => [ALLOWED, DENIED, `::ffff:${ALLOWED}`, ALLOWED, 'x'];
  const events: [name: string, options: DialOptions, host: string, texts: string[]][] = [
    [
      'each address of an answer once, denials first',
      { rules: all, resolver: mixed },
      'name.test',
      [`blocked ${DENIED}`, 'not-an-address x', `allowed ${ALLOWED}`],
    ],
    [
      'no address as allowed when all must be',
      { rules: all, resolver: mixed, answers: 'all' },
      'name.test',
      [`blocked ${DENIED}`, 'not-an-address x', `mixed-answer ${ALLOWED}`],
    ],
    [
      'the same when denials are only reported',
      { rules: all, resolver: mixed, answers: 'all', mode: 'report' },
      'name.test',
      [`blocked ${DENIED}`, 'not-an-address x', `mixed-answer ${ALLOWED}`],
    ],
    [
      'a denied name once when denials are only reported',
      { rules: byName, resolver: async () => [ALLOWED], mode: 'report' },
      'blocked.test',
      ['host-blocked undefined'],
    ],
    [
      'that there are no rules once when denials are only reported',
      { resolver: async () => [ALLOWED], mode: 'report' },
      'name.test',
      ['no-rules undefined'],
    ],
  ];
  for (const [name, options, host, texts] of events) {
    it(`tells ${name}`, async (t) => {
      const lab = await startLab(t);
      assert.deepEqual(await published(options, host, lab.port), texts);
    });
  }

  it('says of an allowed address of a mixed answer that it is denied, where all must be allowed', async () => {
    const messages: VerdictMessage[] = [];
    const listen = (message: unknown): number => messages.push(message as VerdictMessage);
    subscribe('netjail:verdict', listen);
    const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
    const dial = createDial({ rules, resolver: async () => [ALLOWED, DENIED], answers: 'all' });
    await once(dial({ host: 'name.test', port: 1 }), 'error');
    unsubscribe('netjail:verdict', listen);
    assert.deepEqual(
      messages.map(({ address, allowed, reason }) => [address, allowed, reason]),
      [
        [DENIED, false, 'blocked'],
        [ALLOWED, false, 'mixed-answer'],
      ],
    );
  });
});

describe('an error of another realm', () => {
  it('passes with its code, as those of node:dns in a vm context', async () => {
    const error = runInNewContext("Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })") as Error;
    assert.equal(error instanceof Error, false);
    const dial = createDial({
      rules: new Rules({ allow: ['public'] }),
      resolver: () => Promise.reject(error),
    });
    const [told] = (await once(dial({ host: 'name.test', port: 1 }), 'error')) as [unknown];
    assert.equal(told, error);
  });
});

describe('ranges', () => {
  interface Row {
    prefix: string;
    sample?: string;
    globally_reachable: boolean | null;
    rfc: string;
  }
  const data = readData<{ registry: Row[]; not_in_registry: Row[] }>('special-purpose.json');

  it('are what the registry data gives', () => {
    const tool = join(dirname(dirname(packageRoot)), 'tools/generate-ranges.mjs');
    assert.ok(existsSync(tool));
    const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('call public what the registry calls globally reachable, and special-purpose what it does not', () => {
    const open = new Rules({ allow: ['public'] });
    const special = new Rules({ allow: ['special-purpose'] });
    assert.ok(data.registry.length > 45);
    for (const { prefix, sample, globally_reachable: reachable } of data.registry) {
      if (prefix === '::ffff:0:0/96' || prefix === '64:ff9b::/96') continue; // judged as IPv4, as a carrier
      assert.equal(open.accept(sample!), reachable === true, `public ${sample} of ${prefix}`);
      assert.equal(special.accept(sample!), reachable !== true, `special-purpose ${sample} of ${prefix}`);
    }
    for (const { prefix, rfc } of data.not_in_registry) {
      const first = prefix.split('/')[0]!;
      assert.equal(open.accept(first), false, `public ${first}`);
      if (rfc !== 'vendor') assert.equal(special.accept(first), true, `special-purpose ${first}`);
    }
    for (const address of ['1.1.1.1', '8.8.8.8', '2606:4700::1111'])
      assert.ok(open.accept(address) && !special.accept(address));
    assert.equal(open.judge('168.63.129.16').reason, 'not-allowed');
  });

  const members: [range: RangeName, inside: string[], outside: string[]][] = [
    ['unique-local', ['fc00::1', 'fdff::1'], ['fbff::1', 'fe00::1', '10.0.0.1']],
    ['private', ['10.0.0.1', '172.31.0.1', '192.168.1.1', 'fd00::1'], ['172.32.0.1', '100.64.0.1', '::1']],
    ['link-local', ['169.254.1.1', 'febf::1'], ['169.253.1.1', 'fec0::1']],
    ['shared', ['100.64.0.1', '100.127.255.255'], ['100.63.0.1', '100.128.0.0']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1'], ['240.0.0.0', 'feff::1']],
    ['documentation', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'], ['192.0.3.1']],
    ['benchmarking', ['198.18.0.1', '198.19.0.1', '2001:2::1'], ['198.20.0.1', '2001:2:1::1']],
    ['reserved', ['240.0.0.1', '255.255.255.255', 'fec0::1', '100::1', '200::1', '3ffe::1'], ['239.0.0.1']],
    [
      'transition',
      [
        '192.88.99.1',
        '::2',
        '::7f00:1',
        '::ffff:0:1.1.1.1',
        '64:ff9b::1',
        '64:ff9b:1::1',
        '2001::1',
        '2002::1',
      ],
      ['::', '::1', '::ffff:1.1.1.1', '2001:1::1', '2003::1', '64:ff9b:2::1', '1.1.1.1'],
    ],
    [
      'cloud-metadata',
      ['169.254.169.254', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'],
      ['169.254.169.253'],
    ],
  ];
  for (const [range, inside, outside] of members) {
    it(`have in ${range} what its name says, and not what is beside it`, () => {
      const rules = new Rules({ allow: [range] });
      for (const address of inside) assert.ok(rules.accept(address), address);
      for (const address of outside) assert.equal(rules.judge(address).reason, 'not-allowed', address);
    });
  }

  it('have in cloud-metadata every address that the data names, each with its source', () => {
    for (const { prefix, rfc } of data.not_in_registry) {
      if (rfc === 'vendor') assert.ok(ranges['cloud-metadata'].includes(prefix as never), prefix);
    }
    const file = join(dirname(dirname(packageRoot)), 'tools/cloud-metadata.json');
    const rows = JSON.parse(readFileSync(file, 'utf8')) as { prefix: string; what: string; source: string }[];
    assert.deepEqual(
      rows.map(({ prefix }) => prefix),
      ranges['cloud-metadata'],
    );
    for (const { what, source } of rows) assert.ok(what.length > 10 && source.startsWith('https://'));
  });

  it('have the unspecified addresses in loopback, and cannot be changed', () => {
    for (const address of ['127.0.0.1', '::1', '0.0.0.0', '::'])
      assert.ok(new Rules({ allow: ['loopback'] }).accept(address));
    assert.throws(() => (ranges.public as string[]).push('10.0.0.0/8'), TypeError);
  });
});
