// The two services: the partner, which must be reached, and the internal one, which must not.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const PARTNER = '127.0.0.2';
export const INTERNAL = '127.0.0.1';

/**
 * @typedef {object} Services
 * @property {number} http The port of both HTTP servers.
 * @property {number} echo The port of both TCP echo servers.
 * @property {string} path The internal service once more, on a Unix socket.
 * @property {{ partner: number, internal: number }} connections Accepted so far: the witness.
 * @property {() => Promise<void>} close
 */

/**
 * Starts everything. Partner and internal service have the same port numbers: a URL that leads to
 * the wrong address leads to a server that answers, not to a closed port.
 *
 * @returns {Promise<Services>}
 */
export async function startServices() {
  const connections = { partner: 0, internal: 0 };
  /** @type {net.Server[]} */
  const servers = [];
  const directory = await mkdtemp(join(tmpdir(), 'netjail-demo-'));
  const path =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\netjail-demo-${process.pid}`
      : join(directory, 'internal.sock');

  /** @type {(server: net.Server, owner: 'partner' | 'internal', where: net.ListenOptions) => Promise<number>} */
  const start = async (server, owner, where) => {
    server.on('connection', () => connections[owner]++);
    server.listen(where);
    await once(server, 'listening');
    servers.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };

  /** @type {(create: (owner: 'partner' | 'internal') => net.Server) => Promise<number>} */
  const startPair = async (create) => {
    for (let attempt = 1; ; attempt++) {
      const port = await start(create('partner'), 'partner', { host: PARTNER, port: 0 });
      try {
        await start(create('internal'), 'internal', { host: INTERNAL, port });
        await start(create('internal'), 'internal', { host: '::1', port, ipv6Only: true }).catch(
          ignoreMissingIPv6,
        );
        return port;
      } catch (error) {
        // Somebody else has this port on the other address: take another.
        if (!hasCode(error, 'EADDRINUSE') || attempt === 20) throw error;
      }
    }
  };

  const httpPort = await startPair(createHttpServer);
  const echoPort = await startPair(createEchoServer);
  await start(createHttpServer('internal'), 'internal', { path });

  return {
    http: httpPort,
    echo: echoPort,
    path,
    connections,
    close: async () => {
      await Promise.all(servers.map(stop));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Answers who it is; the partner redirects as well, to wherever a redirect can do harm.
 *
 * @param {'partner' | 'internal'} owner
 */
function createHttpServer(owner) {
  return http.createServer((request, response) => {
    // Each delivery makes a new connection and so a new look-up; a kept one would hide a rebinding.
    response.setHeader('connection', 'close');
    const port = request.socket.localPort;
    /** @type {Record<string, string>} */
    const redirects = {
      '/to/partner': `http://${PARTNER}:${port}/hook`,
      '/to/literal': `http://${INTERNAL}:${port}/admin`,
      '/to/name': `http://internal.example:${port}/admin`,
      '/to/hex': `http://0x7f.1:${port}/admin`,
      '/hops/3': '/hops/2',
      '/hops/2': `http://mixed.example:${port}/hops/1`,
      '/hops/1': '/to/literal',
      '/hops/name': '/to/name',
    };
    const location = owner === 'partner' ? redirects[request.url ?? ''] : undefined;
    if (location !== undefined) {
      response.writeHead(302, { location }).end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ owner, address: request.socket.localAddress }));
  });
}

/** Sends back what it gets. */
function createEchoServer() {
  return net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
}

/** @param {net.Server} server */
async function stop(server) {
  server.close();
  if (server instanceof http.Server) server.closeAllConnections();
  await once(server, 'close');
}

/** @param {unknown} error @param {string} code */
function hasCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** A machine without IPv6 runs the demo too: there [::1] is only a denied address. @param {unknown} error */
function ignoreMissingIPv6(error) {
  if (!hasCode(error, 'EADDRNOTAVAIL') && !hasCode(error, 'EAFNOSUPPORT')) throw error;
  return 0;
}
