// A proxy that the environment names sees the targets in our stead.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startLab } from '../helpers/lab.ts';
import { BOTH, GUARDED, proxy, run } from '../helpers/process.ts';

/** An environment that names a proxy, and how many came to it. */
async function proxied(t: TestContext): Promise<{ env: Record<string, string>; seen: () => number }> {
  const { url, seen } = await proxy(t);
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  return { env: { ...Object.fromEntries(names.map((name) => [name, url])), NO_PROXY: '' }, seen };
}

describe('every adapter in a process whose', () => {
  it('environment names a proxy never speaks to it', async (t) => {
    const lab = await startLab(t);
    const { env, seen } = await proxied(t);
    for (const use of ['', '1'])
      assert.deepEqual(await run(lab, BOTH, { ...env, NODE_USE_ENV_PROXY: use }), GUARDED);
    assert.deepEqual([seen(), lab.denied.connections], [0, 0]);
  });

  // Where the environment names a proxy, the class of the runtime is known by the stack of an error.
  for (const [what, change] of Object.entries({
    'shows stack traces in a form of its own': 'Error.prepareStackTrace = (error, frames) => frames;',
    'keeps no stack traces': 'Error.stackTraceLimit = 0;',
  })) {
    it(`environment names a proxy, and that ${what}, is guarded and keeps doing so`, async (t) => {
      const lab = await startLab(t);
      const { env, seen } = await proxied(t);
      const code = `${change} const before = [Error.prepareStackTrace, Error.stackTraceLimit];BEFORE
        const same = before[0] === Error.prepareStackTrace && before[1] === Error.stackTraceLimit;
        const results = [same, await call(process.env.ALLOWED), await call(process.env.DENIED)];
        console.log(JSON.stringify(results));`;
      assert.deepEqual(await run(lab, code, { ...env, NODE_USE_ENV_PROXY: '1' }), [true, ...GUARDED]);
      assert.deepEqual([seen(), lab.denied.connections], [0, 0]);
    });
  }
});
