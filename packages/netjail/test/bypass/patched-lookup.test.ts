// dns.lookup is patched.
import assert from 'node:assert/strict';
import { ADDRCONFIG, ALL } from 'node:dns';
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

  it('dns.lookup is patched, and answers no list, fails its calls and lives', async (t) => {
    const lab = await startLab(t);
    for (const answer of [`'${ALLOWED}'`, 'null', '[null]', 'undefined', '{ length: 1 }']) {
      const code = `const dns = (await import('node:dns')).default;
        dns.lookup = (host, options, callback) => setImmediate(callback, null, ${answer}, 4);
        console.log(JSON.stringify(await call(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'))))`;
      const outcomes = (await run(lab, code)) as string[];
      assert.equal(outcomes.length, 4);
      for (const outcome of outcomes) assert.match(outcome, /Cannot resolve|fetch failed/, answer);
    }
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it('dns.lookup is patched has it asked for what the socket wants', async (t) => {
    const lab = await startLab(t);
    const code = `const dns = (await import('node:dns')).default;
      const asked = [];
      dns.lookup = (host, options, callback) => {
        asked.push({ host, ...options });
        setImmediate(callback, null, [{ address: '${ALLOWED}', family: 4 }]);
      };
      const open = (options) => new Promise((resolve, reject) => dial({ host: 'name.test', port: new URL(process.env.ALLOWED).port, ...options }, resolve).on('error', reject));
      await open({ family: 4, hints: dns.ADDRCONFIG });
      await open({ hints: dns.ALL });
      console.log(JSON.stringify(asked));`;
    assert.deepEqual(await run(lab, code), [
      { host: 'name.test', all: true, family: 4, hints: ADDRCONFIG },
      { host: 'name.test', all: true, family: 0, hints: ALL },
    ]);
  });
});
