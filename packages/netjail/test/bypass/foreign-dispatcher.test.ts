// A dispatcher of the caller in the place of ours.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { rules } from '../helpers/attack.ts';

describe('createFetch()', () => {
  it('refuse a dispatcher in init, and do not use one inside a Request', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    const evil = new undici.Agent();
    for (const init of [{ dispatcher: evil }, Object.create({ dispatcher: evil })])
      await assert.rejects(fetch(lab.url(DENIED), init as never), { code: 'ERR_NETJAIL_INVALID_OPTION' });
    const request = new Request(lab.url(DENIED), { dispatcher: evil } as never);
    await assertDenied(fetch(request), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    assert.equal(lab.denied.connections, 0);
    await fetch.destroy();
  });

  it('take a Request, an init of a class and a body', async (t) => {
    const lab = await startLab(t);
    const fetch = createFetch({ rules });
    const url = lab.url(ALLOWED);
    for (const call of [
      () => fetch(new Request(url)),
      () => fetch(url, new Request(url)),
      () => fetch(new URL(url), { method: 'POST', body: 'x' }),
      () => fetch(url, null as never),
    ]) {
      assert.equal(await (await call()).text(), `hello from ${ALLOWED}`);
    }
    assert.equal(lab.allowed.requests.length, 4);
    await fetch.destroy();
  });
});
