import { once } from 'node:events';
import mqtt from 'mqtt';
import { createDial } from 'netjail';

export const meta = {
  kind: 'messaging',
  client: 'mqtt',
  package: 'mqtt',
  versions: '5',
  way: 'dial',
  why: '`MqttClient` asks its first argument for a stream, at each connection. Of `connect(url)` that stream cannot be changed. With another `reconnectPeriod` it tries again for ever, what is denied too.',
  hop: 'none: a server reference of MQTT 5 is not followed',
  unguarded: '`mqtt.connect`, which makes its own streams.',
  denial: 'error',
};

export async function open(guard, { host, port, tls }) {
  // recipe
  const dial = createDial(guard);
  const stream = () => (tls ? dial.tls({ ...tls, host, port }) : dial({ host, port }));
  const client = new mqtt.MqttClient(stream, { reconnectPeriod: 0, protocolVersion: 4 });
  // end
  await once(client, 'connect').catch((error) => {
    client.end(true);
    throw error;
  });
  client.on('error', () => {});
  return {
    use: async () => {
      // At once: the message may come together with the answer to the subscription.
      const [[, message]] = await Promise.all([
        once(client, 'message'),
        client.subscribeAsync('$SYS/broker/version'),
      ]);
      return message.toString();
    },
    close: () => client.endAsync(true),
  };
}
