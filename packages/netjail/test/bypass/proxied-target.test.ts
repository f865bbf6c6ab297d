// A request whose own text names another target.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import * as undici6 from 'undici6';
import { Dispatcher } from '../../src/undici/index.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { rules } from '../helpers/attack.ts';

describe('Dispatcher', () => {
  const { Agent } = undici;
  for (const before of ['a new dispatcher', 'one that served a usual request under these rules']) {
    it(`denies a request whose path names another target, sent by ${before}`, async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, rules });
      const origin = lab.url(ALLOWED, '');
      if (before !== 'a new dispatcher') await (await undici.request(origin, { dispatcher })).body.dump();
      const seen = [lab.allowed.connections, lab.allowed.requests.length];
      await assertDenied(dispatcher.request({ origin, path: 'http://127.0.0.1/secret', method: 'GET' }), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      await assertDenied(dispatcher.request({ origin, path: 'http://inner.test/secret', method: 'GET' }), {
        host: 'inner.test',
        reason: 'proxied-name',
      });
      await assertDenied(dispatcher.connect({ origin, path: '127.0.0.1:80' }), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      });
      // A slash in front is none of an authority, but undici puts one there.
      for (const path of ['/127.0.0.1:80', '/', ''])
        await assertDenied(dispatcher.connect({ origin, path }), { host: path, reason: 'proxied-name' });
      assert.deepEqual([lab.allowed.connections, lab.allowed.requests.length], seen);
      assert.equal(lab.denied.connections, 0);
      await dispatcher.destroy();
    });
  }

  it('connects to the host that it judged when an origin says another one as text than in its fields', async (t) => {
    class Lying extends URL {
      override toString(): string {
        return lab.url(DENIED, '');
      }
    }
    const lab = await startLab(t);
    for (const { Agent } of [undici, undici6]) {
      const dispatcher = new Dispatcher({ Agent: Agent as typeof undici.Agent, rules });
      const origin = new Lying(lab.url(ALLOWED, ''));
      const denial = { host: DENIED, reason: 'blocked', address: DENIED, entry: '127.0.0.1' } as const;
      for (const path of ['/', lab.url(DENIED, '/secret')])
        await assertDenied(dispatcher.request({ origin, path, method: 'GET' }), denial);
      await dispatcher.destroy();
    }
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  for (const [name, origin] of [
    ['an object', {}],
    ['an object without a prototype', Object.create(null)],
    ['an array', ['http://127.0.0.2']],
    ['a String object', new String('http://127.0.0.2')],
  ] as [string, unknown][]) {
    it(`leaves it to undici to refuse an origin that is ${name}`, async () => {
      const dispatcher = new Dispatcher({ Agent, rules });
      const request = { origin, path: '/', method: 'GET' } as never;
      await assert.rejects(dispatcher.request(request), { code: 'UND_ERR_INVALID_ARG' });
      await dispatcher.destroy();
    });
  }

  for (const path of [undefined, null, 5, {}]) {
    it(`leaves it to undici to refuse a path that is ${String(path)}`, async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, rules });
      const request = { origin: lab.url(ALLOWED, ''), path, method: 'GET' } as never;
      await assert.rejects(dispatcher.request(request), { code: 'UND_ERR_INVALID_ARG' });
      assert.equal(lab.allowed.connections, 0);
      await dispatcher.destroy();
    });
  }

  it('takes an origin that is a URL', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent, rules });
    const { statusCode, body } = await dispatcher.request({
      origin: new URL(lab.url(ALLOWED, '')),
      path: '/',
      method: 'GET',
    });
    await body.dump();
    assert.deepEqual([statusCode, lab.allowed.requests.length], [200, 1]);
    await dispatcher.destroy();
  });
});
