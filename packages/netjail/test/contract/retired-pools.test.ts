// What is left of pools that are retired, and requests in absolute form.
import '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import * as undici6 from 'undici6';
import { withRules } from '../../src/context.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, startLab } from '../helpers/lab.ts';

const AGENTS = { 'undici 6': undici6.Agent as never as typeof undici.Agent, 'undici 7': undici.Agent };

for (const [name, Agent] of Object.entries(AGENTS)) {
  describe(`Dispatcher with ${name}`, () => {
    it('refuses requests after destroy(), those of the rules of before too', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent });
      const get = (own: Rules) =>
        withRules(own, () => dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' }));
      await (await get(rules)).body.dump();
      await dispatcher.destroy();
      for (const own of [rules, new Rules({ allow: [ALLOWED] })])
        await assert.rejects(get(own), { code: 'ERR_NETJAIL_CLOSED' });
      assert.equal(lab.allowed.connections, 1);
    });
    it('closes the connections of a retired rule set while it goes on', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, maxPools: 1 });
      t.after(() => dispatcher.destroy());
      const get = (own: Rules) =>
        withRules(own, async () =>
          (await dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' })).body.dump(),
        );
      await get(rules);
      const [first] = lab.allowed.open;
      await get(new Rules({ allow: [ALLOWED] }));
      if (lab.allowed.open.has(first!)) await inTime(once(first!, 'close'), 'the connection');
      assert.deepEqual([lab.allowed.connections, lab.allowed.open.size], [2, 1]);
      dispatcher.closeIdleConnections();
      await inTime(lab.drained(), 'the connections');
    });
    it('sends a request in absolute form to its own host', async (t) => {
      const lab = await startLab(t);
      const dispatcher = new Dispatcher({ Agent, rules, resolver: async () => [ALLOWED] });
      t.after(() => dispatcher.destroy());
      const { statusCode, body } = await dispatcher.request({
        origin: lab.url('name.test', ''),
        path: lab.url('name.test'),
        method: 'GET',
      });
      await body.dump();
      assert.equal(statusCode, 200);
    });
  });
}

describe('HttpAgent', () => {
  it('sends a request in absolute form to its own host', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules, resolver: async () => [ALLOWED] });
    t.after(() => agent.destroy());
    const [response] = await once(
      http.get({ agent, host: 'name.test', port: lab.port, path: lab.url('name.test') }),
      'response',
    );
    response.resume();
    assert.equal(response.statusCode, 200);
  });
  it('keeps no connection that was in use when destroy() was called, nor reuses it', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules, keepAlive: true });
    const [response] = await once(http.get(lab.url(ALLOWED), { agent }), 'response');
    await once(response.resume(), 'end');
    agent.closeIdleConnections();
    await new Promise(setImmediate);
    agent.closeIdleConnections();
    await inTime(lab.drained(), 'the connections');
    const [again] = await once(http.get(lab.url(ALLOWED), { agent }), 'response');
    await once(again.resume(), 'end');
    assert.equal(lab.allowed.connections, 2);
    agent.close();
    await inTime(lab.drained(), 'the connections');
  });
});
