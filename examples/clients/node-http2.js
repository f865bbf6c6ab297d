import http2 from 'node:http2';
import { createDial } from 'netjail';
import { bodyOf } from '../lib/body.js';

export const meta = {
  kind: 'http',
  client: 'node:http2',
  versions: '20, 22, 24, 26',
  way: 'dial',
  why: '`createConnection` returns the socket of the session; `lookup` is never asked for an address.',
  hop: 'redirects are not followed',
  unguarded: 'The `lookup` option: a literal passes it by.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const dial = createDial(guard);
  const { protocol, hostname, port } = new URL(url);
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: +port || (protocol === 'http:' ? 80 : 443) };
  const connect = () => (protocol === 'http:' ? dial(to) : dial.tls({ ...to, ALPNProtocols: ['h2'] }));
  const session = http2.connect(url, { createConnection: connect });
  // end
  const failed = new Promise((_resolve, reject) => session.on('error', reject));
  failed.catch(() => {});
  return {
    use: () => {
      const stream = session.request({ ':path': '/' });
      return Promise.race([failed, bodyOf(stream)]);
    },
    close: () => session.destroy(),
  };
}
