import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it, type TestContext } from 'node:test';
import { currentRules, withRules } from '../../src/context.ts';
import { registerGrpcScheme, type GrpcResolverClass } from '../../src/grpc/index.ts';
import type { GuardOptions } from '../../src/options.ts';
import { Rules } from '../../src/rules.ts';

const rules = new Rules({ allow: ['127.0.0.0/8', '::1'], block: ['127.0.0.1'] });

type Found = Parameters<ConstructorParameters<GrpcResolverClass>[1]>[0];

function register(options: GuardOptions, scheme = 'guarded'): GrpcResolverClass {
  let registered: GrpcResolverClass | undefined;
  registerGrpcScheme(
    {
      Metadata: Map,
      experimental: {
        registerResolver: (name: string, resolver: GrpcResolverClass) => {
          assert.equal(name, scheme);
          registered = resolver;
        },
      },
    } as never,
    scheme,
    options,
  );
  return registered!;
}

const resolve = (Resolver: GrpcResolverClass, path: string): Promise<Found> =>
  new Promise((found) => {
    const resolver = new Resolver({ path }, (endpoints) => {
      resolver.destroy();
      found(endpoints);
      return true;
    });
    resolver.updateResolution();
  });

/** A reason that cannot even be asked what it is. */
const HOSTILE = new Proxy(
  {},
  {
    getPrototypeOf() {
      throw new TypeError('trap');
    },
  },
);

const endpoint = (host: string): object => ({ addresses: [{ host, port: 443 }] });

describe('registerGrpcScheme()', () => {
  it('finds the literal of a target', async () => {
    const Resolver = register({ rules });
    assert.deepEqual(await resolve(Resolver, '127.0.0.2:443'), { ok: true, value: [endpoint('127.0.0.2')] });
    assert.deepEqual(await resolve(Resolver, '/[::1]:443'), { ok: true, value: [endpoint('::1')] });
  });

  it('finds the allowed addresses of a name, each an endpoint', async () => {
    const Resolver = register({ rules, resolver: async () => ['127.0.0.1', '127.0.0.2', '127.0.0.3'] });
    assert.deepEqual(await resolve(Resolver, 'name.test:443'), {
      ok: true,
      value: [endpoint('127.0.0.2'), endpoint('127.0.0.3')],
    });
  });

  it('answers a denial with PERMISSION_DENIED, another failure with UNAVAILABLE', async () => {
    const Resolver = register({ rules, resolver: () => Promise.reject(new Error('no answer')) });
    const denied = await resolve(Resolver, '[::ffff:127.0.0.1]:443');
    assert.ok(!denied.ok);
    assert.equal(denied.error.code, 7);
    assert.match(denied.error.details, /: 127\.0\.0\.1 is blocked by 127\.0\.0\.1$/);
    const failed = await resolve(Resolver, 'name.test:443');
    assert.ok(!failed.ok);
    assert.deepEqual([failed.error.code, failed.error.details], [14, 'no answer']);
    const Broken = register({ rules, resolver: () => Promise.reject(HOSTILE) });
    const broken = await resolve(Broken, 'name.test:443');
    assert.ok(!broken.ok);
    assert.deepEqual([broken.error.code, broken.error.details], [14, 'Cannot resolve: the resolver failed']);
  });

  it('answers a failure that cannot be read with UNAVAILABLE and a text of its own', async () => {
    const unreadable = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('trap');
      },
    });
    const failed = await resolve(
      register({ rules, resolver: () => Promise.reject(unreadable) }),
      'name.test:443',
    );
    assert.ok(!failed.ok);
    assert.deepEqual([failed.error.code, failed.error.details], [14, 'Cannot resolve: the resolver failed']);
  });

  it('keeps the rules in effect when the channel is made', async () => {
    const Resolver = register({});
    const found = await new Promise<Found>((done) => {
      const make = (): InstanceType<GrpcResolverClass> =>
        new Resolver({ path: '127.0.0.2:443' }, (endpoints) => (done(endpoints), true));
      const resolver = withRules(rules, make);
      withRules(null, () => resolver.updateResolution());
    });
    assert.deepEqual(found, { ok: true, value: [endpoint('127.0.0.2')] });
  });

  it('asks a function for its rules at each look-up, and not in between', async () => {
    let current = rules;
    let asked = 0;
    const Resolver = register({ rules: () => (asked++, current) });
    assert.equal((await resolve(Resolver, '127.0.0.2:443')).ok, true);
    const founds: Found[] = [];
    const resolver = new Resolver({ path: '127.0.0.2:443' }, (found) => founds.push(found) > 0);
    assert.equal(asked, 1);
    current = new Rules({ allow: ['10.0.0.0/8'] });
    resolver.updateResolution();
    while (founds.length === 0) await new Promise((done) => setImmediate(done));
    assert.deepEqual([founds[0]!.ok, asked], [false, 2]);
    resolver.destroy();
  });

  it('asks a function for its rules in the context of the channel, whoever makes gRPC look up', async () => {
    const Resolver = register({ rules: () => currentRules() });
    const wider = new Rules({ allow: ['0.0.0.0/0'] });
    const found = await new Promise<Found>((done) => {
      const resolver = withRules(
        rules,
        () => new Resolver({ path: '127.0.0.1:443' }, (endpoints) => (done(endpoints), true)),
      );
      withRules(wider, () => resolver.updateResolution());
    });
    assert.ok(!found.ok);
    assert.match(found.error.details, /127\.0\.0\.1 is blocked by 127\.0\.0\.1$/);
  });

  it('looks up once for one request of gRPC, and not at all once destroyed', async () => {
    let asked = 0;
    const answers: (() => void)[] = [];
    const Resolver = register({
      rules,
      resolver: () => (asked++, new Promise((done) => answers.push(() => done(['127.0.0.2'])))),
    });
    const resolver = new Resolver({ path: 'name.test:443' }, () => assert.fail('it was destroyed'));
    resolver.updateResolution();
    resolver.updateResolution();
    await new Promise((done) => setImmediate(done));
    assert.equal(asked, 1);
    resolver.destroy();
    for (const answer of answers) answer();
    await new Promise((done) => setImmediate(done));
  });

  it('pauses between two look-ups that succeed', async () => {
    let asked = 0;
    const Resolver = register({ rules, resolver: async () => (asked++, ['127.0.0.2']) });
    let resolver: InstanceType<GrpcResolverClass> | undefined;
    await new Promise<void>((done) => {
      resolver = new Resolver({ path: 'name.test:443' }, () => (done(), true));
      resolver.updateResolution();
    });
    resolver!.updateResolution();
    await new Promise((done) => setImmediate(done));
    assert.equal(asked, 1);
    resolver!.destroy();
  });

  it('looks again by itself after a failure, ever later, and not for who asks in between', async (t) => {
    let asked = 0;
    const found: boolean[] = [];
    const resolver = async (): Promise<string[]> => (++asked < 4 ? [] : ['127.0.0.2']);
    const Resolver = register({ rules, resolver });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const one = new Resolver({ path: 'name.test:443' }, ({ ok }) => {
      found.push(ok);
      return true;
    });
    const settled = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
    };
    one.updateResolution();
    await settled();
    for (let i = 0; i < 5; i++) one.updateResolution();
    await settled();
    assert.deepEqual([asked, found], [1, [false]]);
    for (const [time, times] of [
      [999, 1],
      [1, 2],
      [1599, 2],
      [1, 3],
      [2560, 4],
    ] as const) {
      t.mock.timers.tick(time);
      await settled();
      assert.equal(asked, times);
    }
    assert.deepEqual(found, [false, false, false, true]);
    t.mock.timers.tick(1_000_000);
    await settled();
    assert.equal(asked, 4);
    one.destroy();
  });

  it('does not look again when it was destroyed after a failure', async (t) => {
    let asked = 0;
    const Resolver = register({ rules, resolver: async () => (asked++, []) });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const told = new Promise<void>((done) => {
      const one = new Resolver({ path: 'name.test:443' }, () => {
        queueMicrotask(() => {
          one.destroy();
          done();
        });
        return true;
      });
      one.updateResolution();
    });
    await told;
    t.mock.timers.tick(1_000_000);
    await new Promise((done) => setImmediate(done));
    assert.equal(asked, 1);
  });

  it('names the host for certificates', () => {
    const Resolver = register({ rules });
    assert.equal(Resolver.getDefaultAuthority({ path: 'name.test:443' }), 'name.test:443');
    assert.equal(Resolver.getDefaultAuthority({ path: '/[::1]:443' }), '[::1]:443');
  });

  it('throws when given a target without a host or a port', () => {
    const Resolver = register({ rules });
    for (const path of ['name.test', '', ':443', '[::1]', 'a:b:443'])
      assert.throws(() => new Resolver({ path }, () => true), { code: 'ERR_NETJAIL_INVALID_HOST' }, path);
    assert.throws(() => new Resolver({ path: 'name.test:99999' }, () => true), {
      code: 'ERR_NETJAIL_INVALID_PORT',
    });
  });

  it('throws when given a scheme of gRPC itself, or none', () => {
    const own = ['dns', 'ipv4', 'ipv6', 'unix', 'unix-abstract', 'xds', 'http', 'https'];
    for (const scheme of [...own, '', 'A b'])
      assert.throws(() => register({ rules }, scheme), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_OPTION',
        message: /"scheme"/,
      });
  });

  it('throws when given malformed options', () => {
    assert.throws(() => register({ proxy: 1 } as never), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_OPTION',
      message: /"proxy": there is no such option/,
    });
  });
});

describe('a resolver of gRPC', () => {
  /** One whose look-ups are counted, on a clock of the test. */
  const counted = (
    t: TestContext,
  ): {
    resolver: InstanceType<GrpcResolverClass>;
    asked: () => number;
    answer: string[];
    settle(): Promise<void>;
  } => {
    // Of the clock only the time: its promises are needed.
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const answer = ['127.0.0.2'];
    let asked = 0;
    const Resolver = register({ rules, resolver: async () => (asked++, answer) });
    const resolver = new Resolver({ path: 'name.test:443' }, () => true);
    t.after(() => resolver.destroy());
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    };
    elapse = async (milliseconds) => {
      now += milliseconds;
      t.mock.timers.tick(milliseconds);
      await settle();
    };
    return { resolver, asked: () => asked, answer, settle };
  };
  let elapse: (milliseconds: number) => Promise<void>;

  it('looks up once for many wishes, and no sooner than 30 s after a success', async (t) => {
    const { resolver, asked, settle } = counted(t);
    resolver.updateResolution();
    resolver.updateResolution();
    await settle();
    assert.equal(asked(), 1);
    resolver.updateResolution();
    resolver.updateResolution();
    await elapse(29_999);
    assert.equal(asked(), 1);
    await elapse(1);
    assert.equal(asked(), 2);
    await elapse(60_000);
    assert.equal(asked(), 2);
  });

  it('looks up at once after destroy(), which ends what it waits for', async (t) => {
    const { resolver, asked, settle } = counted(t);
    resolver.updateResolution();
    await settle();
    resolver.updateResolution();
    resolver.destroy();
    resolver.updateResolution();
    await settle();
    assert.equal(asked(), 2);
    await elapse(29_999);
    assert.equal(asked(), 2);
  });

  it('waits longer after each failure, and begins anew after a success', async (t) => {
    const { resolver, asked, answer, settle } = counted(t);
    const pauses = async (): Promise<number> => {
      const before = asked();
      let waited = 0;
      while (asked() === before) {
        await elapse(100);
        waited += 100;
      }
      return waited;
    };
    answer[0] = '127.0.0.1';
    resolver.updateResolution();
    await settle();
    assert.deepEqual([await pauses(), await pauses(), await pauses()], [1000, 1600, 2600]);
    answer[0] = '127.0.0.2';
    await pauses();
    answer[0] = '127.0.0.1';
    resolver.updateResolution();
    assert.equal(await pauses(), 30_000);
    assert.equal(await pauses(), 1000);
    resolver.destroy();
    resolver.updateResolution();
    await settle();
    assert.equal(await pauses(), 1000);
  });
});
