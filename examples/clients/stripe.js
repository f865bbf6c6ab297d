import { HttpAgent, HttpsAgent } from 'netjail/http';
import Stripe from 'stripe';

export const meta = {
  kind: 'http',
  client: 'Stripe',
  package: 'stripe',
  versions: '18 to 23',
  way: 'agent',
  why: 'It takes an agent. It retries what fails, a denial too, unless `maxNetworkRetries` says otherwise. In the recipe `to` is a server that stands in for the one of Stripe.',
  hop: 'redirects are not followed',
  denial: 'error',
};

export function open(guard, url) {
  const { protocol, hostname, port } = new URL(url);
  const to = { protocol: protocol.slice(0, -1), host: hostname.replace(/^\[|\]$/g, ''), port };
  // recipe
  const httpAgent = to.protocol === 'http' ? new HttpAgent(guard) : new HttpsAgent(guard);
  const client = new Stripe('key', { ...to, httpAgent, maxNetworkRetries: 0 });
  // end
  return { use: async () => (await client.customers.retrieve('x')).id, close: () => httpAgent.destroy() };
}
