import { once } from 'node:events';
import { createDial } from 'netjail';
import ssh2 from 'ssh2';

export const meta = {
  kind: 'other',
  client: 'ssh2',
  package: 'ssh2',
  versions: '1',
  way: 'dial',
  why: 'It takes a socket in `sock`.',
  hop: 'none: forwarding (`forwardOut`) connects on the server\'s side',
  unguarded: 'An `agent` is a Unix socket that it opens itself.',
  denial: 'error',
};

export async function open(guard, { host, port, user, privateKey }) {
  // recipe
  const dial = createDial(guard);
  const client = new ssh2.Client();
  client.connect({ sock: dial({ host, port }), username: user, privateKey });
  await once(client, 'ready');
  // end
  client.on('error', () => {});
  return {
    use: () =>
      new Promise((resolve, reject) => {
        client.exec('anything', (error, channel) => {
          if (error) reject(error);
          else channel.once('data', (bytes) => resolve(bytes.toString()));
        });
      }),
    close: () => client.end(),
  };
}
