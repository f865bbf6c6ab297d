import { once } from 'node:events';
import { NatsConnectionImpl, setTransportFactory } from 'nats/lib/nats-base-client/internal_mod.js';
import { NodeTransport } from 'nats/lib/src/node_transport.js';
import { createDial } from 'netjail';

export const meta = {
  kind: 'messaging',
  client: 'nats',
  package: 'nats',
  versions: '2',
  way: 'dial',
  why: 'Its base client asks a transport factory, whose transport dials. The factory belongs to the process: connect by the base client, right after setting it, and without reconnecting. Where its own `timeout` ends first, the socket waits for that of the dial.',
  hop: 'servers that a server names are judged',
  unguarded:
    'A plain `connect()` of nats anywhere in the process puts the unguarded factory back, and connections that reconnect take that one. `tls: { handshakeFirst: true }` opens a socket of its own, so `tlsFirst` refuses.',
  denial: 'error',
};

export async function open(guard, { host, port, tls, ...options }) {
  const servers = `${host}:${port}`;
  const tlsFirst = () => Promise.reject(new Error('handshakeFirst has no guarded form here'));
  // recipe
  const dial = createDial({ connectTimeout: 10_000, ...guard });
  const connected = async (socket) => (await once(socket, 'connect'), socket.setNoDelay());
  const own = { dial: ({ hostname, port }) => connected(dial({ host: hostname, port })), tlsFirst };
  setTransportFactory({ factory: () => Object.assign(new NodeTransport(), own) });
  const client = await NatsConnectionImpl.connect({ servers, tls, reconnect: false, ...options });
  // end
  return {
    client,
    use: async () => client.info.server_id,
    close: () => client.close(),
  };
}
