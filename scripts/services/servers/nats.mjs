// Three of them: plain, with TLS, and one of a cluster that tells its clients the denied address.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { DENIED, freePort } from '../lib/sites.mjs';

export const title = 'NATS server';
export const packages = ['nats-server'];
export const find = () => findProgram('nats-server');

const user = 'nats';

export async function start(parts = new Parts()) {
  const folder = parts.folder('nats', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const run = async (name, config) => {
    const backend = await freePort();
    const sites = await parts.sites(backend);
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, `listen: "127.0.0.1:${backend}"\n${config(sites.port)}\n`);
    const server = parts.program(name, find(), ['-c', file, '-DV'], { folder, user, stopSignal: 'KILL' });
    await untilReady(server, () => exchange(backend, '', beginsWith('INFO {')));
    return { server, sites };
  };
  const plain = await run('nats', () => '');
  const tls = await run('nats-tls', () => `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`);
  const cluster = await freePort();
  const advertising = await run(
    'nats-advertising',
    (port) =>
      `client_advertise: "${DENIED}:${port}"\ncluster { name: "netjail", listen: "127.0.0.1:${cluster}" }`,
  );
  return service(parts, {
    sites: [plain.sites, tls.sites, advertising.sites],
    tlsPort: tls.sites.port,
    advertisingPort: advertising.sites.port,
    serverSaw: countLines([plain.server, tls.server, advertising.server], /Client connection created/g),
    cert,
  });
}
