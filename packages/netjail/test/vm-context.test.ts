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
});
