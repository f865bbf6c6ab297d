// ClickHouse speaks HTTP: servers of the test's own answer as it does.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ALLOWED, DENIED, tlsCertificate } from '../helpers/lab.ts';
import { openSites, type Service } from '../helpers/services.ts';
import { contract, withService } from './contract.ts';

async function start(): Promise<Service> {
  const tls = await tlsCertificate();
  const servers = [createServer(), createSecureServer(tls)];
  const sites: Awaited<ReturnType<typeof openSites>>[] = [];
  for (const server of servers) {
    server.on('request', (request, response) => request.resume().on('end', () => response.end('24.8.1\n')));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    sites.push(await openSites({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }));
  }
  const sum = async (site: 'allowed' | 'denied'): Promise<number> =>
    (await sites[0]![site].connections()) + (await sites[1]![site].connections());
  return {
    host: ALLOWED,
    denied: DENIED,
    port: sites[0]!.port,
    tlsPort: sites[1]!.port,
    cert: tls.cert,
    sites,
    connections: async () => ({ allowed: await sum('allowed'), denied: await sum('denied') }),
    stop: async () => {
      for (const site of sites) await site.close();
      for (const server of servers) server.close();
    },
  };
}

withService(
  'clickhouse',
  (service) =>
    contract(service, {
      file: 'clickhouse.js',
      says: /^24\.8/,
      tls: ({ tlsPort }) => tlsPort!,
      mapped: '::ffff:7f00:1',
    }),
  start,
);
