import { once } from 'node:events';
import { createDial } from 'netjail';
import { Connection } from 'tedious';

export const meta = {
  kind: 'database',
  client: 'tedious, mssql',
  package: 'tedious',
  versions: '18, 19',
  way: 'dial',
  why: 'It asks `connector` for a connected socket, with the host and port, those that a server reroutes to included: dial what it is told, not what you began with. With mssql the same goes into `options`.',
  hop: 'the server that a server reroutes to (Azure SQL) is judged',
  unguarded:
    'An `instanceName` instead of a port is asked for by UDP. The `azure-active-directory-*` authentications send requests of their own. `connectTimeout` does not end the dial: give that its own.',
  denial: 'error',
};

export async function open(guard, { host, port, user: userName, password, encrypt = true }) {
  const authentication = { type: 'default', options: { userName, password } };
  // recipe
  const dial = createDial({ connectTimeout: 15_000, ...guard });
  const connected = async (socket) => (await once(socket, 'connect'), socket);
  const connector = (to) => connected(dial({ host: to.host, port: to.port, noDelay: true }));
  const client = new Connection({ server: host, authentication, options: { port, connector, encrypt } });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) => {
        client.on('infoMessage', ({ message }) => resolve(message));
        client.connect((error) => error && reject(error));
      }),
    close: () => client.close(),
  };
}
