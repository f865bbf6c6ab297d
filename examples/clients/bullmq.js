import { Queue } from 'bullmq';
import { createRedisConnector } from 'netjail/db';

export const meta = {
  kind: 'messaging',
  client: 'BullMQ',
  package: 'bullmq',
  versions: '5, 6',
  way: 'dial',
  why: 'It makes its ioredis clients, the blocking ones too, of the options in `connection`, with their `Connector`. Give it `rules`.',
  hop: 'none: it connects to its one host',
  unguarded: 'What is so of ioredis. Without an `error` listener a Worker that is denied prints it only.',
  denial: 'error',
};

export function open(guard, { host, port, tls }) {
  // recipe
  const Connector = createRedisConnector(guard);
  const connection = { host, port, tls, Connector, retryStrategy: () => null };
  const queue = new Queue('queue', { connection });
  // end
  queue.on('error', () => {});
  return {
    use: async () => `job ${(await queue.add('job', {})).id}`,
    close: () => queue.close().catch(() => {}),
  };
}
