// What the HTTP clients of the recipes talk to: one server that speaks all of their protocols.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Server as SocketIo } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { Service } from './lab.ts';

export interface WebServiceOptions {
  /** The recipe whose client comes; two of them tell a stream from another only by this. */
  file: string;
  /** Redirects every request to this origin. */
  redirect?: string;
  /** Ends the connection with each answer. */
  once?: boolean;
  headers?: Record<string, string>;
}

/** Answers `hello from <address>` in the protocol of the client. */
export function webService({ file, redirect, once, headers = {} }: WebServiceOptions): Service {
  const webSockets = new WebSocketServer({ noServer: true });
  const streams = new Map<string, SSEServerTransport>();

  async function mcp(request: IncomingMessage, response: ServerResponse, hello: string): Promise<void> {
    if (request.method === 'GET' && file === 'mcp.js') return void response.writeHead(405).end();
    const server = new McpServer({ name: hello, version: '1.0.0' });
    if (file === 'mcp.js') {
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
      await server.connect(transport as never);
      return transport.handleRequest(request, response);
    }
    const id = new URL(request.url!, 'http://x').searchParams.get('sessionId');
    if (id !== null) return streams.get(id)!.handlePostMessage(request, response);
    const transport = new SSEServerTransport('/messages', response);
    streams.set(transport.sessionId, transport);
    await server.connect(transport);
  }

  /** What socket.io is bound to. It listens nowhere: what is for socket.io is handed on to it. */
  const http = createServer();
  let socketIo: SocketIo | undefined;
  const addresses = new WeakMap<IncomingMessage, string>();
  function toSocketIo(address: string, event: string, request: IncomingMessage, ...more: unknown[]): void {
    if (socketIo === undefined) {
      socketIo = new SocketIo(http, { serveClient: false });
      socketIo.on('connection', (socket) =>
        socket.emit('hello', `hello from ${addresses.get(socket.request)}`),
      );
    }
    addresses.set(request, address);
    http.emit(event, request, ...more);
  }

  return {
    close: () => socketIo?.close(),
    request(request, response, address) {
      const hello = `hello from ${address}`;
      // HTTP/2 has no such header.
      if (once && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      const accept = String(request.headers.accept);
      const json = (value: object, type = 'application/json'): void => {
        response.setHeader('content-type', type);
        response.end(JSON.stringify(value));
      };
      if (redirect !== undefined) {
        response.writeHead(307, { location: redirect + request.url }).end();
      } else if (file.startsWith('mcp')) {
        mcp(request, response, hello).catch(() => response.destroy());
      } else if (file.startsWith('eventsource')) {
        response.setHeader('content-type', 'text/event-stream');
        response.write(`data: ${hello}\n\n`);
      } else if (accept.includes('elasticsearch')) {
        response.setHeader('x-elastic-product', 'Elasticsearch');
        json(
          { name: hello, version: { number: '9.0.0' } },
          'application/vnd.elasticsearch+json;compatible-with=9',
        );
      } else if (String(request.headers['user-agent']).startsWith('opensearch-js')) {
        json({ name: hello });
      } else if (request.url!.startsWith('/models/')) {
        json({ id: hello, object: 'model' });
      } else if (request.url!.startsWith('/v1/customers/')) {
        json({ id: hello, object: 'customer' });
      } else if (request.url === '/auth.test') {
        json({ ok: true, user: hello });
      } else if (request.url!.startsWith('/socket.io/')) {
        toSocketIo(address, 'request', request, response);
      } else if (/^\/(?:redirect|hang)/.test(request.url!)) {
        return false;
      } else {
        response.setHeader('content-type', 'text/plain');
        response.end(hello);
      }
      return true;
    },
    upgrade(request, socket, head, address) {
      if (redirect !== undefined) {
        socket.end(
          `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${redirect}${request.url}\r\nConnection: close\r\n\r\n`,
        );
        return;
      }
      if (request.url!.startsWith('/socket.io/'))
        return toSocketIo(address, 'upgrade', request, socket, head);
      webSockets.handleUpgrade(request, socket, head, (client) => client.send(`hello from ${address}`));
    },
  };
}
