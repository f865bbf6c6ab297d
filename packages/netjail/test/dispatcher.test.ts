import { createDispatcher } from '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRules } from '../src/context.ts';
import { Rules } from '../src/rules.ts';
import { assertDenied } from './helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
// The built-in fetch takes one too, which is how it is tried here on every Node.
const get = (url: string, dispatcher: object): Promise<Response> => fetch(url, { dispatcher } as RequestInit);

describe('createDispatcher()', () => {
  it('keeps the rules that were in effect when it was made', async (t) => {
    const lab = await startLab(t);
    const dispatcher = withRules(rules, () => createDispatcher());
    t.after(() => dispatcher.destroy());
    assert.equal((await get(lab.url(ALLOWED), dispatcher)).status, 200);
    const wider = new Rules({ allow: ['0.0.0.0/0'] });
    await withRules(wider, () =>
      assertDenied(get(lab.url(DENIED), dispatcher), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: DENIED,
      }),
    );
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('denies everything when it was made without rules, whatever is in effect later', async (t) => {
    const lab = await startLab(t);
    const dispatcher = createDispatcher();
    t.after(() => dispatcher.destroy());
    await withRules(rules, () =>
      assertDenied(get(lab.url(ALLOWED), dispatcher), { host: ALLOWED, reason: 'no-rules' }),
    );
    assert.equal(lab.allowed.connections, 0);
  });

  it('refuses requests when it is closed', async (t) => {
    const lab = await startLab(t);
    const dispatcher = createDispatcher({ rules });
    await dispatcher.close();
    await assert.rejects(
      get(lab.url(ALLOWED), dispatcher),
      (error: Error) => (error.cause as { code?: string }).code === 'ERR_NETJAIL_CLOSED',
    );
    assert.equal(lab.allowed.connections, 0);
  });

  it('cannot be changed', () => {
    const dispatcher = createDispatcher({ rules });
    assert.throws(() => Object.assign(dispatcher, { dispatch: () => true }), TypeError);
  });

  it('throws when options are malformed or lead around the rules', () => {
    for (const options of [
      { connect: () => {} },
      { factory: () => {} },
      { socketPath: '/x' },
      { maxPools: 0 },
      { mode: 'off' },
    ])
      assert.throws(() => createDispatcher(options as never), { code: 'ERR_NETJAIL_INVALID_OPTION' });
    assert.throws(() => createDispatcher({ rules: {} } as never), { code: 'ERR_NETJAIL_INVALID_RULES' });
    assert.throws(() => createDispatcher(null as never), { code: 'ERR_NETJAIL_INVALID_ARGUMENT' });
  });
});
