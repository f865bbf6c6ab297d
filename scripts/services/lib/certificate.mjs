// A certificate for name.test and 127.0.0.2, made by openssl when a server starts.
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAs, runProgram } from './process.mjs';
import { ALLOWED } from './sites.mjs';

/** Writes it into the folder, readable by the user: `{ certFile, keyFile, cert }`. */
export async function makeCertificate(folder, user) {
  const certFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  await runProgram('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=name.test'],
    ...['-addext', `subjectAltName=DNS:name.test,IP:${ALLOWED}`],
    ...['-keyout', keyFile, '-out', certFile],
  ]);
  chmodSync(keyFile, 0o600);
  const { uid, gid } = runAs(user);
  if (uid !== undefined) for (const file of [certFile, keyFile]) chownSync(file, uid, gid);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8') };
}
