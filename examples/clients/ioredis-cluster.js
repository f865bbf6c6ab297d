import { Cluster } from 'ioredis';
import { createRedisConnector } from 'netjail/db';

export const meta = {
  kind: 'database',
  client: 'ioredis, Cluster',
  package: 'ioredis',
  versions: '5, 6',
  way: 'none',
  why: 'A `Connector` in `redisOptions` guards the connections for commands, but a subscription gets one of its own, to any node that a server has named, and that one gets no connector. Use node-redis for clusters.',
  hop: 'the connection for subscriptions goes to nodes that no rule has seen',
};

/** What one might try; the tests show that it leaks. */
export function open(guard, { host, port }, options) {
  const redisOptions = { Connector: createRedisConnector(guard) };
  const client = new Cluster([{ host, port }], { redisOptions, clusterRetryStrategy: null, ...options });
  client.on('error', () => {});
  return {
    use: () => client.get('key'),
    subscribe: () => client.subscribe('channel'),
    close: () => client.disconnect(),
  };
}
