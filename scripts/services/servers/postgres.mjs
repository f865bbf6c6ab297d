import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'PostgreSQL server';
export const packages = ['postgresql'];
export const find = () => findProgram('postgres', places());

/** Debian keeps each version in a folder of its own, the newest last. */
function places() {
  const root = '/usr/lib/postgresql';
  let versions = [];
  try {
    versions = readdirSync(root).sort((a, b) => b - a);
  } catch {
    // another system: the PATH has it
  }
  return [...versions.map((version) => join(root, version, 'bin')), ...process.env.PATH.split(':')];
}

const user = 'postgres';

/** Protocol 3.0, user postgres; answered by an authentication request once the server takes sessions. */
const HELLO = Buffer.from('\0\0\0\x17\0\x03\0\0user\0postgres\0\0', 'latin1');

export async function start(parts = new Parts()) {
  const folder = parts.folder('postgres', user);
  const data = join(folder, 'data');
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  await runProgram(
    findProgram('initdb', places()),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--encoding=UTF8', '--locale=C'],
    { user, cwd: folder },
  );
  const backend = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port: backend,
    unix_socket_directories: '',
    ssl: 'on',
    ssl_cert_file: certFile,
    ssl_key_file: keyFile,
    log_connections: 'on',
    fsync: 'off',
    shared_buffers: '16MB',
  };
  const server = parts.program(
    'postgres',
    find(),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { folder, user, stopSignal: 'QUIT' },
  );
  await untilReady(server, () =>
    exchange(backend, HELLO, (answer) => (answer.length === 0 ? undefined : answer[0] === 0x52)),
  );
  return service(parts, {
    sites: [await parts.sites(backend)],
    serverSaw: countLines(server, /connection received:/g),
    user: 'postgres',
    password: '',
    database: 'postgres',
    cert,
  });
}
