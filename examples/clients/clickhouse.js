import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'database',
  client: 'ClickHouse',
  package: '@clickhouse/client',
  versions: '1',
  way: 'agent',
  why: 'It takes an agent for its one URL. What TLS is to do the agent must be told: `tls` of the client does not count then.',
  hop: 'none: it connects to its one host',
  denial: 'error',
};

export function open(guard, { host, port, tls }) {
  const url = `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const more = { log: { level: ClickHouseLogLevel.OFF } };
  // recipe
  const http_agent = tls ? new HttpsAgent({ ...tls, ...guard }) : new HttpAgent(guard);
  const client = createClient({ url, http_agent, ...more });
  // end
  return {
    use: async () => (await client.query({ query: 'SELECT 1', format: 'CSV' })).text(),
    close: () => client.close(),
  };
}
