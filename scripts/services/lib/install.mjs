// Brings what is missing: Debian's packages where we may install them, the rest into the cache.
import { spawnSync } from 'node:child_process';
import { findProgram } from './process.mjs';

/** Installs what the servers lack; returns `{ name: why }` of those that cannot be had here. */
export async function installMissing(servers, say) {
  const missing = Object.entries(servers).filter(([, { find }]) => find() === undefined);
  const packages = [...new Set(missing.flatMap(([, server]) => server.packages))];
  if (packages.length > 0) installPackages(packages, say);
  const reasons = {};
  for (const [name, { find, install, packages: own, title }] of missing) {
    if (find() !== undefined) continue;
    let why = `its package ${own.join(', ')} is not installed`;
    if (install !== undefined) {
      say(`getting ${title} ...`);
      why = await install().catch((error) => error.message.split('\n')[0]);
    }
    if (find() === undefined) reasons[name] = why;
  }
  return reasons;
}

function installPackages(packages, say) {
  const apt = findProgram('apt-get');
  if (process.getuid?.() !== 0 || apt === undefined) {
    say(`cannot install ${packages.join(' ')}: that takes root and apt-get`);
    return;
  }
  say(`installing ${packages.join(' ')} ...`);
  // In run level 1 Debian does not start what it installs.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync(apt, ['-q', ...args], { env, encoding: 'utf8' });
    if (status !== 0) say(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
  }
}
