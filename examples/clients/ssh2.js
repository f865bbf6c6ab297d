import { once } from 'node:events';
import { createDial } from 'netjail';
import ssh2 from 'ssh2';

export const meta = {
  kind: 'other',
  client: 'ssh2',
  package: 'ssh2',
  versions: '1',
  way: 'dial',
  why: 'It takes a socket in `sock`. It throws for a key that it cannot read before it listens to that: so errors of the socket are listened to, and it is ended.',
  hop: "none: forwarding (`forwardOut`) connects on the server's side",
  unguarded: 'An `agent` is a Unix socket that it opens itself.',
  denial: 'error',
};

export async function open(guard, { host, port, user, privateKey }) {
  // recipe
  const client = new ssh2.Client();
  const sock = createDial(guard)({ host, port }).on('error', () => {});
  const login = async () => client.connect({ sock, username: user, privateKey });
  const fail = (error) => sock.destroy() && Promise.reject(error);
  await Promise.all([once(client, 'ready'), login()]).catch(fail);
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
