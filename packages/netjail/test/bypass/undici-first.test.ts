// Another undici is loaded before ours.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLab } from '../helpers/lab.ts';
import { BOTH, run } from '../helpers/process.ts';

describe('every adapter in a process that', () => {
  it('undici was loaded first is guarded, or netjail/fetch throws', async (t) => {
    const lab = await startLab(t);
    for (const name of ['undici6', 'undici']) {
      const [allowed, denied] = (await run(lab, `await import('${name}');BEFORE${BOTH}`)) as [
        unknown[],
        unknown[],
      ];
      assert.ok([200, 'ERR_NETJAIL_UNSUPPORTED_RUNTIME'].includes(allowed[0] as never), String(allowed[0]));
      assert.deepEqual(
        [allowed.slice(1), denied.slice(1)],
        [
          [200, 200, 200],
          ['blocked', 'blocked', 'blocked'],
        ],
      );
      assert.ok(
        ['blocked', 'ERR_NETJAIL_UNSUPPORTED_RUNTIME'].includes(denied[0] as never),
        String(denied[0]),
      );
    }
    assert.equal(lab.denied.connections, 0);
  });
});
