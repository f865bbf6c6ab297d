import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createDial } from 'netjail';

const require = createRequire(import.meta.url);
const { NatsConnectionImpl, setTransportFactory } = require('nats/lib/nats-base-client/internal_mod.js');
const { NodeTransport } = require('nats/lib/src/node_transport.js');

export const meta = {
  kind: 'messaging',
  client: 'nats',
  package: 'nats',
  versions: '2',
  way: 'dial',
  why: 'Its base client asks a transport factory, whose transport dials. The factory belongs to the process: connect by the base client, right after setting it, and without reconnecting.',
  hop: 'servers that a server names are judged',
  unguarded: 'A plain `connect()` of nats anywhere in the process puts the unguarded factory back, and connections that reconnect take that one.',
  denial: 'error',
};

export async function open(guard, { host, port, tls, ...options }) {
  const servers = `${host}:${port}`;
  const connected = async (socket) => (await once(socket, 'connect'), socket);
  const dialled = createDial(guard);
  // recipe
  class Guarded extends NodeTransport {
    dial = ({ hostname, port }) => connected(dialled({ host: hostname, port }));
    tlsFirst = async (to) => ((this.socket = await this.dial(to)), super.tlsFirst(to));
  }
  setTransportFactory({ factory: () => new Guarded() });
  // end
  const client = await NatsConnectionImpl.connect({ servers, tls, reconnect: false, ...options });
  return {
    client,
    use: async () => client.info.server_id,
    close: () => client.close(),
  };
}
