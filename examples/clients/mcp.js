import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'MCP TypeScript SDK, streamable HTTP',
  package: '@modelcontextprotocol/sdk',
  versions: '1',
  way: 'fetch',
  why: 'The transport takes a `fetch`, for the stream and for authorization too.',
  hop: "redirects are not followed to another origin; with `redirectPolicy: 'follow'` they are judged",
  unguarded: 'The functions of `client/auth.js` that are called without a `fetchFn`.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const fetch = createFetch(guard);
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch });
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
