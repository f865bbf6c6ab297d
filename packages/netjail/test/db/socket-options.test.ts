import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';
import { createSocketOptions, type SocketOptions } from '../../src/db/index.ts';
import { withRules } from '../../src/context.ts';
import { DeniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const never = (): never => assert.fail('the resolver was asked');

const look = (options: SocketOptions): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) => {
    options.lookup(options.host, { all: true }, (error, found) =>
      error === null ? resolve(found as LookupAddress[]) : reject(error),
    );
  });

describe('createSocketOptions()', () => {
  it('gives an allowed literal in canonical form, without a look-up', () => {
    const { host, port } = createSocketOptions({ rules, resolver: never })('::ffff:127.0.0.2', '6379');
    assert.deepEqual({ host, port }, { host: '127.0.0.2', port: 6379 });
  });

  it('gives a name that fails with the denial when the literal is denied', async () => {
    for (const literal of ['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1']) {
      const options = createSocketOptions({ rules, resolver: never })(literal, 6379);
      assert.equal(options.host, 'denied.invalid');
      await assert.rejects(look(options), (error) => error instanceof DeniedError && error.host === literal);
    }
  });

  const names: [given: string, name: string][] = [
    ['Name.TEST', 'name.test'],
    ['name.test.', 'name.test.'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['redis_1', 'redis_1'],
  ];
  for (const [given, name] of names) {
    it(`gives the name ${given} in canonical form, and looks that up`, async () => {
      const asked: string[] = [];
      const resolver = async (host: string): Promise<string[]> =>
        [['127.0.0.2'], asked.push(host)][0] as string[];
      const options = createSocketOptions({ rules, resolver })(given, 6379);
      assert.equal(options.host, name);
      assert.deepEqual(await look(options), [{ address: '127.0.0.2', family: 4 }]);
      assert.deepEqual(asked, [name]);
    });
  }

  // What one reader takes for a name, and a URL that it is put into for another host, a list or a path.
  for (const host of [
    '%31%32%37.0.0.1',
    'x@127.0.0.1',
    '127.0.0.1/?appName=',
    '%2Ftmp%2Fm.sock/?appName=',
    '/tmp/m.sock',
    'name.test:27018',
    'name.test,127.0.0.1',
    'name.test#',
    '[::1]',
    '127.1',
    '2130706433',
    '0x7f000001',
    'name test',
    'name.test..',
  ]) {
    it(`gives a name that fails when given ${JSON.stringify(host)}, which is neither a name nor an address`, async () => {
      const options = createSocketOptions({ rules, resolver: never })(host, 6379);
      assert.equal(options.host, 'denied.invalid');
      await assert.rejects(look(options), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_HOST',
        message: `Cannot connect to host ${JSON.stringify(host)}: it is neither a name nor an address`,
      });
    });
  }

  // What a server names is not under the control of whoever calls.
  const told: [host: string, port: number | string, code: string][] = [
    ['', 6379, 'ERR_NETJAIL_INVALID_HOST'],
    ['?', 6379, 'ERR_NETJAIL_INVALID_HOST'],
    ['name.test\0', 6379, 'ERR_NETJAIL_INVALID_HOST'],
    ['127.0.0.2', 0, 'ERR_NETJAIL_INVALID_PORT'],
    ['127.0.0.2', '65536', 'ERR_NETJAIL_INVALID_PORT'],
    ['127.0.0.2', '', 'ERR_NETJAIL_INVALID_PORT'],
  ];
  for (const [host, port, code] of told) {
    it(`gives a name that fails when a server names ${JSON.stringify([host, port])}`, async () => {
      const options = createSocketOptions({ rules, resolver: never })(host, port);
      assert.deepEqual([options.host, options.port], ['denied.invalid', 1]);
      await assert.rejects(look(options), { code });
    });
  }

  it('keeps a name, and judges its addresses at each look-up', async () => {
    let answer = ['127.0.0.1', '127.0.0.2'];
    const options = createSocketOptions({ rules, resolver: async () => answer })('name.test', 6379);
    assert.equal(options.host, 'name.test');
    assert.deepEqual(await look(options), [{ address: '127.0.0.2', family: 4 }]);
    answer = ['127.0.0.1'];
    await assert.rejects(look(options), { code: 'ERR_NETJAIL_DENIED', reason: 'blocked' });
  });

  it('keeps the rules in effect at the call when it is looked up elsewhere', async () => {
    const socketOptions = createSocketOptions({ resolver: async () => ['127.0.0.2'] });
    const options = withRules(rules, () => socketOptions('name.test', 6379));
    assert.deepEqual(await withRules(null, () => look(options)), [{ address: '127.0.0.2', family: 4 }]);
    await assert.rejects(
      withRules(rules, () => look(withRules(null, () => socketOptions('name.test', 6379)))),
      { code: 'ERR_NETJAIL_DENIED' },
    );
  });

  it('denies everything without a look-up when no rules are in effect', async () => {
    const options = createSocketOptions({ resolver: never })('name.test', 6379);
    await assert.rejects(look(options), { code: 'ERR_NETJAIL_DENIED', reason: 'no-rules' });
  });

  it('gives nothing but the three options, frozen', () => {
    const options = createSocketOptions({ rules })('127.0.0.2', 1);
    assert.deepEqual(Object.keys(options), ['host', 'port', 'lookup']);
    assert.ok(Object.isFrozen(options));
  });

  const malformed: [string, () => unknown, { name: string; code: string; message: RegExp }][] = [
    [
      'options that are none',
      () => createSocketOptions(null as never),
      { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_ARGUMENT', message: /^Cannot use null as options/ },
    ],
    [
      'an unknown option',
      () => createSocketOptions({ lookup: never } as never),
      { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_OPTION', message: /"lookup": there is no such option/ },
    ],
    [
      'a resolver that is no function',
      () => createSocketOptions({ resolver: 1 } as never),
      { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_OPTION', message: /"resolver"/ },
    ],
    [
      'no host',
      () => createSocketOptions({ rules })(undefined as never, 1),
      { name: 'TypeError', code: 'ERR_NETJAIL_INVALID_HOST', message: /^Cannot connect to host undefined/ },
    ],
    [
      'no port',
      () => createSocketOptions({ rules })('127.0.0.2', undefined as never),
      {
        name: 'RangeError',
        code: 'ERR_NETJAIL_INVALID_PORT',
        message: /^Cannot connect to port undefined/,
      },
    ],
  ];
  for (const [name, call, expected] of malformed) {
    it(`throws when given ${name}`, () => assert.throws(call, expected));
  }
});
