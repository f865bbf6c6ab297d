// dns.lookup is patched.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

describe('every adapter in a process whose', () => {
  it('dns.lookup is patched judges what it answers', async (t) => {
    const lab = await startLab(t);
    const code = `const dns = (await import('node:dns')).default;
      dns.lookup = (host, options, callback) => callback(null, [{ address: '${DENIED}', family: 4 }]);
      console.log(JSON.stringify(await call(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'))))`;
    assert.deepEqual(await run(lab, code), Array(4).fill('blocked'));
    assert.equal(lab.denied.connections, 0);
  });
});
