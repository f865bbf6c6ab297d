import { mkdirSync, writeFileSync, chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'slapd';
export const packages = ['slapd'];
export const find = () => findProgram('slapd');

const user = 'openldap';

/** An anonymous bind, version 3. */
const BIND = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00]);

export async function start(parts = new Parts()) {
  const folder = parts.folder('slapd', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const data = join(folder, 'data');
  mkdirSync(data);
  const { uid, gid } = runAs(user);
  if (uid !== undefined) chownSync(data, uid, gid);
  const [backend, tls] = [await freePort(), await freePort()];
  const config = join(folder, 'slapd.conf');
  const modules = '/usr/lib/ldap';
  writeFileSync(
    config,
    [
      'include /etc/ldap/schema/core.schema',
      ...(existsSync(modules) ? [`modulepath ${modules}`, 'moduleload back_mdb'] : []),
      ...[`TLSCertificateFile ${certFile}`, `TLSCertificateKeyFile ${keyFile}`, `pidfile ${join(folder, 'pid')}`],
      ...['database mdb', 'suffix "dc=name,dc=test"', `directory ${data}`],
      ...['rootdn "cn=admin,dc=name,dc=test"', 'rootpw secret', ''],
    ].join('\n'),
  );
  const server = parts.program(
    'slapd',
    find(),
    ['-f', config, '-h', `ldap://127.0.0.1:${backend}/ ldaps://127.0.0.1:${tls}/`, '-d', 'stats'],
    { folder, user },
  );
  await untilReady(server, () =>
    exchange(backend, BIND, (answer) => (answer.length < 10 ? undefined : answer[5] === 0x61 && answer[9] === 0)),
  );
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: countLines(server, / ACCEPT from /g),
    user: 'cn=admin,dc=name,dc=test',
    password: 'secret',
    cert,
  });
}
