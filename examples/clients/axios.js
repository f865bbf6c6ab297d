import axios from 'axios';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'axios',
  package: 'axios',
  versions: '1',
  way: 'agent',
  why: 'It takes an agent for each protocol, for redirects too. `proxy: false` always: or it sends requests to the proxy that the environment names, those over TLS past the agents.',
  hop: 'redirects are judged',
  unguarded:
    'The `lookup` option: what it answers for a literal is not what is dialled. `httpVersion: 2` opens sessions without the agent, `socketPath` a Unix socket (denied), `transport` replaces the client. A proxy, of the environment or of the option `proxy`: for TLS targets it is asked by an agent of its own, for others through yours (names are denied then).',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const httpAgent = new HttpAgent(guard);
  const httpsAgent = new HttpsAgent(guard);
  const client = axios.create({ httpAgent, httpsAgent, proxy: false });
  // end
  return {
    use: async () => (await client.get(url)).data,
    close: () => [httpAgent, httpsAgent].forEach((agent) => agent.destroy()),
  };
}
