// The end of a client that has requests under way, whose pools may have been retired before.
import { adapters, type Client } from '../helpers/adapters.ts';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { rules } from '../helpers/attack.ts';
import { deferred } from '../helpers/deferred.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, startLab, type Lab } from '../helpers/lab.ts';

const other = new Rules({ allow: ['127.0.0.2', '10.0.0.0/8'] });

/** A lab that keeps requests for `/held` waiting until it is told. */
async function startHolding(t: TestContext): Promise<{ lab: Lab; asked: Promise<void>; answer(): void }> {
  const asked = deferred();
  const answer = deferred();
  const lab = await startLab(t, 'http', {
    request(request, response) {
      if (request.url !== '/held') return false;
      asked.resolve();
      answer.promise.then(() => response.end('late'));
      return true;
    },
  });
  return { lab, asked: asked.promise, answer: answer.resolve };
}

/** What takes the pool of a request away from its client, while the request is under way. */
const before: [name: string, retire: (client: Client, lab: Lab) => unknown][] = [
  ['closeIdleConnections()', (client) => client.closeIdle()],
  ['an eviction', (client, lab) => withRules(other, () => client.request(lab.url(ALLOWED)))],
  ['close()', (client) => void client.close()],
];

for (const adapter of adapters.filter(({ pools }) => pools)) {
  describe(`${adapter.name} closeIdleConnections()`, () => {
    it('opens a new connection for the next request under the same rules, and keeps that', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, single: true });
      t.after(() => client.destroy());
      for (const connections of [1, 2, 3]) {
        for (let i = 0; i < 2; i++) {
          const { status } = await inTime(client.request(lab.url(ALLOWED)), 'the request');
          assert.deepEqual([status, lab.allowed.connections], [200, connections]);
          // Node's agent takes a connection back a little later.
          await new Promise(setImmediate);
        }
        client.closeIdle();
      }
    });
  });

  describe(`${adapter.name} destroy()`, () => {
    for (const [name, retire] of before) {
      it(`fails the request that is under way after ${name}, and what queues behind it`, async (t) => {
        const { lab, asked } = await startHolding(t);
        const client = adapter.create({ maxPools: 1, single: true });
        // A queue of Node's agent outlives its sockets.
        const paths = adapter.name === 'HttpAgent/HttpsAgent' ? ['/held'] : ['/held', '/next'];
        const calls = withRules(rules, () => paths.map((path) => client.request(lab.url(ALLOWED, path))));
        const failures = calls.map((call) =>
          call.then(
            () => assert.fail('it was answered'),
            (error: unknown) => error,
          ),
        );
        await inTime(asked, 'the request');
        await retire(client, lab);
        await inTime(client.destroy(), 'destroy()');
        for (const failure of failures) assert.ok((await inTime(failure, 'the call')) instanceof Error);
        await inTime(lab.drained(), 'the connections');
      });
    }
  });

  // An agent of Node's has no promise to wait for.
  if (adapter.name === 'HttpAgent/HttpsAgent') continue;
  describe(`${adapter.name} destroy() and close()`, () => {
    for (const [name, retire] of [...before, ['nothing else', () => {}] as const]) {
      it(`resolve when what was under way after ${name} has ended`, async (t) => {
        const { lab, asked } = await startHolding(t);
        const client = adapter.create({ maxPools: 1 });
        let failed = false;
        const call = withRules(rules, () => client.request(lab.url(ALLOWED, '/held')));
        const failure = call.then(
          () => assert.fail('it was answered'),
          () => (failed = true),
        );
        await inTime(asked, 'the request');
        await retire(client, lab);
        await inTime(client.destroy(), 'destroy()');
        // The call is told by what destroy() has waited for.
        for (let i = 0; i < 10; i++) await Promise.resolve();
        assert.equal(failed, true);
        await failure;
        await inTime(client.close(), 'close()');
        await inTime(client.destroy(), 'the second destroy()');
      });
    }
    it('resolve when the other one was called before', async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules });
      await client.request(lab.url(ALLOWED));
      await inTime(client.destroy(), 'destroy()');
      await inTime(client.close(), 'close()');
      await inTime(client.destroy(), 'the second destroy()');
      await inTime(lab.drained(), 'the connections');
    });
  });

  describe(`${adapter.name} close()`, () => {
    for (const [name, retire] of before.slice(0, 2)) {
      it(`waits for the request that is under way after ${name}`, async (t) => {
        const { lab, asked, answer } = await startHolding(t);
        const client = adapter.create({ maxPools: 1 });
        let answered = false;
        const call = withRules(rules, () => client.request(lab.url(ALLOWED, '/held')));
        const done = call.then(({ body }) => {
          answered = true;
          assert.equal(body, 'late');
        });
        await inTime(asked, 'the request');
        await retire(client, lab);
        const closing = client.close().then(() => assert.equal(answered, true));
        answer();
        await inTime(Promise.all([done, closing]), 'close()');
        await inTime(lab.drained(), 'the connections');
      });
    }
  });
}
