// The Node versions that the runtime tests have installed in .cache/runtimes (npm run test:runtimes).
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../.cache/runtimes', import.meta.url));

/** The binary of a version (`24`), where it is installed. */
export function nodeBinary(version) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const binary = `${cache}/${version}/node_modules/${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  return existsSync(binary) ? binary : undefined;
}

/** The binaries of all major versions that are installed. */
export function nodeBinaries() {
  const found = existsSync(cache) ? readdirSync(cache).filter((name) => /^\d+$/.test(name)) : [];
  return found.map(nodeBinary).filter((binary) => binary !== undefined);
}
