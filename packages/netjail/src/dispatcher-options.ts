// What the options of a dispatcher say of its connections, and those that would lead around the connector.
import { AROUND_THE_GATE } from './connect-options.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import { invalidOption, refuseOptions } from './options.ts';

/** Options that replace the connector or what is built around it. */
export const AROUND_THE_CONNECTOR: readonly string[] = [
  ...AROUND_THE_GATE,
  'factory',
  'clientFactory',
  'interceptors',
  'dispatcher',
  'tls',
  'uri',
  'proxyTls',
  'requestTls',
  'proxyTunnel',
  'useH2c',
  'host',
  'hostname',
  'port',
];

/** The path in `connect` is judged like those of other clients. */
const AROUND_THE_CONNECT_OPTIONS = AROUND_THE_GATE.filter((name) => name !== 'socketPath');

/** The protocols that are offered over TLS, in undici's order. */
export function readProtocols(allowH2: unknown, preferH2: unknown): readonly string[] {
  for (const [name, value] of Object.entries({ allowH2, preferH2 }))
    if (typeof value !== 'boolean') throw invalidOption(name, `it is true or false, not ${show(value)}`);
  if (allowH2 === false) return ['http/1.1'];
  return preferH2 === true ? ['h2', 'http/1.1'] : ['http/1.1', 'h2'];
}

/** The option `connect`: options for the socket, of which none leads around the gate. */
export function readConnect(connect: unknown): Record<string, unknown> {
  if (connect === undefined || connect === null) return {};
  if (!isRecord(connect))
    throw invalidOption(
      'connect',
      `it is an object of options, not ${show(connect)}: a connector of your own would replace the gate`,
    );
  const options = readOnce(connect) as Record<string, unknown>;
  refuseOptions(options, [
    ...AROUND_THE_CONNECT_OPTIONS,
    'host',
    'hostname',
    'port',
    'useH2c',
    'ALPNProtocols',
  ]);
  return options;
}

/** The one path that all connections go to, if there is one. */
export function readSocketPath(path: unknown): string | undefined {
  if (path === undefined || path === null) return undefined;
  if (typeof path !== 'string' || path === '')
    throw invalidOption(
      'connect.socketPath',
      `it is the path of a Unix socket or named pipe, not ${show(path)}`,
    );
  return path;
}
