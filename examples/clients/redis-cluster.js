import { createSocketOptions } from 'netjail/db';
import { createCluster } from 'redis';

export const meta = {
  kind: 'database',
  client: 'redis (node-redis), cluster',
  package: 'redis',
  versions: '5, 6',
  way: 'options',
  why: 'It asks `nodeAddressMap` for the socket options of each node that a server names, MOVED and ASK included.',
  hop: 'what the nodes answer is judged',
  unguarded:
    'A `nodeAddressMap` that is an object: nodes that are not in it are connected to as they are named.',
  denial: 'event',
};

export async function open(guard, { host, port }) {
  // recipe
  const socketOptions = createSocketOptions(guard);
  const optionsOf = (node) => socketOptions(...node.split(/:(?=[^:]*$)/));
  const nodeAddressMap = (node) => ({ ...optionsOf(node), reconnectStrategy: false });
  const rootNodes = [{ socket: nodeAddressMap(`${host}:${port}`) }];
  const client = createCluster({ rootNodes, nodeAddressMap, defaults: { maintNotifications: 'disabled' } });
  // end
  client.on('error', () => {});
  await client.connect();
  return {
    use: async (key = 'key') => String(await client.set(key, 'value')),
    close: () => client.destroy(),
  };
}
