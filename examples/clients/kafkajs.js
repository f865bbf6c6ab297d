import { Kafka, logLevel } from 'kafkajs';
import { createDial } from 'netjail';

export const meta = {
  kind: 'messaging',
  client: 'kafkajs',
  package: 'kafkajs',
  versions: '2',
  way: 'dial',
  why: 'It asks `socketFactory` for each connection, those to brokers that a broker names included. What is denied it tries again as often as `retries` says.',
  hop: 'brokers that a broker names are judged',
  denial: 'message',
};

export async function open(guard, { host, port }) {
  const more = { logLevel: logLevel.NOTHING };
  // recipe
  const dial = createDial(guard);
  const open = (to, ssl, done) => (ssl ? dial.tls({ ...ssl, ...to }, done) : dial(to, done));
  const socketFactory = ({ host, port, ssl, onConnect }) =>
    open({ host, port }, ssl, onConnect).setKeepAlive(true, 60_000);
  const kafka = new Kafka({ brokers: [`${host}:${port}`], socketFactory, retry: { retries: 0 }, ...more });
  // end
  const admin = kafka.admin();
  await admin.connect();
  return {
    use: async () => (await admin.describeCluster()).clusterId,
    close: () => admin.disconnect(),
  };
}
