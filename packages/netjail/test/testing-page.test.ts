// What docs/testing.md says of fake timers and of undici's MockAgent; its snippets are run by docs.test.ts.
import { createFetch } from '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Agent, getGlobalDispatcher, MockAgent, request, setGlobalDispatcher } from 'undici';
import { Dispatcher } from '../src/undici/index.ts';
import { adapters } from './helpers/adapters.ts';
import { rules } from './helpers/attack.ts';
import { assertDenied } from './helpers/denial.ts';
import { inTime } from './helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';

describe('with faked Date, setImmediate, setInterval and setTimeout', () => {
  for (const adapter of adapters) {
    it(`${adapter.name} connects and denies as ever`, async (t) => {
      const lab = await startLab(t);
      const resolver = async (host: string): Promise<string[]> => [host === 'name.test' ? ALLOWED : DENIED];
      const client = adapter.create({ rules, resolver });
      t.mock.timers.enable({ apis: ['Date', 'setImmediate', 'setInterval', 'setTimeout'] });

      // `inTime` is not used: its own timer is a faked one, too.
      assert.equal((await client.request(lab.url('name.test'))).body, `hello from ${ALLOWED}`);
      const denied = { reason: 'blocked', address: DENIED, entry: '127.0.0.1' } as const;
      await assertDenied(client.request(lab.url(DENIED)), { host: DENIED, ...denied });
      await assertDenied(client.request(lab.url('evil.test')), { host: 'evil.test', ...denied });

      t.mock.timers.reset();
      assert.equal(lab.allowed.connections, 1);
      assert.equal(lab.denied.connections, 0);
      await client.destroy();
    });
  }
});

describe('a MockAgent as the global dispatcher', () => {
  it('answers undici without a dispatcher, and neither a Dispatcher nor createFetch()', async (t) => {
    const lab = await startLab(t);
    const before = getGlobalDispatcher();
    const mock = new MockAgent();
    mock.get(`http://${DENIED}:${lab.port}`).intercept({ path: '/' }).reply(200, 'mocked').persist();
    setGlobalDispatcher(mock);
    t.after(() => setGlobalDispatcher(before));
    const dispatcher = new Dispatcher({ Agent, rules });
    t.after(() => dispatcher.destroy());
    const fetch = createFetch({ rules });
    t.after(() => fetch.destroy());

    const { body } = await inTime(request(lab.url(DENIED)), 'the mock');
    assert.equal(await body.text(), 'mocked');
    const denied = { host: DENIED, reason: 'blocked', address: DENIED, entry: '127.0.0.1' } as const;
    await assertDenied(request(lab.url(DENIED), { dispatcher }), denied);
    await assertDenied(fetch(lab.url(DENIED)), denied);
    assert.equal(await (await fetch(lab.url(ALLOWED))).text(), `hello from ${ALLOWED}`);
    assert.equal(lab.denied.connections, 0);
    assert.equal(lab.allowed.connections, 1);
  });
});
