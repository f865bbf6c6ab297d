// One small face for every adapter, so that one suite can be run through all of them.
// First: on Node 20 an undici that is loaded earlier hides the built-in one.
import { createFetch } from '../../src/fetch/index.ts';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { createDial } from '../../src/dial.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import type { Resolver } from '../../src/resolver.ts';
import type { Rules } from '../../src/rules.ts';
import { Dispatcher, type AgentClass } from '../../src/undici/index.ts';

export interface ClientOptions {
  rules?: Rules;
  resolver?: Resolver;
  answers?: 'any' | 'all';
  mode?: 'enforce' | 'report';
  maxPools?: number;
  ca?: string;
  /** One connection per origin and rule set. */
  single?: boolean;
  allowH2?: boolean;
  timeout?: number;
}

export interface Reply {
  status: number;
  body: string;
}

export interface Client {
  request(url: string, signal?: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
  destroy(): Promise<void>;
  closeIdle(): void;
}

export interface Adapter {
  name: string;
  /** Pools connections, so one may be used again. */
  pools: boolean;
  /** Follows redirects by itself. */
  redirects: boolean;
  h2: boolean;
  create(options: ClientOptions): Client;
}

const given = (options: ClientOptions): ClientOptions => {
  const { ca: _ca, single: _single, allowH2: _allowH2, timeout: _timeout, ...rest } = options;
  return rest;
};

const fetchAdapter: Adapter = {
  name: 'fetch',
  pools: true,
  redirects: true,
  h2: true,
  create(options) {
    const fetch = createFetch({
      ...given(options),
      ...(options.single ? { connections: 1 } : {}),
      ...(options.allowH2 ? { allowH2: true } : {}),
      connect: { ca: options.ca, timeout: options.timeout },
    });
    return {
      request: async (url, signal) => {
        const response = await fetch(url, signal === undefined ? undefined : { signal });
        return { status: response.status, body: await response.text() };
      },
      close: () => fetch.close(),
      destroy: () => fetch.destroy(),
      closeIdle: () => fetch.closeIdleConnections(),
    };
  },
};

type Undici = Pick<typeof undici7, 'request' | 'fetch' | 'Agent'>;

function undiciAdapter(name: string, undici: Undici): Adapter {
  return {
    name,
    pools: true,
    redirects: false,
    h2: true,
    create(options) {
      const dispatcher = new Dispatcher({
        Agent: undici.Agent as unknown as AgentClass,
        ...given(options),
        ...(options.single ? { connections: 1, pipelining: 4 } : {}),
        ...(options.allowH2 ? { allowH2: true } : {}),
        connect: { ca: options.ca, timeout: options.timeout },
      } as never);
      return {
        request: async (url, signal) => {
          const { statusCode, body } = await undici.request(url, { dispatcher: dispatcher as never, signal });
          return { status: statusCode, body: await body.text() };
        },
        close: () => dispatcher.close(),
        destroy: () => dispatcher.destroy(),
        closeIdle: () => dispatcher.closeIdleConnections(),
      };
    },
  };
}

const httpAdapter: Adapter = {
  name: 'HttpAgent/HttpsAgent',
  pools: true,
  redirects: false,
  h2: false,
  create(options) {
    const own = { ...given(options), keepAlive: true, ...(options.single ? { maxSockets: 1 } : {}) };
    const agent = new HttpAgent(own);
    const secure = new HttpsAgent({ ...own, ...(options.ca === undefined ? {} : { ca: options.ca }) });
    const both = (call: (one: HttpAgent | HttpsAgent) => void): void => [agent, secure].forEach(call);
    return {
      request: (url, signal) =>
        new Promise((resolve, reject) => {
          const isSecure = url.startsWith('https:');
          const timeout = options.timeout === undefined ? {} : { timeout: options.timeout };
          const request = (isSecure ? https : http).get(
            url,
            { agent: isSecure ? secure : agent, ...(signal ? { signal } : {}), ...timeout },
            (response) => {
              let body = '';
              response.setEncoding('utf8').on('data', (text: string) => (body += text));
              response.on('end', () => resolve({ status: response.statusCode!, body })).on('error', reject);
            },
          );
          request.on('error', reject).on('timeout', () => request.destroy(new Error('request timed out')));
        }),
      close: async () => both((one) => one.close()),
      destroy: async () => both((one) => one.destroy()),
      closeIdle: () => both((one) => one.closeIdleConnections()),
    };
  },
};

function dialAdapter(name: string, unconnected: boolean): Adapter {
  return {
    name,
    pools: false,
    redirects: false,
    h2: false,
    create(options) {
      const { maxPools: _maxPools, ...own } = given(options);
      const dial = createDial({
        ...own,
        ...(options.timeout === undefined ? {} : { connectTimeout: options.timeout }),
      });
      return {
        request: (text, signal) =>
          new Promise((resolve, reject) => {
            const url = new URL(text);
            const secure = url.protocol === 'https:';
            const target = {
              host: url.hostname.replace(/^\[|\]$/g, ''),
              port: Number(url.port || (secure ? 443 : 80)),
              ...(signal ? { signal } : {}),
            };
            let socket: Socket;
            if (secure)
              socket = dial.tls({ ...target, ...(options.ca === undefined ? {} : { ca: options.ca }) });
            else if (unconnected)
              socket = dial.socket(signal ? { signal } : {}).connect(target.port, target.host);
            else socket = dial(target);
            let reply = '';
            socket
              .setEncoding('utf8')
              .on('error', reject)
              .on('data', (data: string) => (reply += data));
            socket.on('end', () => {
              const [head, body] = reply.split('\r\n\r\n');
              resolve({ status: Number(head!.split(' ')[1]), body: body! });
            });
            socket.write(`GET ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`);
          }),
        close: async () => {},
        destroy: async () => {},
        closeIdle: () => {},
      };
    },
  };
}

export const adapters: Adapter[] = [
  fetchAdapter,
  undiciAdapter('undici 6', undici6 as unknown as Undici),
  undiciAdapter('undici 7', undici7),
  httpAdapter,
  dialAdapter('dial', false),
  dialAdapter('dial.socket', true),
];

// undici 8 needs Node 22: on Node 20 it does not load, and its rows are not there.
if (Number(process.versions.node.split('.')[0]) >= 22) {
  const undici8 = (await import('undici8')) as unknown as Undici;
  adapters.splice(3, 0, undiciAdapter('undici 8', undici8));
}
