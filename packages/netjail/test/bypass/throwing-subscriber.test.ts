// A subscriber of the verdicts that throws: the channel reports it as an uncaught exception, later.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { GUARDED, run, runToEnd } from '../helpers/process.ts';

/** Subscribes with what throws; `uncaught` counts what reached the process. */
const SUBSCRIBE = `
  const { subscribe } = await import('node:diagnostics_channel');
  let uncaught = 0;
  let published = 0;
  subscribe('netjail:verdict', ({ allowed }) => { published++; throw new Error('thrown by the subscriber'); });`;
const SURVIVE = `process.on('uncaughtException', (error) => {
    if (error.message !== 'thrown by the subscriber') { console.error(error); process.exit(3); }
    uncaught++;
  });`;
/** The same targets by a name, whose answers are judged after the look-up. */
const BY_NAME = `
  const dns = (await import('node:dns')).default;
  const answers = { 'allowed.test': '${ALLOWED}', 'denied.test': '${DENIED}' };
  dns.lookup = (host, options, callback) => callback(null, [{ address: answers[host], family: 4 }]);
  const named = (url, host) => url.replace(/127\\.0\\.0\\.[12]/, host);`;

describe('every adapter in a process whose subscriber of netjail:verdict throws', () => {
  it('denies what is denied and connects to what is allowed', async (t) => {
    const lab = await startLab(t);
    const code = `${SUBSCRIBE}${SURVIVE}
      const results = [await call(process.env.ALLOWED), await call(process.env.DENIED)];
      await new Promise(setImmediate);
      console.log(JSON.stringify({ results, published, uncaught }));`;
    const { results, published, uncaught } = (await run(lab, code)) as Record<string, unknown>;
    assert.deepEqual(results, GUARDED);
    assert.deepEqual([published, uncaught], [8, 8]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [4, 0]);
  });

  it('does so for names too, whose answers are judged later', async (t) => {
    const lab = await startLab(t);
    const code = `${SUBSCRIBE}${SURVIVE}${BY_NAME}
      const results = [await call(named(process.env.ALLOWED, 'allowed.test')), await call(named(process.env.DENIED, 'denied.test'))];
      await new Promise(setImmediate);
      console.log(JSON.stringify({ results, published, uncaught }));`;
    const { results, published, uncaught } = (await run(lab, code)) as Record<string, unknown>;
    assert.deepEqual(results, GUARDED);
    assert.deepEqual([published, uncaught], [8, 8]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [4, 0]);
  });

  it('ends with the process before anything denied is reached, when nobody catches it', async (t) => {
    const lab = await startLab(t);
    const { status, stderr } = await runToEnd(lab, `${SUBSCRIBE} await call(process.env.DENIED);`);
    assert.match(stderr, /thrown by the subscriber/);
    assert.equal(status, 1);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });
});
