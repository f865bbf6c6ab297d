// What docs/clients.md says of the defaults of the process: each is replaced in a process of its own.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';
import { build, GUARDED, run } from './helpers/process.ts';
import { webService } from './helpers/web-service.ts';

const node = Number(process.versions.node.split('.')[0]);

const undicis = [
  { name: 'undici 6', packageName: 'undici6', needs: 20 },
  { name: 'undici 7', packageName: 'undici', needs: 20 },
  { name: 'undici 8', packageName: 'undici8', needs: 22 },
];
for (const { name, packageName, needs } of undicis) {
  const skip = node < needs ? `not run: ${name} needs Node ${needs}` : false;
  // undici 6 puts its dispatcher where the undici 8 of a runtime does not look.
  const reached = packageName === 'undici6' && node >= 26;
  describe(`a Dispatcher as the global one of ${name}`, { skip }, () => {
    it(`guards that undici, ${reached ? 'but not' : 'and'} the fetch and the WebSocket of the runtime`, async (t) => {
      const lab = await startLab(t, 'http', webService({ file: 'ws.js' }));
      const code = `
        const undici = await import('${packageName}');
        undici.setGlobalDispatcher(new Dispatcher({ Agent: undici.Agent, rules }));
        const get = (fetch, url) => outcome(fetch(url).then((response) => response.text()));
        const webSocket = (url) => globalThis.WebSocket && new Promise((resolve) => {
          const socket = new WebSocket(url.replace('http', 'ws'));
          socket.onmessage = ({ data }) => resolve(data);
          socket.onerror = () => resolve('error');
        });
        const results = [];
        for (const url of [process.env.ALLOWED, process.env.DENIED]) {
          const all = [
            await outcome(undici.request(url).then(({ body }) => body.text())),
            await get(undici.fetch, url),
            await get(globalThis.fetch, url),
            await webSocket(url),
          ];
          results.push(all);
        }
        globalThis.fetch = createFetch({ rules });
        for (const url of [process.env.ALLOWED, process.env.DENIED]) results.push(await get(globalThis.fetch, url));
        console.log(JSON.stringify(results));`;
      const hello = `hello from ${ALLOWED}`;
      const secret = `hello from ${DENIED}`;
      const hasWebSocket = 'WebSocket' in globalThis;
      const ofRuntime = reached ? [secret, secret] : ['blocked', hasWebSocket ? 'error' : null];
      assert.deepEqual(await run(lab, code), [
        [hello, hello, hello, hasWebSocket ? hello : null],
        ['blocked', 'blocked', ...ofRuntime],
        hello,
        'blocked',
      ]);
      assert.equal(lab.denied.connections, reached ? 2 : 0);
    });
  });
}

describe('agents in the place of the globalAgents', () => {
  it('guard requests that have no agent of their own, those of clients too', async (t) => {
    const plain = await startLab(t);
    const secure = await startLab(t, 'https');
    const code = `
      const { default: axios } = await import('axios');
      const { default: plain } = await import('node:http');
      const { default: secure } = await import('node:https');
      const { HttpsAgent } = await import(process.env.HTTP);
      plain.globalAgent = new HttpAgent({ rules, keepAlive: true });
      secure.globalAgent = new HttpsAgent({ rules, keepAlive: true, rejectUnauthorized: false });
      const get = ({ get }, url) => outcome(new Promise((resolve, reject) =>
        get(url, (response) => resolve(response.resume().statusCode)).on('error', reject)));
      const results = [];
      for (const host of ['ALLOWED', 'DENIED']) {
        results.push([
          await get(plain, process.env[host]),
          await get(secure, process.env['SECURE_' + host]),
          await outcome(axios.get(process.env[host], { proxy: false }).then(({ status }) => status)),
          await outcome(axios.get(process.env['SECURE_' + host], { proxy: false }).then(({ status }) => status)),
        ]);
      }
      console.log(JSON.stringify(results));`;
    const env = {
      HTTP: `${build}/http/index.js`,
      SECURE_ALLOWED: secure.url(ALLOWED),
      SECURE_DENIED: secure.url(DENIED),
    };
    assert.deepEqual(await run(plain, code, env), GUARDED);
    assert.deepEqual([plain.denied.connections, secure.denied.connections], [0, 0]);
  });
});
