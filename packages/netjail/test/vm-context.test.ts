// netjail in a vm context of its own, as jest and the vm pools of vitest run a module: what Node and its
// undici throw and know is of another realm there.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';
import { build, runInContext } from './helpers/process.ts';

describe('in a vm context', () => {
  it('each adapter reaches what is allowed, and deniedError() finds the denial', async (t) => {
    const lab = await startLab(t);
    const code = `
      import http from 'node:http';
      import { createDial, deniedError, Rules } from '${build}/index.js';
      import { createFetch } from '${build}/fetch/index.js';
      import { HttpAgent } from '${build}/http/index.js';

      const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
      const fetch = createFetch({ rules });
      const agent = new HttpAgent({ rules });
      const dial = createDial({ rules });
      const { hostname: allowed, port } = new URL(process.env.ALLOWED);
      const outcome = (promise) => promise.then((got) => got, (error) => deniedError(error)?.reason ?? String(error));
      const get = (host) => new Promise((resolve, reject) =>
        http.get({ host, port, agent }, (response) => resolve(response.resume().statusCode)).on('error', reject));
      const open = (host) => new Promise((resolve, reject) => {
        const socket = dial({ host, port: Number(port) }, () => resolve(socket.destroy().remoteAddress ?? 'open'));
        socket.on('error', reject);
      });
      const results = [];
      for (const host of [allowed, '127.0.0.1']) {
        results.push(await outcome(fetch('http://' + host + ':' + port + '/').then(({ status }) => status)));
        results.push(await outcome(get(host)));
        results.push(await outcome(open(host).then(() => 200)));
      }
      console.log(JSON.stringify(results));
      process.exit();`;
    assert.deepEqual(await runInContext(lab, code), [200, 200, 200, 'blocked', 'blocked', 'blocked']);
    assert.equal(lab.denied.connections, 0);
    assert.ok(lab.allowed.connections > 0, `${ALLOWED} saw nobody, ${DENIED} neither`);
  });

  it('rules in effect outside narrow those inside, and the other way', async (t) => {
    const lab = await startLab(t);
    const code = `
      import { currentRules, Rules, withRules } from '${build}/index.js';
      const outside = await importOutside('${build}/index.js');
      const narrow = { allow: ['10.0.0.0/8'] };
      const wide = { allow: ['0.0.0.0/0'] };
      const verdicts = () => ['10.0.0.1', '127.0.0.1'].map((address) => currentRules().accept(address));
      const verdictsOutside = () => ['10.0.0.1', '127.0.0.1'].map((address) => outside.currentRules().accept(address));
      console.log(JSON.stringify([
        outside.withRules(new outside.Rules(narrow), () => currentRules()?.id === new Rules(narrow).id),
        outside.withRules(new outside.Rules(narrow), () => withRules(new Rules(wide), verdicts)),
        withRules(new Rules(narrow), () => outside.withRules(new outside.Rules(wide), verdictsOutside)),
        outside.Rules === Rules,
      ]));
      process.exit();`;
    assert.deepEqual(await runInContext(lab, code), [true, [true, false], [true, false], false]);
  });
});
