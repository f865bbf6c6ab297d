import { Client } from '@opensearch-project/opensearch';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'OpenSearch',
  package: '@opensearch-project/opensearch',
  versions: '3',
  way: 'agent',
  why: 'It asks a function for the agent of each node, of the nodes that it sniffs too. That is told its option `ssl`.',
  hop: 'redirects are not followed; nodes that the server advertises (sniffing) are judged',
  denial: 'message',
};

export function open(guard, url) {
  // recipe
  const agent = ({ url: node, ssl }) =>
    node.protocol === 'https:' ? new HttpsAgent({ ...ssl, ...guard }) : new HttpAgent(guard);
  const client = new Client({ node: url, agent, maxRetries: 0 });
  // end
  return { use: async () => (await client.info()).body.name, close: () => client.close(), client };
}
