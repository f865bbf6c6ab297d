// Plain, with TLS, and a cluster that names its members to clients at the denied address.
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
    return { server, backend, sites };
  };
  const plain = await run('nats', () => '');
  const tls = await run('nats-tls', () => `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`);
  // A server names the others of its cluster, so it takes two.
  const [first, second] = [await freePort(), await freePort()];
  const member = (port, own, other) =>
    `client_advertise: "${DENIED}:${port}"
cluster { name: "netjail", listen: "127.0.0.1:${own}", routes: ["nats://127.0.0.1:${other}"] }`;
  const advertising = await run('nats-advertising', (port) => member(port, first, second));
  const named = await run('nats-named', (port) => member(port, second, first));
  const names = `"${DENIED}:${named.sites.port}"`;
  await untilReady(advertising.server, () =>
    exchange(advertising.backend, '', (answer) => (answer.includes('\n') ? answer.includes(names) : undefined)),
  );
  return service(parts, {
    sites: [plain.sites, tls.sites, advertising.sites, named.sites],
    tlsPort: tls.sites.port,
    advertisingPort: advertising.sites.port,
    serverSaw: countLines(
      [plain, tls, advertising, named].map(({ server }) => server),
      /Client connection created/g,
    ),
    cert,
  });
}
