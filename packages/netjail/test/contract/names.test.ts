import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { deniedError } from '../../src/errors.ts';
import type { Resolver } from '../../src/resolver.ts';
import { Rules } from '../../src/rules.ts';
import { adapters } from '../helpers/adapters.ts';
import { deferred } from '../helpers/deferred.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8', '::/0'], block: ['127.0.0.1'] });
const never: Resolver = () => assert.fail('the resolver was asked');

/** A resolver that answers one list after the other, the last one again and again. */
function answering(...lists: unknown[][]): Resolver & { asked: string[] } {
  const asked: string[] = [];
  const resolver = async (host: string): Promise<string[]> => {
    asked.push(host);
    return lists[Math.min(asked.length, lists.length) - 1] as string[];
  };
  return Object.assign(resolver, { asked });
}

for (const adapter of adapters) {
  describe(`${adapter.name} literals and names`, () => {
    it('reaches the server when the literal is allowed', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: never });
      assert.deepEqual(await client.request(lab.url(ALLOWED)), {
        status: 200,
        body: `hello from ${ALLOWED}`,
      });
      assert.equal(lab.allowed.requests.length, 1);
      await client.destroy();
    });

    it('reaches the server under the name when the name is allowed', async (t) => {
      const lab = await startLab(t);
      const resolver = answering([ALLOWED]);
      const client = adapter.create({ rules, resolver });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      assert.equal(lab.allowed.requests[0]!.host, `name.test:${lab.port}`);
      assert.deepEqual(resolver.asked, ['name.test']);
      await client.destroy();
    });

    it('denies when the literal is blocked, whatever its spelling', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: never });
      await assertDenied(client.request(lab.url(DENIED)), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      for (const host of ['[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]']) {
        await assertDenied(client.request(lab.url(host)), {
          host: '::ffff:7f00:1',
          reason: 'blocked',
          address: DENIED,
          entry: '127.0.0.1',
        });
      }
      await assertDenied(client.request(lab.url('[::7f00:1]')), {
        host: '::7f00:1',
        reason: 'carried-address-blocked',
        address: '::7f00:1',
        entry: '127.0.0.1',
        carried: DENIED,
      });
      await assertDenied(client.request(lab.url('[::]')), {
        host: '::',
        reason: 'loopback-blocked',
        address: '::',
        entry: '127.0.0.1',
      });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('denies when the literal is not allowed', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules: new Rules({ allow: [ALLOWED] }), resolver: never });
      await assertDenied(client.request(lab.url(DENIED)), {
        host: DENIED,
        reason: 'not-allowed',
        address: DENIED,
      });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('denies when every answer is blocked, mapped and carried ones too', async (t) => {
      const lab = await startLab(t);
      const rows = [
        { answer: DENIED, reason: 'blocked', address: DENIED, carried: undefined },
        { answer: '::ffff:127.0.0.1', reason: 'blocked', address: DENIED, carried: undefined },
        {
          answer: '64:ff9b::7f00:1',
          reason: 'carried-address-blocked',
          address: '64:ff9b::7f00:1',
          carried: DENIED,
        },
        {
          answer: '2002:7f00:1::',
          reason: 'carried-address-blocked',
          address: '2002:7f00:1::',
          carried: DENIED,
        },
      ] as const;
      for (const { answer, reason, address, carried } of rows) {
        const client = adapter.create({ rules, resolver: answering([answer]) });
        await assertDenied(client.request(lab.url('name.test')), {
          host: 'name.test',
          reason,
          address,
          entry: '127.0.0.1',
          carried,
        });
        await client.destroy();
      }
      assert.equal(lab.denied.connections, 0);
    });

    it('denies without a look-up when no rules are in effect or they are empty', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ resolver: never });
      for (const host of ['name.test', ALLOWED])
        await assertDenied(client.request(lab.url(host)), { host, reason: 'no-rules' });
      const empty = adapter.create({ rules: new Rules({}), resolver: never });
      await assertDenied(empty.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'host-not-allowed',
      });
      await withRules(undefined, () =>
        assertDenied(client.request(lab.url('name.test')), { host: 'name.test', reason: 'host-not-allowed' }),
      );
      assert.equal(lab.allowed.connections, 0);
      await Promise.all([client.destroy(), empty.destroy()]);
    });

    it('denies a name without a look-up in nested scopes that no address passes', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ resolver: never });
      await withRules(rules, () =>
        withRules(new Rules({ allow: ['10.0.0.0/8'] }), () =>
          assertDenied(client.request(lab.url('name.test')), {
            host: 'name.test',
            reason: 'host-not-allowed',
          }),
        ),
      );
      assert.equal(lab.allowed.connections, 0);
      await client.destroy();
    });

    it('uses the rules in effect at the call, which nested scopes only narrow', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ resolver: answering([ALLOWED]) });
      assert.equal((await withRules(rules, () => client.request(lab.url('name.test')))).status, 200);
      const narrower = new Rules({ allow: ['127.0.0.3'] });
      await withRules(rules, () =>
        withRules(narrower, () =>
          assertDenied(client.request(lab.url(ALLOWED)), {
            host: ALLOWED,
            reason: 'not-allowed',
            address: ALLOWED,
          }),
        ),
      );
      const wider = new Rules({ allow: ['0.0.0.0/0'] });
      await withRules(rules, () =>
        withRules(wider, () =>
          assertDenied(client.request(lab.url(DENIED)), {
            host: DENIED,
            reason: 'blocked',
            address: DENIED,
            entry: '127.0.0.1',
          }),
        ),
      );
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
      await client.destroy();
    });

    it('fails when the resolver rejects with something that cannot be asked what it is', async (t) => {
      const lab = await startLab(t);
      const trap = (): never => {
        throw new TypeError('trap');
      };
      const hostile = new Proxy({}, { getPrototypeOf: trap, get: trap, has: trap });
      const client = adapter.create({ rules, resolver: () => Promise.reject(hostile) });
      const error = await client.request(lab.url('name.test')).then(
        () => assert.fail('it was let through'),
        (reason: Error) => reason,
      );
      const { message } = adapter.name === 'fetch' ? (error.cause as Error) : error;
      assert.equal(message, 'Cannot resolve: the resolver failed');
      await client.destroy();
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });

    it('dials the allowed ones of a mixed answer, and denies it when all must be allowed', async (t) => {
      const lab = await startLab(t);
      for (const list of [
        [DENIED, ALLOWED],
        [ALLOWED, DENIED],
      ]) {
        const any = adapter.create({ rules, resolver: answering(list) });
        assert.equal((await any.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
        await any.destroy();
        const all = adapter.create({ rules, resolver: answering(list), answers: 'all' });
        const denied = await assertDenied(all.request(lab.url('name.test')), {
          host: 'name.test',
          reason: 'blocked',
          address: DENIED,
          entry: '127.0.0.1',
        });
        assert.deepEqual(
          denied.denials.map(({ reason }) => reason),
          ['blocked', 'mixed-answer'],
        );
        await all.destroy();
      }
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    });

    it('denies the second request when the name is bound again', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: answering([ALLOWED], [DENIED]) });
      assert.equal((await client.request(lab.url('name.test'))).status, 200);
      client.closeIdle();
      await lab.drained();
      await assertDenied(client.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('denies answers that are no addresses', async (t) => {
      const lab = await startLab(t);
      const answers: unknown[] = [
        '',
        '127.1',
        '0x7f.0.0.1',
        'localhost',
        `${ALLOWED} `,
        1,
        null,
        { toString: () => ALLOWED },
      ];
      for (const answer of answers) {
        const client = adapter.create({ rules, resolver: answering([answer]) });
        const address = typeof answer === 'string' ? answer : `(${typeof answer})`;
        await assertDenied(client.request(lab.url('name.test')), {
          host: 'name.test',
          reason: 'not-an-address',
          address,
        });
        await client.destroy();
      }
      const zone = adapter.create({ rules, resolver: answering(['fe80::1%lo']) });
      await assertDenied(zone.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'zone',
        address: 'fe80::1%lo',
      });
      await zone.destroy();
      assert.equal(lab.allowed.connections, 0);
    });

    it('passes on the errors of a resolver, and makes one of what is none', async (t) => {
      const lab = await startLab(t);
      const own = Object.assign(new Error('my resolver is down'), { code: 'EMINE' });
      const rows: [resolver: unknown, check: (error: Error & { code?: string }) => boolean][] = [
        [() => Promise.reject(own), (error) => error === own],
        [
          () => {
            throw own;
          },
          (error) => error === own,
        ],
        [() => Promise.reject(undefined), (error) => /the resolver failed/.test(error.message)],
        [async () => [], (error) => error.code === 'ENOTFOUND'],
        [async () => ALLOWED, (error) => error.code === 'EBADRESP'],
        [async () => ({ length: 1, 0: ALLOWED }), (error) => error.code === 'EBADRESP'],
        [async () => Array<string>(5000).fill(ALLOWED), (error) => error.code === 'EBADRESP'],
      ];
      for (const [resolver, check] of rows) {
        const client = adapter.create({ rules, resolver: resolver as Resolver });
        const error = await client.request(lab.url('name.test')).then(
          () => assert.fail('it was let through'),
          (reason: Error) => reason,
        );
        assert.equal(deniedError(error), undefined);
        assert.ok(check((adapter.name === 'fetch' ? error.cause : error) as Error), String(error.stack));
        await client.destroy();
      }
      assert.equal(lab.allowed.connections, 0);
    });

    it('falls through to the next allowed address when the first refuses, past a denied one', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: answering(['127.0.0.3', DENIED, ALLOWED]) });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });

    it('stops the look-up when the caller gives up', async (t) => {
      const lab = await startLab(t);
      let signal: AbortSignal | undefined;
      const { promise: asked, resolve: wasAsked } = deferred();
      const { promise: given, resolve: giveUp } = deferred();
      const resolver: Resolver = (_host, options) =>
        new Promise((_resolve, reject) => {
          ({ signal } = options);
          signal.addEventListener('abort', () => {
            giveUp();
            reject(signal!.reason as Error);
          });
          wasAsked();
        });
      // undici.request() looks at its signal only once it is connected, or fails to be.
      const client = adapter.create({ rules, resolver, timeout: 300 });
      const controller = new AbortController();
      const failed = assert.rejects(client.request(lab.url('name.test'), controller.signal));
      await asked;
      controller.abort();
      await failed;
      await client.destroy();
      await given;
      assert.ok(signal!.aborted);
      assert.equal(lab.allowed.connections, 0);
    });

    it('fails when the look-up does not answer in time', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: () => new Promise(() => {}), timeout: 50 });
      await assert.rejects(
        client.request(lab.url('name.test')),
        (error: Error) => deniedError(error) === undefined,
      );
      assert.equal(lab.allowed.connections, 0);
      await client.destroy();
    });

    it('publishes and lets through when it only reports', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, mode: 'report', resolver: answering([DENIED]) });
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${DENIED}`);
      assert.equal((await client.request(lab.url(DENIED))).status, 200);
      await client.destroy();
    });
  });
}
