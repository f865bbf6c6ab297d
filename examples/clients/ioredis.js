import { Redis } from 'ioredis';
import { createRedisConnector } from 'netjail/db';

export const meta = {
  kind: 'database',
  client: 'ioredis',
  package: 'ioredis',
  versions: '5, 6',
  way: 'dial',
  why: 'It asks its `Connector` for each connection, those after a loss too.',
  hop: 'none: it connects to its one host',
  unguarded: '`sentinels` and `Cluster` have connectors of their own; see their rows.',
  denial: 'error',
};

export async function open(guard, { host, port, tls }) {
  const options = { retryStrategy: null, lazyConnect: true };
  // recipe
  const Connector = createRedisConnector(guard);
  const client = new Redis({ host, port, tls, Connector, ...options });
  // end
  // What ends an attempt is an event of ioredis; connect() says only that it was closed.
  let last;
  client.on('error', (error) => (last = error));
  await client.connect().catch((error) => {
    throw last ?? error;
  });
  return {
    use: () => client.info('server'),
    close: () => client.disconnect(),
  };
}
