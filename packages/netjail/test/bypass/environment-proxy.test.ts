// A proxy that the environment names sees the targets in our stead.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLab } from '../helpers/lab.ts';
import { BOTH, GUARDED, proxy, run } from '../helpers/process.ts';

describe('every adapter in a process whose', () => {
  it('environment names a proxy never speaks to it', async (t) => {
    const lab = await startLab(t);
    const { url, seen } = await proxy(t);
    const env = Object.fromEntries(
      ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].map((name) => [
        name,
        url,
      ]),
    );
    for (const use of ['', '1'])
      assert.deepEqual(await run(lab, BOTH, { ...env, NODE_USE_ENV_PROXY: use, NO_PROXY: '' }), GUARDED);
    assert.deepEqual([seen(), lab.denied.connections], [0, 0]);
  });
});
