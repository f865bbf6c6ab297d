// Three nodes that name each other at the allowed address; `announce(node, address)` has one of
// them named at another, as a node that was taken over might be. `nameByHost(node, name)` has the others
// named "?", as a node does that knows no name of them.
import { untilReady } from '../lib/probe.mjs';
import { Parts, service } from '../lib/service.mjs';
import { ALLOWED, DENIED, freePort } from '../lib/sites.mjs';
import { ask, startRedis } from './redis.mjs';

export { find, packages } from './redis.mjs';
export const title = 'Redis server';

const SLOTS = 16_384;

export async function start(parts = new Parts()) {
  const nodes = [];
  for (const index of [0, 1, 2]) {
    const folder = parts.folder('redis-cluster', 'redis');
    const [port, bus] = [await freePort(), await freePort()];
    const sites = await parts.sites(port);
    const { server } = await startRedis(parts, `redis-node-${index}`, folder, {
      bind: `${DENIED} ${ALLOWED}`,
      port,
      'cluster-enabled': 'yes',
      'cluster-port': bus,
      'cluster-announce-ip': ALLOWED,
      'cluster-announce-port': sites.port,
      'cluster-announce-bus-port': bus,
      'cluster-node-timeout': 5000,
    });
    nodes.push({ server, backend: port, bus, sites });
  }
  const share = Math.ceil(SLOTS / nodes.length);
  for (const [index, { backend }] of nodes.entries()) {
    const last = Math.min(SLOTS, (index + 1) * share) - 1;
    await ask(backend, `CLUSTER ADDSLOTSRANGE ${index * share} ${last}`);
  }
  for (const { sites, bus } of nodes.slice(1)) {
    await ask(nodes[0].backend, `CLUSTER MEET ${ALLOWED} ${sites.port} ${bus}`);
  }
  for (const { server, backend } of nodes) {
    await untilReady(server, async () => {
      const [info, slots] = [await ask(backend, 'CLUSTER INFO'), await ask(backend, 'CLUSTER SLOTS')];
      return (
        info.includes('cluster_state:ok') && nodes.every(({ sites }) => slots.includes(`:${sites.port}\r\n`))
      );
    });
  }
  return service(parts, {
    sites: nodes.map(({ sites }) => sites),
    /** Gives the slot of a key that has no value to another node. */
    async moveSlotOf(key, index) {
      const slot = /:(\d+)/.exec(await ask(nodes[0].backend, `CLUSTER KEYSLOT ${key}`))[1];
      const id = (await ask(nodes[index].backend, 'CLUSTER MYID')).split('\r\n')[1];
      // The new owner first: the others believe it.
      for (const { backend } of [nodes[index], ...nodes.toSpliced(index, 1)]) {
        await ask(backend, `CLUSTER SETSLOT ${slot} NODE ${id}`);
      }
    },
    /** Has a node named at this address, and waits until all nodes do. */
    async announce(index, address) {
      const { backend, sites } = nodes[index];
      await ask(backend, `CONFIG SET cluster-announce-ip ${address}`);
      const named = new RegExp(`${address.replaceAll('.', '\\.')}\\r\\n:${sites.port}\\r\\n`);
      for (const other of nodes) {
        await untilReady(other.server, async () => named.test(await ask(other.backend, 'CLUSTER SLOTS')));
      }
    },
    /** Has a node name itself by this host name, and the others, which have none, "?"; "" takes it back. */
    async nameByHost(index, name) {
      const { server, backend } = nodes[index];
      await ask(backend, `CONFIG SET cluster-announce-hostname ${name === '' ? '""' : name}`);
      await ask(backend, `CONFIG SET cluster-preferred-endpoint-type ${name === '' ? 'ip' : 'hostname'}`);
      await untilReady(
        server,
        async () => /\r\n\?\r\n/.test(await ask(backend, 'CLUSTER SLOTS')) === (name !== ''),
      );
    },
  });
}
