// Real servers on loopback that count what reaches them. 127.0.0.2 plays the allowed network,
// 127.0.0.1 the denied one; both have the same port, so that one URL differs by its host only.
import http from 'node:http';
import https from 'node:https';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import selfsigned from 'selfsigned';

export const ALLOWED = '127.0.0.2';
export const DENIED = '127.0.0.1';

export interface Site {
  connections: number;
  requests: {
    method: string | undefined;
    url: string;
    host: string | undefined;
    servername: string | false | null | undefined;
  }[];
  open: Set<Socket>;
  /** Called with each request; a redirect is answered once what it returns has settled. */
  onRequest?: (url: string) => Promise<unknown> | undefined;
}

export interface Lab {
  port: number;
  allowed: Site;
  denied: Site;
  /** `http://host:port/path` of the lab. */
  url(host: string, path?: string): string;
  /** Resolves once no connection is open any more on either site. */
  drained(): Promise<void>;
}

export type Kind = 'http' | 'https' | 'h2' | 'h2c';

/** Serves what the lab does not know itself: answers requests, or gives the server listeners. */
export interface Service {
  /** True when it has answered. */
  request?(request: http.IncomingMessage, response: http.ServerResponse, address: string): boolean;
  upgrade?(request: http.IncomingMessage, socket: Socket, head: Buffer, address: string): void;
  /** Called when the lab ends. */
  close?(): unknown;
}

let certificate: Promise<{ cert: string; private: string }> | undefined;

/** A self-signed certificate for name.test and 127.0.0.2, made when the tests run. */
export async function tlsCertificate(): Promise<{ cert: string; key: string }> {
  certificate ??= selfsigned.generate([{ name: 'commonName', value: 'name.test' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'name.test' },
          { type: 7, ip: ALLOWED },
        ],
      },
    ],
  } as never) as unknown as Promise<{ cert: string; private: string }>;
  const { cert, private: key } = await certificate;
  return { cert, key };
}

/** One for the name localhost and nothing else. */
export async function localhostCertificate(): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  } as never);
  return { cert, key };
}

/** The same port on both addresses: one that is free on the first may be in use on the second. */
async function listenOnBoth(servers: readonly net.Server[]): Promise<number> {
  for (let left = 10; ; left--) {
    let port = 0;
    try {
      for (const [i, server] of servers.entries()) {
        server.listen(port, [ALLOWED, DENIED][i]);
        await once(server, 'listening');
        ({ port } = server.address() as AddressInfo);
      }
      return port;
    } catch (error) {
      for (const server of servers) if (server.listening) await once(server.close(), 'close');
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || left === 0) throw error;
    }
  }
}

/** Starts both sites; they end with the test. */
export async function startLab(t: TestContext, kind: Kind = 'http', service: Service = {}): Promise<Lab> {
  const tls = kind === 'http' || kind === 'h2c' ? undefined : await tlsCertificate();
  const sites: Site[] = [];
  const servers: net.Server[] = [];
  for (const address of [ALLOWED, DENIED]) {
    const site: Site = { connections: 0, requests: [], open: new Set() };
    sites.push(site);
    const server = createServer(kind, tls);
    server.on('connection', (socket: Socket) => {
      site.connections++;
      site.open.add(socket);
      socket.on('close', () => {
        site.open.delete(socket);
        server.emit('netjail:closed');
      });
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    server.on('upgrade', (request, socket: Socket, head: Buffer) => {
      socket.on('error', () => {});
      if (service.upgrade) return service.upgrade(request, socket, head, address);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nupgraded');
    });
    server.on('connect', (_request, socket: Socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 200 Connection Established\r\n\r\ntunnel');
    });
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      const url = request.url ?? '';
      const host = request.headers.host ?? (request.headers[':authority'] as string | undefined);
      const { servername } = request.socket as { servername?: string };
      site.requests.push({ method: request.method, url, host, servername });
      if (service.request?.(request, response, address)) return;
      const to = /^\/redirect\?(.*)$/.exec(url)?.[1];
      if (to !== undefined) {
        Promise.resolve(site.onRequest?.(url)).finally(() =>
          response.writeHead(302, { location: decodeURIComponent(to) }).end(),
        );
      } else if (url === '/hang') {
        response.writeHead(200);
        response.write('begun');
        server.once('netjail:release', () => response.end(' ended'));
      } else {
        response.end(`hello from ${address}`);
      }
    });
    // What a client keeps is its own to close.
    if (server instanceof http.Server || server instanceof https.Server) server.keepAliveTimeout = 0;
    servers.push(server);
    releases.set(site, () => server.emit('netjail:release'));
    t.after(async () => {
      for (const socket of site.open) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }
  t.after(() => service.close?.());
  const port = await listenOnBoth(servers);
  const [allowed, denied] = sites as [Site, Site];
  return {
    port,
    allowed,
    denied,
    url: (host, path = '/') => `${tls === undefined ? 'http' : 'https'}://${host}:${port}${path}`,
    drained: async () => {
      while (allowed.open.size + denied.open.size > 0) {
        const [socket] = [...allowed.open, ...denied.open];
        await new Promise((resolve) => socket!.once('close', resolve));
      }
    },
  };
}

const releases = new WeakMap<Site, () => void>();

/** Lets the answers of `/hang` end. */
export function release(site: Site): void {
  releases.get(site)!();
}

function createServer(kind: Kind, tls: { cert: string; key: string } | undefined): net.Server {
  if (kind === 'http') return http.createServer();
  if (kind === 'h2c') return http2.createServer() as unknown as net.Server;
  if (kind === 'https') return https.createServer(tls!);
  return http2.createSecureServer({ ...tls!, allowHTTP1: true }) as unknown as net.Server;
}
