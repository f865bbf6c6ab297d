import amqp from 'amqplib';
import { createSocketOptions } from 'netjail/db';

export const meta = {
  kind: 'messaging',
  client: 'amqplib',
  package: 'amqplib',
  versions: '0.10, 2',
  way: 'options',
  why: 'It opens its socket itself; the second argument of `connect` has options for it. With `recovery` it tries again for ever, what is denied too.',
  hop: 'none: it connects to its one host',
  unguarded: "A `lookup` of one's own, which is not called for an address.",
  denial: 'error',
};

export async function open(guard, { host, port, user, password, tls }) {
  const protocol = tls ? 'amqps' : 'amqp';
  const account = { username: user, password, protocol };
  // recipe
  const { host: hostname, port: to, lookup } = createSocketOptions(guard)(host, port);
  const client = await amqp.connect({ hostname, port: to, ...account }, { ...tls, lookup });
  // end
  client.on('error', () => {});
  return {
    use: async () => client.connection.serverProperties.product,
    close: () => client.close(),
  };
}
