import { Redis } from 'ioredis';
import { createRedisConnector } from 'netjail/db';

export const meta = {
  kind: 'database',
  client: 'ioredis, Sentinel',
  package: 'ioredis',
  versions: '5, 6',
  way: 'dial',
  why: 'Its own Sentinel connector opens sockets past every hook. So a guarded client asks Sentinel, and a guarded connector goes where Sentinel says, at each connection.',
  hop: 'what Sentinel answers is judged',
  unguarded: 'The option `sentinels`, which must not be used.',
  denial: 'error',
};

export async function open(guard, { host, port, name }) {
  const options = { retryStrategy: null, lazyConnect: true };
  // recipe
  const sentinel = new Redis({ host, port, Connector: createRedisConnector(guard), ...options });
  const ask = () => sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
  const locate = async () => Object.fromEntries((await ask()).map((value, i) => [['host', 'port'][i], value]));
  const client = new Redis({ Connector: createRedisConnector(guard, locate), ...options });
  // end
  for (const each of [sentinel, client]) each.on('error', () => {});
  const close = () => [sentinel, client].forEach((each) => each.disconnect());
  await client.connect().catch((error) => {
    close();
    throw error;
  });
  return { use: () => client.info('server'), close };
}
