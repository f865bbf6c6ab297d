import { isIP } from 'node:net';
import { Client } from 'ldapts';
import { createDial } from 'netjail';

export const meta = {
  kind: 'other',
  client: 'ldapts',
  package: 'ldapts',
  versions: '8.2, 9',
  way: 'dial',
  why: 'It asks `createConnection` and `createSecureConnection` for its sockets.',
  hop: 'referrals are handed to the caller, not followed',
  unguarded: 'Versions before these two hooks.',
  denial: 'error',
};

export async function open(guard, { host, port, user, password, tls }) {
  const url = `ldap${tls ? 's' : ''}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  // recipe
  const dial = createDial(guard);
  const createConnection = (port, host) => dial(port, host.replace(/[[\]]/g, ''));
  const createSecureConnection = (port, host, tls) => dial.tls({ ...tls, port, host: host.replace(/[[\]]/g, '') });
  const client = new Client({ url, tlsOptions: tls, createConnection, createSecureConnection });
  // end
  await client.bind(user, password);
  return {
    use: async () => {
      const { searchEntries } = await client.search('', { scope: 'base', attributes: ['namingContexts'] });
      return String(searchEntries[0].namingContexts);
    },
    close: () => client.unbind(),
  };
}
