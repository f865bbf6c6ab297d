import { MongoClient } from 'mongodb';
import { createSocketOptions } from 'netjail/db';

export const meta = {
  kind: 'database',
  client: 'mongodb',
  package: 'mongodb',
  versions: '6, 7',
  way: 'options',
  why: 'It opens its sockets itself and takes a `lookup`. `directConnection` keeps it from the members of a replica set, which servers name as they like and for which no hook is asked. What is denied it tries again until `serverSelectionTimeoutMS` is over.',
  hop: 'members that a server names are not followed',
  unguarded:
    'Without `directConnection` members named by address pass every `lookup`. `mongodb+srv:` must not be used. Client-side encryption (`kmsConnectCallback`) and `MONGODB-OIDC` connect by themselves.',
  denial: 'error',
};

export async function open(guard, { host, port, tls }) {
  const more = { ...(tls && { tls: true, ca: tls.ca }) };
  // recipe
  const { host: to, port: at, lookup } = createSocketOptions(guard)(host, port);
  const url = `mongodb://${to.includes(':') ? `[${to}]` : to}:${at}`;
  const limits = { directConnection: true, serverSelectionTimeoutMS: 1500 };
  const client = new MongoClient(url, { lookup, ...limits, ...more });
  // end
  return {
    use: async () => (await client.db('admin').command({ buildInfo: 1 })).version,
    close: () => client.close(),
  };
}
