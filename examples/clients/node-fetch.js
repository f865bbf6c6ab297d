import fetch from 'node-fetch';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'node-fetch',
  package: 'node-fetch',
  versions: '2, 3',
  way: 'agent',
  why: 'It asks a function for the agent of each URL, redirects included.',
  hop: 'redirects are judged',
  denial: 'message',
};

export function open(guard, url, client = fetch) {
  // recipe
  const agents = { 'http:': new HttpAgent(guard), 'https:': new HttpsAgent(guard) };
  const send = () => client(url, { agent: ({ protocol }) => agents[protocol] });
  // end
  return {
    use: async () => (await send()).text(),
    close: () => Object.values(agents).forEach((agent) => agent.destroy()),
  };
}
