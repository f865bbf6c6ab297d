import { spawnSync } from 'node:child_process';
import tls from 'node:tls';
import { makeCertificate } from '../lib/certificate.mjs';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'SMTP server (aiosmtpd)';
export const packages = ['python3-aiosmtpd'];

/** A Python that has it; Debian's own, where another one comes first on the PATH. */
export const find = () =>
  [findProgram('python3', ['/usr/bin']), findProgram('python3')].find(
    (python) => python !== undefined && spawnSync(python, ['-c', 'import aiosmtpd']).status === 0,
  );

export async function start(parts = new Parts()) {
  const user = 'nobody';
  const folder = parts.folder('smtp', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const [backend, secure] = [await freePort(), await freePort()];
  const common = ['-m', 'aiosmtpd', '-n', '-d', '-c', 'aiosmtpd.handlers.Sink'];
  const run = (name, port, args) =>
    parts.program(name, find(), [...common, '-l', `127.0.0.1:${port}`, ...args], { folder, user });
  const plain = run('smtp', backend, ['--tlscert', certFile, '--tlskey', keyFile, '--no-requiretls']);
  await untilReady(plain, () => exchange(backend, '', beginsWith('220 ')));
  const smtps = run('smtps', secure, ['--smtpscert', certFile, '--smtpskey', keyFile]);
  await untilReady(smtps, () => greetsOverTls(secure));
  const sites = [await parts.sites(backend), await parts.sites(secure)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: countLines([plain, smtps], /handling connection/g),
    cert,
  });
}

function greetsOverTls(port) {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.on('error', () => resolve(false));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().startsWith('220 '));
    });
  });
}
