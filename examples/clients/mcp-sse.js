import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'MCP TypeScript SDK, SSE',
  package: '@modelcontextprotocol/sdk',
  versions: '1',
  way: 'fetch',
  why: 'The transport takes a `fetch`, for the stream and for the messages. It connects again after a denial until it is closed.',
  hop: "redirects are not followed to another origin; with `redirectPolicy: 'follow'` they are judged",
  unguarded: 'An `eventSourceInit.fetch` of its own would open the stream.',
  denial: 'message',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const transport = new SSEClientTransport(new URL(url), { fetch });
  const client = new Client({ name: 'example', version: '1.0.0' });
  const connect = () => client.connect(transport);
  // end
  return {
    use: async () => {
      try {
        await connect();
        return client.getServerVersion().name;
      } finally {
        await client.close();
      }
    },
    close: () => fetch.destroy(),
  };
}
