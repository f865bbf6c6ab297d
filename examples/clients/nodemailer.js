import { createDial } from 'netjail';
import { createTransport } from 'nodemailer';

export const meta = {
  kind: 'other',
  client: 'nodemailer',
  package: 'nodemailer',
  versions: '7 to 10',
  way: 'dial',
  why: 'It asks `getSocket` for a socket, in a pool too; STARTTLS and TLS are put on that, with the name of `host`. Hand it out at once, since an error instead of a socket takes a place of the pool for ever before version 10. It takes the socket for connected: its `greetingTimeout` begins at once (in version 10 `connectionTimeout`, too), and `connectTimeout` of the dial counts as well. It writes its own `code` over that of an error.',
  hop: 'none: it connects to its one host',
  unguarded:
    'Without `getSocket` it resolves names by itself, and `proxy` puts another one in its place. Attachments by `href` and `path` and OAuth2 tokens are fetched past it: `disableUrlAccess: true`, `disableFileAccess: true`.',
  denial: 'error',
};

export function open(guard, { host, port, tls, secure = tls !== undefined, ...options }) {
  const more = {
    secure,
    ignoreTLS: tls === undefined,
    requireTLS: tls !== undefined,
    tls,
    disableUrlAccess: true,
    disableFileAccess: true,
    ...options,
  };
  // recipe
  const dial = createDial({ connectTimeout: 10_000, ...guard });
  const getSocket = (_options, done) => done(null, { connection: dial({ host, port }) });
  const client = createTransport({ ...more, host, port, getSocket, proxy: undefined });
  // end
  const message = { from: 'a@name.test', to: 'b@name.test', subject: 'hello', text: 'hello' };
  return {
    use: async () => (await client.sendMail(message)).response,
    close: () => client.close(),
  };
}
