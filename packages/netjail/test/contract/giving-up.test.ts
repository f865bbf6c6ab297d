// What ends while a name is being looked up: by the end of the client, or because the caller has
// had enough. The resolver of these tests answers when it is told, and heeds no signal.
import { adapters, type Adapter } from '../helpers/adapters.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import type { Resolver, ResolverOptions } from '../../src/resolver.ts';
import { rules } from '../helpers/attack.ts';
import { deferred } from '../helpers/deferred.ts';
import { assertDenied } from '../helpers/denial.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';
import { build, runToEnd } from '../helpers/process.ts';

interface Held {
  resolver: Resolver;
  /** Settles with the signal of the look-up, once there is one. */
  asked: Promise<AbortSignal>;
  answer(addresses: string[]): void;
}

function held(): Held {
  const asked = deferred<AbortSignal>();
  const answer = deferred<string[]>();
  const resolver: Resolver = (_host, { signal }) => (asked.resolve(signal), answer.promise);
  return { resolver, asked: asked.promise, answer: answer.resolve };
}

type Failure = Error & { code?: unknown; cause?: Failure };

/** The error of a call that must fail; that of the network, which fetch has as its cause. */
function failureOf(adapter: Adapter, call: Promise<unknown>): Promise<Failure> {
  const failed = call.then(
    () => assert.fail('it was let through'),
    (error: Failure) => (adapter.name === 'fetch' && error.cause !== undefined ? error.cause : error),
  );
  return inTime(failed, 'the call');
}

/** A late answer would have led to a connection before this one. */
async function connectLater(lab: Lab): Promise<void> {
  const socket = createDial({ rules })({ host: ALLOWED, port: lab.port });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.destroy();
  await inTime(lab.drained(), 'the connections');
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
};

/** How the clients say that they were destroyed. */
const DESTROYED: Record<string, string> = { 'HttpAgent/HttpsAgent': 'ECONNRESET' };

describe('the signal that a resolver is given', () => {
  const keep = (kept: ResolverOptions[], answer: Promise<string[]>): Resolver => {
    return (_host, options) => (kept.push(options), answer);
  };

  it('is aborted when it is first read after the caller has given up', async (t) => {
    const lab = await startLab(t);
    const kept: ResolverOptions[] = [];
    const socket = createDial({ rules, resolver: keep(kept, new Promise(() => {})) })({
      host: 'name.test',
      port: lab.port,
    });
    socket.destroy();
    await once(socket, 'close');
    assert.equal(kept.length, 1);
    assert.equal(kept[0]!.signal.aborted, true);
    assert.equal(kept[0]!.signal, kept[0]!.signal);
  });

  it('is aborted by the end of the socket when it is first read after the call', async (t) => {
    const lab = await startLab(t);
    const kept: ResolverOptions[] = [];
    const socket = createDial({ rules, resolver: keep(kept, new Promise(() => {})) })({
      host: 'name.test',
      port: lab.port,
    });
    const { signal } = kept[0]!;
    assert.equal(signal.aborted, false);
    const aborted = once(signal, 'abort');
    socket.destroy();
    await inTime(aborted, 'the signal');
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  for (const early of [true, false])
    it(`is not aborted by the end of the connection that the answer has led to when it is first read ${early ? 'before' : 'after'} that`, async (t) => {
      const lab = await startLab(t);
      const kept: ResolverOptions[] = [];
      const socket = createDial({ rules, resolver: keep(kept, Promise.resolve([ALLOWED])) })({
        host: 'name.test',
        port: lab.port,
      });
      const read = early ? kept[0]!.signal : undefined;
      await once(socket, 'connect');
      socket.destroy();
      await once(socket, 'close');
      assert.equal((read ?? kept[0]!.signal).aborted, false);
      assert.equal(lab.allowed.connections, 1);
    });
});

for (const adapter of adapters.filter(({ pools }) => pools)) {
  describe(`${adapter.name} during a look-up`, () => {
    it('destroy() fails the request at once, ends the look-up, and connects to no late answer', async (t) => {
      const lab = await startLab(t);
      const { resolver, asked, answer } = held();
      const client = adapter.create({ rules, resolver });
      const failure = failureOf(adapter, client.request(lab.url('name.test')));
      const signal = await inTime(asked, 'the look-up');
      await inTime(client.destroy(), 'destroy()');
      assert.equal((await failure).code, DESTROYED[adapter.name] ?? 'UND_ERR_DESTROYED');
      await turns();
      assert.equal(signal.aborted, true);
      answer([ALLOWED]);
      await connectLater(lab);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
    });

    it('close() lets the request finish when the answer is allowed', async (t) => {
      const lab = await startLab(t);
      const { resolver, asked, answer } = held();
      const client = adapter.create({ rules, resolver });
      const call = client.request(lab.url('name.test'));
      const signal = await inTime(asked, 'the look-up');
      let closed = false;
      const closing = client.close().then(() => (closed = true));
      const refused = await failureOf(adapter, client.request(lab.url(ALLOWED)));
      assert.equal(refused.code, 'ERR_NETJAIL_CLOSED');
      await turns();
      // An agent of Node's has no promise to wait for.
      assert.deepEqual([signal.aborted, closed], [false, adapter.name === 'HttpAgent/HttpsAgent']);
      answer([ALLOWED]);
      assert.equal((await inTime(call, 'the call')).body, `hello from ${ALLOWED}`);
      await inTime(closing, 'close()');
      await inTime(lab.drained(), 'the connections');
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
    });

    it('close() ends with the denial when the answer is denied', async (t) => {
      const lab = await startLab(t);
      const { resolver, asked, answer } = held();
      const client = adapter.create({ rules, resolver });
      const denied = assertDenied(client.request(lab.url('name.test')), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      await inTime(asked, 'the look-up');
      const closing = client.close();
      answer([DENIED]);
      await inTime(denied, 'the call');
      await inTime(closing, 'close()');
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  });
}

for (const adapter of adapters) {
  describe(`${adapter.name} during a look-up`, () => {
    it('an abort fails the call with an AbortError and sends nothing when the answer comes', async (t) => {
      for (const late of [ALLOWED, DENIED]) {
        const lab = await startLab(t);
        const { resolver, asked, answer } = held();
        const client = adapter.create({ rules, resolver });
        const controller = new AbortController();
        const failure = failureOf(adapter, client.request(lab.url('name.test'), controller.signal));
        await inTime(asked, 'the look-up');
        controller.abort();
        await turns();
        // Clients with a pool may open the connection for whoever comes next, undici waits for it.
        answer([late]);
        const { name } = await failure;
        if (late === ALLOWED || !adapter.name.startsWith('undici')) assert.equal(name, 'AbortError');
        await client.destroy();
        await connectLater(lab);
        if (!adapter.pools) assert.equal(lab.allowed.connections, 1);
        assert.deepEqual([lab.allowed.requests, lab.denied.connections], [[], 0]);
      }
    });
  });
}

describe('a process', () => {
  /** Calls through every adapter with a resolver that never answers, and a limit of ten minutes. */
  const calls = (adapters: string): string => `
    const { adapters } = await import('${build}/../test/helpers/adapters.js');
    const outcomes = {};
    for (const adapter of adapters.filter(({ name, pools }) => ${adapters})) {
      let asked;
      const wasAsked = new Promise((resolve) => (asked = resolve));
      const client = adapter.create({ rules, resolver: () => (asked(), new Promise(() => {})), timeout: 600_000 });
      const controller = new AbortController();
      const call = client.request(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'), controller.signal);
      call.catch(() => {});
      await wasAsked;`;
  const report = `
      outcomes[adapter.name] = await outcome(call);
    }
    console.log(JSON.stringify(outcomes));`;
  const names = (pooled: boolean): string[] =>
    adapters.filter(({ pools }) => pools || !pooled).map(({ name }) => name);

  it('ends by itself after destroy() during a look-up', { timeout: 40_000 }, async (t) => {
    const lab = await startLab(t);
    const { status, stdout, stderr } = await runToEnd(
      lab,
      `${calls('pools')} await client.destroy();${report}`,
    );
    assert.equal(status, 0, stdout + stderr);
    assert.deepEqual(Object.keys(JSON.parse(stdout) as object), names(true));
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it('ends by itself after an abort during a look-up', { timeout: 40_000 }, async (t) => {
    const lab = await startLab(t);
    const { status, stdout, stderr } = await runToEnd(
      lab,
      `${calls('true')} controller.abort(); await client.destroy();${report}`,
    );
    assert.equal(status, 0, stdout + stderr);
    assert.deepEqual(Object.keys(JSON.parse(stdout) as object), names(false));
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it(
    'ends by itself after an abort alone, long before the time to connect is over',
    {
      timeout: 40_000,
    },
    async (t) => {
      const lab = await startLab(t);
      const { status, stdout, stderr } = await runToEnd(
        lab,
        `${calls("name === 'fetch'")} controller.abort();${report}`,
      );
      assert.equal(status, 0, stdout + stderr);
      assert.deepEqual(Object.keys(JSON.parse(stdout) as object), ['fetch']);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    },
  );

  it('ends by itself after a request, long before the time to connect would have been over', async (t) => {
    const lab = await startLab(t);
    const { status, stdout, stderr } = await runToEnd(
      lab,
      `const own = new Dispatcher({ Agent, rules, connectTimeout: 120_000 });
       const { statusCode, body } = await request(process.env.ALLOWED, { dispatcher: own });
       await body.dump();
       await own.close();
       console.log(statusCode);`,
    );
    assert.deepEqual([status, stdout, stderr], [0, '200\n', '']);
  });
});
