// One Redis that Sentinel knows by two names: `allowed` at the allowed address, `denied` at the
// denied one. Clients ask Sentinel, and are told that address.
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { ALLOWED, DENIED, freePort } from '../lib/sites.mjs';
import { ask, startRedis } from './redis.mjs';

export const title = 'Redis Sentinel';
export const packages = ['redis-server', 'redis-sentinel'];
export const find = () => findProgram('redis-sentinel');

const user = 'redis';

export async function start(parts = new Parts()) {
  const folder = parts.folder('redis-sentinel', user);
  const { backend } = await startRedis(parts, 'redis', folder, {});
  const data = await parts.sites(backend);
  const port = await freePort();
  const config = join(folder, 'sentinel.conf');
  writeFileSync(
    config,
    [
      ...['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, 'protected-mode no'],
      `sentinel monitor allowed ${ALLOWED} ${data.port} 1`,
      `sentinel monitor denied ${DENIED} ${data.port} 1`,
    ].join('\n'),
  );
  const { uid, gid } = runAs(user);
  if (uid !== undefined) chownSync(config, uid, gid);
  const server = parts.program('redis-sentinel', find(), [config], { folder, user });
  await untilReady(server, () => exchange(port, 'PING\r\n', beginsWith('+PONG')));
  // Sentinel's own two connections to each name must stand before anybody counts.
  for (const proxy of [data.allowed, data.denied]) {
    await untilReady(server, async () => (await proxy.connections()) >= 2);
  }
  for (const name of ['allowed', 'denied']) {
    await untilReady(server, async () =>
      /flags\r\n\$6\r\nmaster\r\n/.test(await ask(port, `SENTINEL MASTER ${name}`)),
    );
  }
  return service(parts, { sites: [await parts.sites(port)], data });
}
