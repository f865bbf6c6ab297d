import { Redis } from 'ioredis';
import { createRedisConnector } from 'netjail/db';

export const meta = {
  kind: 'database',
  client: 'ioredis, Sentinel',
  package: 'ioredis',
  versions: '5, 6',
  way: 'dial',
  why: 'Its own Sentinel connector opens sockets past every hook. So guarded clients ask Sentinel, and a guarded connector goes where the first of them that answers says, at each connection; it connects again where the role is another than `role`.',
  hop: 'what Sentinel answers is judged',
  unguarded: 'The option `sentinels`, which must not be used.',
  denial: 'error',
};

export async function open(guard, { host, port, name }) {
  const nodes = [{ host, port }];
  const options = { retryStrategy: null, lazyConnect: true };
  // recipe
  const Connector = createRedisConnector(guard);
  const sentinels = nodes.map((node) => new Redis({ ...node, Connector, ...options }));
  const toAddress = ([host, port]) => ({ host, port });
  const ask = (one) => one.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name).then(toAddress);
  const locate = () => Promise.any(sentinels.map(ask));
  const client = new Redis({ Connector: createRedisConnector(guard, locate), ...options });
  // end
  for (const each of [...sentinels, client]) each.on('error', () => {});
  const close = () => [...sentinels, client].forEach((each) => each.disconnect());
  await client.connect().catch((error) => {
    close();
    throw error;
  });
  return { use: () => client.info('server'), close };
}
