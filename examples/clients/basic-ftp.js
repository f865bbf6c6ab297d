import { Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { createDial } from 'netjail';

export const meta = {
  kind: 'other',
  client: 'basic-ftp',
  package: 'basic-ftp',
  versions: '5, 6',
  way: 'socket',
  why: 'It makes the sockets of control and data connections in `_newSocket`, an internal method that must be replaced before `access`, and makes one already in its constructor: `close` drops that.',
  hop: 'what PASV answers is judged',
  unguarded:
    "`secure: 'implicit'` opens a socket of its own, so it is refused. `_newSocket` is internal: another version may not ask it.",
  denial: 'error',
};

export async function open(guard, { host, port, tls, ...options }, clientOptions) {
  const more = { ...(tls && { secure: true, secureOptions: tls }), ...options };
  // recipe
  const dial = createDial(guard);
  const client = new Client(5000, clientOptions);
  client.ftp._newSocket = () => dial.socket();
  client.connectImplicitTLS = () => Promise.reject(new Error('implicit TLS is not guarded'));
  await client.access({ host, port, ...more });
  // end
  return {
    client,
    use: async () => {
      let text = '';
      const sink = new Writable({ write: (chunk, _encoding, done) => ((text += chunk), done()) });
      await client.downloadTo(sink, 'hello.txt');
      return text;
    },
    close: () => client.close(),
  };
}
