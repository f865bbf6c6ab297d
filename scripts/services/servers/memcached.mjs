import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'memcached';
export const packages = ['memcached'];
export const find = () => findProgram('memcached');

const user = 'memcache';

export async function start(parts = new Parts()) {
  const folder = parts.folder('memcached', user);
  const backend = await freePort();
  const server = parts.program('memcached', find(), ['-l', '127.0.0.1', '-p', backend, '-U', '0', '-vv'], {
    folder,
    user,
  });
  await untilReady(server, () => exchange(backend, 'version\r\n', beginsWith('VERSION ')));
  return service(parts, {
    sites: [await parts.sites(backend)],
    serverSaw: countLines(server, /new auto-negotiating client connection/g),
  });
}
