import { Client, HttpConnection } from '@elastic/elasticsearch';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'Elasticsearch',
  package: '@elastic/elasticsearch',
  versions: '9',
  way: 'agent',
  why: 'With HttpConnection it asks a function for the agent of each node, of the nodes that it sniffs too. That is told its option `tls`.',
  hop: 'redirects are not followed; nodes that the server advertises (sniffing) are judged',
  unguarded:
    'Without `Connection: HttpConnection` it is built on undici, and requests through these agents fail.',
  denial: 'message',
};

export function open(guard, url) {
  // recipe
  const agent = ({ url, tls }) =>
    url.protocol === 'https:' ? new HttpsAgent({ ...tls, ...guard }) : new HttpAgent(guard);
  const client = new Client({ node: url, Connection: HttpConnection, agent, maxRetries: 0 });
  // end
  return { use: async () => (await client.info()).name, close: () => client.close(), client };
}
