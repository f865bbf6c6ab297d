import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'OpenSSH server';
export const packages = ['openssh-server'];
export const find = () => findProgram('sshd');

export async function start(parts = new Parts()) {
  const folder = parts.folder('sshd');
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')];
  for (const file of [hostKey, userKey]) {
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  }
  const backend = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      ...['ListenAddress 127.0.0.1', `Port ${backend}`, `HostKey ${hostKey}`, 'PidFile none', 'UsePAM no'],
      ...[`AuthorizedKeysFile ${userKey}.pub`, 'StrictModes no', 'PermitRootLogin prohibit-password'],
      ...['PasswordAuthentication no', 'LogLevel VERBOSE', 'ForceCommand echo hello', ''],
    ].join('\n'),
  );
  // The folder in which it locks itself up when it runs as root.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const server = parts.program('sshd', find(), ['-D', '-e', '-f', config], { folder });
  await untilReady(server, () => exchange(backend, '', beginsWith('SSH-2.0-')));
  return service(parts, {
    sites: [await parts.sites(backend)],
    serverSaw: countLines(server, /Connection from /g),
    user: userInfo().username,
    privateKey: readFileSync(userKey, 'utf8'),
  });
}
