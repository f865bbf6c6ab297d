// What belongs to a whole process, through each HTTP recipe: certificate authorities, environment
// proxies, flags of node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { useClients } from '../helpers/client-child.ts';
import { ALLOWED, DENIED, startLab, tlsCertificate, type Kind } from '../helpers/lab.ts';
import { notRun, recipes, type Recipe } from '../helpers/recipes.ts';
import { webService } from '../helpers/web-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'netjail-clients-'));
after(() => rmSync(folder, { recursive: true }));

const all = await recipes('http');
/** One server cannot serve both at one path: each client that needs its own gets a process of its own. */
const OWN_SERVER = ['node-http2.js', 'mcp.js', 'mcp-sse.js', 'eventsource.js', 'eventsource-runtime.js'];
const runnable = all.filter(({ meta }) => notRun({ ...meta, flags: [] }) === undefined);
for (const { meta } of all) {
  const reason = notRun({ ...meta, flags: [] });
  if (reason !== undefined) it(reason, { skip: reason }, () => {});
}

const groups: { name: string; files: string[]; serves: string }[] = [
  {
    name: 'clients',
    files: runnable.map(({ file }) => file).filter((file) => !OWN_SERVER.includes(file)),
    serves: 'fetch.js',
  },
  ...runnable
    .filter(({ file }) => OWN_SERVER.includes(file))
    .map(({ file, meta }) => ({ name: meta.client, files: [file], serves: file })),
];

const kindOf = (file: string, secure: boolean): Kind => {
  if (file === 'node-http2.js') return secure ? 'h2' : 'h2c';
  return secure ? 'https' : 'http';
};
const metaOf = (file: string): Recipe['meta'] => all.find((one) => one.file === file)!.meta;

for (const { name, files, serves } of groups) {
  describe(`${name} over TLS`, () => {
    it('check the certificate against the name while they are pinned, and are denied before the handshake', async (t) => {
      const lab = await startLab(t, kindOf(serves, true), webService({ file: serves }));
      const authority = join(folder, 'ca.pem');
      writeFileSync(authority, (await tlsCertificate()).cert);
      const hosts = ['name.test', ALLOWED, 'wrong.test', DENIED, 'inner.test'];
      const urls = hosts.map((host) => lab.url(host).replace(/\/$/, ''));
      const results = await useClients({ files, urls }, { NODE_EXTRA_CA_CERTS: authority });
      assert.deepEqual(Object.keys(results), files);
      for (const [file, [named, literal, wrong, denied, inner]] of Object.entries(results)) {
        const { client, denial } = metaOf(file);
        assert.equal(named!.text, `hello from ${ALLOWED}`, `${client}: ${named!.error}`);
        assert.equal(literal!.text, `hello from ${ALLOWED}`, `${client}: ${literal!.error}`);
        assert.equal(wrong!.text, undefined, `${client} accepts a wrong name`);
        if (denial !== 'event')
          assert.match(wrong!.error!, /ALTNAME|altnames|Hostname\/IP/, `${client} fails for its name`);
        for (const outcome of [denied!, inner!])
          assert.deepEqual([outcome.text, outcome.denied[0]], [undefined, `${DENIED} blocked`], client);
      }
      // Whoever got as far as a request had asked for a name that the certificate has.
      assert.ok(lab.allowed.requests.every(({ host }) => !host!.startsWith('wrong')));
      assert.ok(
        lab.allowed.requests.some(({ servername }) => servername === 'name.test') || serves !== 'fetch.js',
      );
      assert.equal(lab.denied.connections, 0);
    });
  });

  describe(`${name} in an environment that names a proxy`, () => {
    it('never speak to it', async (t) => {
      const lab = await startLab(t, kindOf(serves, false), webService({ file: serves }));
      const { url: proxy, seen } = await startWitness(t);
      const env: NodeJS.ProcessEnv = { NO_PROXY: '', no_proxy: '' };
      for (const variable of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'WS_PROXY', 'npm_config_proxy']) {
        env[variable] = proxy;
        env[variable.toLowerCase()] = proxy;
      }
      const urls = ['name.test', ALLOWED, DENIED, 'inner.test'].map((host) =>
        lab.url(host).replace(/\/$/, ''),
      );
      // Node's own switch, which is there from Node 24.
      for (const use of ['', '1']) {
        const results = await useClients({ files, urls }, { ...env, NODE_USE_ENV_PROXY: use });
        for (const [file, outcomes] of Object.entries(results)) {
          const { client } = metaOf(file);
          assert.deepEqual(
            outcomes.map(({ text, denied }) => text ?? denied[0]),
            [`hello from ${ALLOWED}`, `hello from ${ALLOWED}`, `${DENIED} blocked`, `${DENIED} blocked`],
            `${client}: ${JSON.stringify(outcomes)}`,
          );
        }
      }
      assert.deepEqual([seen(), lab.denied.connections], [0, 0]);
    });
  });
}

/** A proxy that counts who comes. */
async function startWitness(t: TestContext): Promise<{ url: string; seen: () => number }> {
  let seen = 0;
  const server = net.createServer((socket) => (seen++, socket.destroy())).listen(0, '127.0.0.4');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.4:${(server.address() as AddressInfo).port}`, seen: () => seen };
}

for (const { file, meta } of runnable.filter(({ meta }) => meta.flags !== undefined)) {
  describe(`${meta.client} with ${meta.flags!.join(' ')}`, () => {
    it('passes the contract', () => {
      const contract = fileURLToPath(new URL('http-contract.test.js', import.meta.url));
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const { stdout, stderr } = spawnSync(
        process.execPath,
        ['--no-warnings', ...meta.flags!, '--test-reporter=tap', contract],
        { env: { ...env, NETJAIL_CLIENTS: file }, encoding: 'utf8' },
      );
      assert.match(stdout, /^# pass 11$/m, stdout + stderr);
      assert.match(stdout, /^# fail 0$/m, stdout);
    });
  });
}
