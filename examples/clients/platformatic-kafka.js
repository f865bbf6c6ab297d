import { Admin } from '@platformatic/kafka';

export const meta = {
  kind: 'messaging',
  client: '@platformatic/kafka',
  package: '@platformatic/kafka',
  versions: '1, 2',
  way: 'none',
  why: 'It makes its sockets itself and takes neither a socket nor a look-up, and it connects to every broker that a broker names. Use kafkajs.',
  hop: 'brokers that a broker names are connected to as they are',
};

/** There is nothing that could take the guard. */
export function open(_guard, { host, port }) {
  const client = new Admin({ clientId: 'netjail', bootstrapBrokers: [`${host}:${port}`], retries: 0 });
  client.on('error', () => {});
  return {
    use: async () => (await client.metadata({ topics: [] })).id,
    useBrokers: () => client.listGroups(),
    close: () => client.close(),
  };
}
