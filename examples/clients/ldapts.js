import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { Client } from 'ldapts';
import { createDial } from 'netjail';

export const meta = {
  kind: 'other',
  client: 'ldapts',
  package: 'ldapts',
  versions: '8.2, 9',
  way: 'dial',
  why: 'It asks `createConnection` and `createSecureConnection` for its sockets; for STARTTLS the latter gets options with the guarded socket instead of a port.',
  hop: 'referrals are handed to the caller, not followed',
  unguarded: 'Versions before these two hooks.',
  denial: 'error',
};

export async function open(guard, { host, port, user, password, tls }) {
  const url = `ldap${tls ? 's' : ''}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  // recipe
  const dial = createDial(guard);
  const to = (port, host) => ({ port, host: host.replace(/[[\]]/g, '') });
  const createConnection = (port, host) => dial(to(port, host));
  const secure = (port, host, tls) => (host ? dial.tls({ ...tls, ...to(port, host) }) : connect(port));
  const client = new Client({ url, tlsOptions: tls, createConnection, createSecureConnection: secure });
  // end
  await client.bind(user, password);
  return {
    client,
    use: async () => {
      const { searchEntries } = await client.search('', { scope: 'base', attributes: ['namingContexts'] });
      return String(searchEntries[0].namingContexts);
    },
    close: () => client.unbind(),
  };
}
