// First: on Node 20 an undici that is loaded earlier hides the built-in one.
import '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once, type EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { withRules } from '../src/context.ts';
import { Rules } from '../src/rules.ts';
import { Dispatcher, type AgentClass } from '../src/undici/index.ts';
import { rules } from './helpers/attack.ts';
import { inTime } from './helpers/in-time.ts';
import { ALLOWED, DENIED, release, startLab, type Lab } from './helpers/lab.ts';

type Guarded = InstanceType<typeof undici7.Agent> & EventEmitter & { closeIdleConnections(): void };

async function send(dispatcher: Guarded, lab: Lab): Promise<void> {
  const { body } = await dispatcher.request({ origin: lab.url(ALLOWED), path: '/', method: 'GET' });
  await body.text();
}

for (const [version, Agent] of [
  [6, undici6.Agent],
  [7, undici7.Agent],
] as [number, AgentClass][]) {
  describe(`Dispatcher of undici ${version}`, () => {
    it('emits drain when dispatch has said to wait', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, connections: 1 } as never);
      t.after(() => dispatcher.destroy());
      let completed = 0;
      let waited = 0;
      const origin = new URL(lab.url(ALLOWED)).origin;
      const send = (): Promise<void> =>
        new Promise((resolve, reject) => {
          const goOn = withRules(rules, () =>
            dispatcher.dispatch(
              { origin, path: '/', method: 'GET' },
              {
                onConnect() {},
                onHeaders: () => true,
                onData: () => true,
                onComplete: () => completed++,
                onError: reject,
              },
            ),
          );
          if (goOn) resolve();
          else {
            waited++;
            once(dispatcher as never, 'drain').then(([from, targets]) => {
              assert.equal(String(from).replace(/\/$/, ''), origin);
              assert.deepEqual(targets, [dispatcher]);
              resolve();
            }, reject);
          }
        });
      for (let i = 0; i < 4; i++) await inTime(send(), 'dispatch');
      assert.deepEqual([completed, waited > 0], [4, true]);
    });

    for (const [by, retire] of [
      ['closeIdleConnections()', (dispatcher) => dispatcher.closeIdleConnections()],
      [
        'maxPools',
        // Another origin, so that its own events are not those that are waited for.
        (dispatcher) => {
          const request = { origin: 'http://10.0.0.1:9', path: '/', method: 'GET' };
          return assert.rejects(withRules(new Rules({}), () => dispatcher.request(request as never)));
        },
      ],
      ['close()', (dispatcher) => dispatcher.close()],
    ] as [by: string, retire: (dispatcher: Guarded) => unknown][]) {
      it(`emits drain, once for each origin, when it is retired by ${by} and dispatch has said to wait`, async (t) => {
        const lab = await startLab(t);
        const dispatcher = new Dispatcher({
          Agent,
          connections: 1,
          maxPools: 1,
        } as never) as unknown as Guarded;
        t.after(() => dispatcher.destroy());
        const { origin } = new URL(lab.url(ALLOWED));
        const request = { origin, path: '/hang', method: 'GET' };
        let drained = 0;
        let wake = (): void => {};
        const waited = new Promise<void>((resolve) => (wake = resolve));
        dispatcher.on('drain', (from) => {
          if (new URL(String(from)).origin !== origin) return;
          drained++;
          wake();
        });
        const held = withRules(rules, () => dispatcher.request(request as never));
        held.catch(() => {});
        while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
        assert.equal(drained, 0);
        let failed = 0;
        const handler = {
          onConnect() {},
          onHeaders: () => true,
          onData: () => true,
          onComplete() {},
          onError: () => failed++,
        };
        const goesOn = [0, 1].map(() =>
          withRules(rules, () =>
            dispatcher.dispatch({ ...request, path: '/', origin: new URL(origin) } as never, handler),
          ),
        );
        assert.deepEqual(goesOn, [false, false]);
        const retired = retire(dispatcher);
        await inTime(waited, 'the event');
        release(lab.allowed);
        await (await held).body.text();
        await retired;
        assert.deepEqual([drained, failed], [1, 0]);
      });
    }

    it('emits drain for each origin that is owed one when it is retired, and for none that has had it', async (t) => {
      const labs = [await startLab(t), await startLab(t), await startLab(t)];
      const dispatcher = new Dispatcher({ Agent, rules, connections: 1 } as never) as unknown as Guarded;
      t.after(() => dispatcher.destroy());
      const drained: string[] = [];
      dispatcher.on('drain', (from) => drained.push(new URL(String(from)).origin));
      const origins = labs.map((lab) => new URL(lab.url(ALLOWED)).origin);
      const handler = {
        onConnect() {},
        onHeaders: () => true,
        onData: () => true,
        onComplete() {},
        onError() {},
      };
      for (const [i, lab] of labs.entries()) {
        const request = { origin: origins[i], path: '/hang', method: 'GET' };
        dispatcher.dispatch(request as never, handler);
        while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
        assert.equal(dispatcher.dispatch({ ...request, path: '/' } as never, handler), false);
      }
      const done = once(dispatcher, 'drain');
      release(labs[2]!.allowed);
      await inTime(done, 'the event of undici');
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      drained.length = 0;
      dispatcher.closeIdleConnections();
      await new Promise(setImmediate);
      assert.deepEqual(drained, origins.slice(0, 2));
      for (const lab of labs) release(lab.allowed);
    });

    it('owes no drain when it is retired and dispatch has not said to wait', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, rules } as never) as unknown as Guarded;
      t.after(() => dispatcher.destroy());
      await send(dispatcher, lab);
      let drained = 0;
      dispatcher.on('drain', () => drained++);
      let headers = (): void => {};
      const begun = new Promise<void>((resolve) => (headers = resolve));
      const handler = {
        onConnect() {},
        onHeaders: () => (headers(), true),
        onData: () => true,
        onComplete() {},
        onError() {},
      };
      const { origin } = new URL(lab.url(ALLOWED));
      assert.equal(dispatcher.dispatch({ origin, path: '/hang', method: 'GET' } as never, handler), true);
      await inTime(begun, 'the headers');
      drained = 0;
      dispatcher.closeIdleConnections();
      await new Promise(setImmediate);
      assert.equal(drained, 0);
      release(lab.allowed);
    });

    it('owes no drain for an origin that is none, and says why to the handler', async () => {
      const dispatcher = new Dispatcher({ Agent, rules } as never) as unknown as Guarded;
      let drained = 0;
      dispatcher.on('drain', () => drained++);
      const codes: (string | undefined)[] = [];
      const handler = {
        onConnect() {},
        onHeaders: () => true,
        onData: () => true,
        onComplete() {},
        onError: ({ code }: NodeJS.ErrnoException) => codes.push(code),
      };
      const origins = [undefined, 'no origin', 'data:,', 5];
      const dispatched = origins.map((origin) =>
        dispatcher.dispatch({ origin, path: '/', method: 'GET' } as never, handler),
      );
      assert.deepEqual(dispatched, [false, false, false, false]);
      dispatcher.closeIdleConnections();
      await new Promise(setImmediate);
      assert.equal(drained, 0);
      const invalid = 'UND_ERR_INVALID_ARG';
      assert.deepEqual(codes, [invalid, 'ERR_INVALID_URL', invalid, invalid]);
      await dispatcher.destroy();
    });

    const guarded = (): Guarded => new Dispatcher({ Agent, rules } as never) as unknown as Guarded;

    const WAYS: Record<string, (emitter: EventEmitter, name: string, listener: () => void) => unknown> = {
      'on()': (emitter, name, listener) => emitter.on(name, listener),
      'addListener()': (emitter, name, listener) => emitter.addListener(name, listener),
      'once()': (emitter, name, listener) => emitter.once(name, listener),
      'prependListener()': (emitter, name, listener) => emitter.prependListener(name, listener),
      'prependOnceListener()': (emitter, name, listener) => emitter.prependOnceListener(name, listener),
      'events.once()': (emitter, name, listener) => once(emitter, name).then(listener),
    };
    for (const [way, add] of Object.entries(WAYS)) {
      it(`tells who comes by ${way} when connections are there already`, async (t) => {
        const lab = await startLab(t);
        const dispatcher = guarded();
        await send(dispatcher, lab);
        const disconnected = new Promise<void>((resolve) => add(dispatcher, 'disconnect', resolve));
        await dispatcher.destroy();
        await inTime(disconnected, 'the event');
      });
    }

    it('tells of retired connections when the listener comes after closeIdleConnections() or destroy()', async (t) => {
      const lab = await startLab(t);
      for (const end of ['closeIdleConnections', 'destroy'] as const) {
        const dispatcher = guarded();
        t.after(() => dispatcher.destroy());
        await send(dispatcher, lab);
        void dispatcher[end]();
        await inTime(once(dispatcher, 'disconnect'), `the event after ${end}()`);
      }
    });

    it('emits connect, disconnect and connectionError, and names nothing but itself', async (t) => {
      const lab = await startLab(t);
      const dispatcher = guarded();
      const seen: unknown[][] = [];
      for (const name of ['connect', 'disconnect', 'connectionError'] as const) {
        (dispatcher as EventEmitter).on(
          name,
          (_origin: unknown, targets: unknown[], error?: { code?: string }) =>
            seen.push([name, targets.length === 1 && targets[0] === dispatcher, error?.code]),
        );
      }
      await send(dispatcher, lab);
      await assert.rejects(dispatcher.request({ origin: lab.url(DENIED), path: '/', method: 'GET' }));
      await dispatcher.destroy();
      await inTime(lab.drained(), 'the connections');
      assert.deepEqual(seen, [
        ['connect', true, undefined],
        ['connectionError', true, 'ERR_NETJAIL_DENIED'],
        ['disconnect', true, 'UND_ERR_DESTROYED'],
      ]);
      assert.equal(lab.denied.connections, 0);
    });
  });
}
