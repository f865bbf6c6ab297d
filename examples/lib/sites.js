// HTTP servers on loopback that play networks, for the demo runs: no example leaves the machine.
import { once } from 'node:events';
import http from 'node:http';

/**
 * Starts one server for each address, all at the same port: a URL that leads to the wrong address
 * leads to a server that answers. `connections` counts what each has accepted.
 *
 * @param {Record<string, http.RequestListener>} handlers by address
 */
export async function startSites(handlers) {
  for (let attempt = 1; ; attempt++) {
    const connections = Object.fromEntries(Object.keys(handlers).map((address) => [address, 0]));
    const servers = [];
    let port = 0;
    try {
      for (const [address, handler] of Object.entries(handlers)) {
        const server = http.createServer(handler);
        server.on('connection', () => connections[address]++);
        server.listen(port, address);
        await once(server, 'listening');
        servers.push(server);
        port = server.address().port;
      }
      return { port, connections, close: () => closeAll(servers) };
    } catch (error) {
      await closeAll(servers);
      // Somebody else has this port on another address: take another.
      if (error.code !== 'EADDRINUSE' || attempt === 20) throw error;
    }
  }
}

async function closeAll(servers) {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, 'close');
  }
}

/**
 * A resolver for netjail that knows the names of a table and no others.
 *
 * @param {Record<string, string[] | (() => string[])>} table
 * @returns {import('netjail').Resolver}
 */
export function resolverOf(table) {
  return async (host) => {
    const answer = Object.hasOwn(table, host) ? table[host] : undefined;
    if (answer === undefined)
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host });
    return typeof answer === 'function' ? answer() : answer;
  };
}
