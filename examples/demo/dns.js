// A small DNS server, and a resolver for netjail that asks it.

import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import packet from 'dns-packet';

/** @typedef {{ type: 'A' | 'AAAA' | 'CNAME', data: string }} RecordData */

const PARTNER = '127.0.0.2';
const INTERNAL = '127.0.0.1';

/**
 * The zone. A function is asked anew for each query: that is how a name rebinds.
 *
 * @returns {Record<string, (type: string) => RecordData[]>}
 */
function createZone() {
  let rebindQueries = 0;
  const a =
    (/** @type {string[]} */ ...addresses) =>
    () =>
      addresses.map((data) => ({ type: /** @type {const} */ ('A'), data }));
  return {
    'partner.example': a(PARTNER),
    'internal.example': a(INTERNAL),
    'mixed.example': a(PARTNER, INTERNAL),
    localhost: a(INTERNAL),
    // getaddrinfo reads this as an address, so a resolver may well answer it.
    '0x7f.1': a(INTERNAL),
    'mapped.example': () => [{ type: 'AAAA', data: `::ffff:${INTERNAL}` }],
    'alias.example': () => [{ type: 'CNAME', data: 'internal.example' }, ...a(INTERNAL)()],
    // The harmless address for whoever checks, the internal one for whoever connects afterwards.
    'rebind.example': (type) => {
      if (type === 'A') rebindQueries++;
      return a(rebindQueries <= 1 ? PARTNER : INTERNAL)();
    },
  };
}

/**
 * Starts the DNS server on a free UDP port of the loopback interface.
 *
 * @returns {Promise<{ port: number, queries: () => number, close: () => Promise<void> }>}
 */
export async function startDns() {
  const zone = createZone();
  let queries = 0;

  const socket = createSocket('udp4', (message, from) => {
    const query = packet.decode(message);
    const question = query.questions?.[0];
    if (question === undefined) return;
    queries++;
    const name = question.name.toLowerCase();
    const records = Object.hasOwn(zone, name) ? zone[name]?.(question.type) : undefined;
    const answers = (records ?? [])
      .filter((record) => record.type === question.type || record.type === 'CNAME')
      .map((record, index, all) => ({
        // What follows a CNAME belongs to the name it points to.
        name: index > 0 && all[0]?.type === 'CNAME' ? all[0].data : name,
        ttl: 0,
        ...record,
      }));
    const NXDOMAIN = 3;
    const reply = packet.encode({
      type: 'response',
      id: query.id,
      flags: packet.AUTHORITATIVE_ANSWER | (records === undefined ? NXDOMAIN : 0),
      questions: [question],
      answers: /** @type {packet.Answer[]} */ (answers),
    });
    socket.send(reply, from.port, from.address);
  });

  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    queries: () => queries,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/**
 * A netjail resolver that asks one DNS server and nobody else: no hosts file, no cache.
 *
 * @param {number} port
 * @returns {import('netjail').Resolver}
 */
export function createResolver(port) {
  const dns = new Resolver({ timeout: 1000, tries: 1 });
  dns.setServers([`127.0.0.1:${port}`]);
  return async (host, { family }) => {
    const lookups = [];
    if (family !== 6) lookups.push(dns.resolve4(host));
    if (family !== 4) lookups.push(dns.resolve6(host));
    const answers = await Promise.allSettled(lookups);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    const failed = answers.find((answer) => answer.status === 'rejected');
    throw failed?.reason ?? new Error(`${host} has no address`);
  };
}
