// Interceptors that dispatch again, in the context of somebody else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { rules } from '../helpers/attack.ts';

describe('Dispatcher', () => {
  const { Agent } = undici;
  it('keep interceptors that are composed around it under the rules of the caller', async (t) => {
    const lab = await startLab(t);
    const dispatcher = new Dispatcher({ Agent });
    const composed = dispatcher.compose(
      undici.interceptors.redirect({ maxRedirections: 3 }),
      undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 }),
    );
    const get = (url: string): Promise<unknown> => undici.request(url, { dispatcher: composed });
    const open = new Rules({ allow: ['127.0.0.0/8'] });
    // The connection was made by somebody with other rules of the same policy; nothing is his.
    await withRules(open, async () =>
      undici.request(lab.url(ALLOWED), { dispatcher }).then(({ body }) => body.text()),
    );
    const target = `/redirect?${encodeURIComponent(lab.url(DENIED))}`;
    await withRules(rules, () =>
      assertDenied(get(lab.url(ALLOWED, target)), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
        entry: '127.0.0.1',
      }),
    );
    assert.equal(lab.denied.connections, 0);
    await dispatcher.destroy();
  });
});
