// Attacks that change the process around the library: each runs in a process of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';

const build = join(packageRoot, '.build/src');

/** Runs a module with the adapters at hand; `call(url)` gives "status" or the reason of each. */
async function run(lab: Lab, code: string, env: Record<string, string> = {}): Promise<unknown> {
  const program = `
    ${code.includes('BEFORE') ? code.split('BEFORE')[0] : ''}
    const { createFetch } = await import('${build}/fetch/index.js').catch((error) => ({ createFetch: () => () => Promise.reject(error) }));
    const { Rules, createDial, deniedError, withRules, currentRules } = await import('${build}/index.js');
    const { HttpAgent } = await import('${build}/http/index.js');
    const { Dispatcher } = await import('${build}/undici/index.js');
    const { Agent, request } = await import('undici6');
    const http = await import('node:http');
    const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
    const fetch = createFetch({ rules });
    const agent = new HttpAgent({ rules });
    const dispatcher = new Dispatcher({ Agent, rules });
    const dial = createDial({ rules });
    const outcome = (promise) => promise.then((status) => status, (error) => deniedError(error)?.reason ?? error.code ?? String(error));
    const call = async (url) => {
      const { hostname, port } = new URL(url);
      return [
        await outcome(fetch(url).then(({ status }) => status)),
        await outcome(request(url, { dispatcher }).then(({ statusCode }) => statusCode)),
        await outcome(new Promise((resolve, reject) => http.get(url, { agent }, (response) => resolve(response.resume().statusCode)).on('error', reject))),
        await outcome(new Promise((resolve, reject) => dial({ host: hostname, port: Number(port) }, () => resolve(200)).on('error', reject))),
      ];
    };
    ${code.includes('BEFORE') ? code.split('BEFORE')[1] : code}
    process.exit();`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    cwd: packageRoot,
    env: { ...process.env, ...env, ALLOWED: lab.url(ALLOWED), DENIED: lab.url(DENIED) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number];
  assert.equal(status, 0, output);
  return JSON.parse(output);
}

const BOTH = 'console.log(JSON.stringify([await call(process.env.ALLOWED), await call(process.env.DENIED)]))';
const GUARDED = [Array(4).fill(200), Array(4).fill('blocked')];

/** A proxy that counts who comes. */
async function proxy(t: TestContext): Promise<{ url: string; seen: () => number }> {
  let seen = 0;
  const server = net.createServer((socket) => (seen++, socket.destroy())).listen(0, '127.0.0.4');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.4:${(server.address() as AddressInfo).port}`, seen: () => seen };
}

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

  for (const [name, value] of Object.entries({
    // It is a listener to emitters as well: prototypes reach far.
    lookup: `(host, options, callback) => typeof callback !== 'function' ? undefined : options.all ? callback(null, [{ address: '${DENIED}', family: 4 }]) : callback(null, '${DENIED}', 4)`,
    socketPath: `'/var/run/docker.sock'`,
    path: `'/var/run/docker.sock'`,
    host: `'${DENIED}'`,
    allow: `['0.0.0.0/0']`,
    rules: 'null',
    mode: `'report'`,
    agent: 'false',
    factory: '() => { throw new Error() }',
    blockList: 'null',
  })) {
    it(`Object.prototype has ${name} reaches nothing that is denied`, async (t) => {
      const lab = await startLab(t);
      const code = `Object.defineProperty(Object.prototype, '${name}', { value: ${value}, configurable: true, writable: true });
        const results = await call(process.env.DENIED); delete Object.prototype['${name}']; console.log(JSON.stringify(results))`;
      const results = (await run(lab, code)) as unknown[];
      assert.ok(
        results.every((result) => result !== 200),
        JSON.stringify(results),
      );
      assert.equal(lab.denied.connections, 0);
    });
  }

  it('dns.lookup is patched judges what it answers', async (t) => {
    const lab = await startLab(t);
    const code = `const dns = (await import('node:dns')).default;
      dns.lookup = (host, options, callback) => callback(null, [{ address: '${DENIED}', family: 4 }]);
      console.log(JSON.stringify(await call(process.env.ALLOWED.replace('${ALLOWED}', 'name.test'))))`;
    assert.deepEqual(await run(lab, code), Array(4).fill('blocked'));
    assert.equal(lab.denied.connections, 0);
  });

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
