// Two of them: one answers PASV with the allowed address, one with another denied address
// (clients replace 127.0.0.1 by the address of the control connection).
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { ALLOWED, CountingProxy, freePort } from '../lib/sites.mjs';

const ADVERTISED = '127.0.0.5';

export const title = 'vsftpd (it needs root)';
export const packages = ['vsftpd'];
export const find = () => (process.getuid?.() === 0 ? findProgram('vsftpd') : undefined);

export async function start(parts = new Parts()) {
  const folder = parts.folder('vsftpd');
  const { certFile, keyFile, cert } = await makeCertificate(folder);
  const [root, empty] = [join(folder, 'root'), join(folder, 'empty')];
  for (const each of [root, empty]) mkdirSync(each);
  writeFileSync(join(root, 'hello.txt'), 'hello');
  // The user of its sessions must come through to the root.
  chmodSync(folder, 0o711);

  const run = async (name, settings) => {
    // Data connections arrive where the control connection did, so it is the allowed address.
    const backend = await freePort(ALLOWED);
    const config = join(folder, `${name}.conf`);
    const all = {
      ...{ listen: 'YES', listen_address: ALLOWED, listen_port: backend, background: 'NO' },
      ...{ anonymous_enable: 'YES', no_anon_password: 'YES', anon_root: root, local_enable: 'NO' },
      ...{ secure_chroot_dir: empty, nopriv_user: 'nobody', seccomp_sandbox: 'NO', pasv_promiscuous: 'YES' },
      ...{ ssl_enable: 'YES', allow_anon_ssl: 'YES', require_ssl_reuse: 'NO', ssl_ciphers: 'HIGH' },
      ...{ rsa_cert_file: certFile, rsa_private_key_file: keyFile, ...settings },
    };
    writeFileSync(config, Object.entries(all).map(([key, value]) => `${key}=${value}\n`).join(''));
    const server = parts.program(name, find(), [config], { folder });
    await untilReady(server, () => exchange(backend, '', beginsWith('220 '), ALLOWED));
    return parts.sites(backend, ALLOWED);
  };
  const plain = await run('vsftpd', { pasv_address: ALLOWED });
  // The data port that is given out, with somebody at the address that is named, who counts.
  const dataPort = await freePort(ADVERTISED);
  const data = new CountingProxy({ host: ALLOWED, port: dataPort });
  await data.listen(ADVERTISED, dataPort);
  parts.closing(() => data.close());
  const advertising = await run('vsftpd-advertising', {
    pasv_address: ADVERTISED,
    pasv_min_port: dataPort,
    pasv_max_port: dataPort,
  });
  return service(parts, { sites: [plain, advertising], advertisingPort: advertising.port, advertised: ADVERTISED, data, cert });
}
