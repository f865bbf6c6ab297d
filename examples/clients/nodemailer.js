import { once } from 'node:events';
import { createDial } from 'netjail';
import { createTransport } from 'nodemailer';

export const meta = {
  kind: 'other',
  client: 'nodemailer',
  package: 'nodemailer',
  versions: '7 to 10',
  way: 'dial',
  why: 'It asks `getSocket` for a connected socket, in a pool too; STARTTLS and TLS are put on that, with the name of `host`. Its own `connectionTimeout` begins with the socket: until then that of the dial counts.',
  hop: 'none: it connects to its one host',
  unguarded:
    'Without `getSocket` it resolves names by itself. Attachments by `href` and `path` and OAuth2 tokens are fetched past it: `disableUrlAccess: true`, `disableFileAccess: true`.',
  denial: 'error',
};

export function open(guard, { host, port, tls, secure = tls !== undefined }) {
  const more = {
    secure,
    ignoreTLS: tls === undefined,
    requireTLS: tls !== undefined,
    tls,
    disableUrlAccess: true,
    disableFileAccess: true,
  };
  // recipe
  const dial = createDial({ connectTimeout: 10_000, ...guard });
  const connected = async (connection) => (await once(connection, 'connect'), { connection });
  const getSocket = (_options, done) =>
    connected(dial({ host, port })).then((socket) => done(null, socket), done);
  const client = createTransport({ host, port, getSocket, ...more });
  // end
  const message = { from: 'a@name.test', to: 'b@name.test', subject: 'hello', text: 'hello' };
  return {
    use: async () => (await client.sendMail(message)).response,
    close: () => client.close(),
  };
}
