import { chmodSync, chownSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../lib/cache.mjs';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs, runProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'MongoDB server';
export const packages = [];
const bin = join(CACHE, 'ferretdb');
export const find = () => findProgram('ferretdb', [bin, ...process.env.PATH.split(':')]);

/** FerretDB speaks MongoDB's protocol; its SQLite backend needs no other server. */
const MODULE = 'github.com/FerretDB/FerretDB';
const VERSION = 'v1.24.0';

/**
 * Builds it where a Go toolchain is; resolves to why not otherwise. Its module lacks the file with
 * its own version, without which it does not start, so it is built in a copy that has one.
 */
export async function install() {
  const go = findProgram('go');
  if (go === undefined) return 'there is no Go toolchain to build FerretDB';
  const source = join(bin, 'source');
  rmSync(source, { recursive: true, force: true });
  const { Dir: module } = JSON.parse(await runProgram(go, ['mod', 'download', '-json', `${MODULE}@${VERSION}`]));
  cpSync(module, source, { recursive: true });
  for (const file of ['.', 'build/version']) chmodSync(join(source, file), 0o755);
  writeFileSync(join(source, 'build/version/version.txt'), VERSION);
  const args = ['-tags', 'ferretdb_sqlite', '-buildvcs=false', '-o', bin, './cmd/ferretdb'];
  await runProgram(go, ['build', ...args], { cwd: source });
  await runProgram('chmod', ['-R', 'u+w', source]);
  rmSync(source, { recursive: true });
  return undefined;
}

/** OP_MSG with { hello: 1, $db: 'admin' }. */
const HELLO = (() => {
  const body = Buffer.from('\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  const head = Buffer.alloc(25);
  head.writeInt32LE(25 + body.length, 0);
  head.writeInt32LE(1, 4);
  head.writeInt32LE(2013, 12);
  head.writeInt32LE(body.length + 4, 21);
  return Buffer.concat([head, body]);
})();

export async function start(parts = new Parts()) {
  const user = 'nobody';
  const folder = parts.folder('ferretdb', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const data = join(folder, 'data');
  mkdirSync(data);
  const { uid, gid } = runAs(user);
  if (uid !== undefined) chownSync(data, uid, gid);
  const [backend, tls] = [await freePort(), await freePort()];
  const server = parts.program(
    'ferretdb',
    find(),
    [
      ...[`--listen-addr=127.0.0.1:${backend}`, `--listen-tls=127.0.0.1:${tls}`],
      ...[`--listen-tls-cert-file=${certFile}`, `--listen-tls-key-file=${keyFile}`],
      ...['--handler=sqlite', `--sqlite-url=file:${data}/`, `--state-dir=${folder}`],
      ...['--telemetry=disable', '--debug-addr=-', '--log-level=info'],
    ],
    { folder, user, env: { HOME: folder } },
  );
  await untilReady(server, () =>
    exchange(backend, HELLO, (answer) => (answer.length < 16 ? undefined : answer.includes('maxWireVersion'))),
  );
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: countLines(server, /Connection started/g),
    cert,
  });
}
