// A second installed copy does not know the rules of the first.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLab } from '../helpers/lab.ts';
import { build, run } from '../helpers/process.ts';

describe('every adapter in a process that', () => {
  it('has two copies of netjail agrees on the rules in effect and on denials', async (t) => {
    const lab = await startLab(t);
    const code = `
      const { cpSync, mkdirSync, mkdtempSync, rmSync } = await import('node:fs'); mkdirSync('.cache', { recursive: true });
      const folder = mkdtempSync('.cache/copy-'); cpSync('${build}', folder, { recursive: true });
      const copy = await import(process.cwd() + '/' + folder + '/index.js');
      const open = createDial();
      const reach = (url) => outcome(new Promise((resolve, reject) => open({ host: new URL(url).hostname, port: Number(new URL(url).port) }, () => resolve(200)).on('error', reject)));
      const theirs = new copy.Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
      const results = await copy.withRules(theirs, async () => [await reach(process.env.ALLOWED), await reach(process.env.DENIED), currentRules().id === theirs.id]);
      const error = new copy.DeniedError({ host: 'x', denials: theirs.judge('127.0.0.1').allowed ? [] : [theirs.judge('127.0.0.1')] });
      results.push(deniedError(new Error('x', { cause: error })) === error, await reach(process.env.ALLOWED));
      rmSync(folder, { recursive: true }); console.log(JSON.stringify(results))`;
    assert.deepEqual(await run(lab, code), [200, 'blocked', true, true, 'no-rules']);
    assert.equal(lab.denied.connections, 0);
  });
});
