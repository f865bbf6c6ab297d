import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { Rules } from '../src/rules.ts';
import { withRules } from '../src/context.ts';
import { Dispatcher } from '../src/undici/index.ts';
import { rules } from './helpers/attack.ts';
import { deferred } from './helpers/deferred.ts';
import { inTime } from './helpers/in-time.ts';
import { ALLOWED, startLab } from './helpers/lab.ts';

describe('the stats of a Dispatcher', () => {
  it('count the connections of all rule sets by origin, as undici does', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent: undici7.Agent });
    t.after(() => dispatcher.destroy());
    assert.deepEqual(dispatcher.stats, {});
    const send = async (): Promise<void> => {
      const { body } = await dispatcher.request({ origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' });
      await body.dump();
    };
    await withRules(rules, send);
    await withRules(new Rules({ allow: [ALLOWED] }), send);
    const { connected, running, size } = dispatcher.stats[lab.url(ALLOWED, '')]!;
    assert.deepEqual({ connected, running, size }, { connected: 2, running: 0, size: 0 });
    assert.equal(lab.allowed.connections, 2);
  });

  it('say whether there is a connection where there can be one only, as undici does', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent: undici7.Agent, connections: 1 });
    t.after(() => dispatcher.destroy());
    const connected = (): unknown => dispatcher.stats[lab.url(ALLOWED, '')]?.connected;
    for (const scope of [rules, new Rules({ allow: [ALLOWED] })]) {
      const one = { origin: lab.url(ALLOWED, ''), path: '/', method: 'GET' } as const;
      const { body } = await withRules(scope, () => dispatcher.request(one));
      await body.dump();
      assert.equal(connected(), true);
    }
  });

  it('say that there is a connection when one rule set has it and another one does not yet', async (t) => {
    const lab = await startLab(t);
    const asked = deferred();
    const answers = [Promise.resolve([ALLOWED])];
    const resolver = (): Promise<string[]> => {
      if (answers.length === 0) asked.resolve();
      return answers.pop() ?? new Promise(() => {});
    };
    const dispatcher = new Dispatcher({ Agent: undici7.Agent, connections: 1, resolver });
    const origin = lab.url('name.test', '');
    const send = () => dispatcher.request({ origin, path: '/', method: 'GET' });
    await (await withRules(rules, send)).body.text();
    const waiting = withRules(new Rules({ allow: [ALLOWED] }), send);
    await inTime(asked.promise, 'the second look-up');
    assert.equal(dispatcher.stats[origin]?.connected, true);
    const failed = assert.rejects(waiting);
    await dispatcher.destroy();
    await failed;
  });

  it('are not there where the Agent has none', () => {
    const { Agent } = undici6 as unknown as { Agent: typeof undici7.Agent };
    assert.equal('stats' in new Dispatcher({ Agent, rules }), false);
  });
});
