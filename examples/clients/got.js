import got from 'got';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'got',
  package: 'got',
  versions: '14, 16',
  way: 'agent',
  why: 'It takes an agent for each protocol, for redirects too.',
  hop: 'redirects are judged',
  unguarded:
    '`dnsLookup` and `dnsCache`: a literal passes them by. `http2: true` opens sessions without these agents, `request` replaces the client. Keep all three off.',
  denial: 'error',
};

export function open(guard, url, client = got) {
  // recipe
  const agent = { http: new HttpAgent(guard), https: new HttpsAgent(guard) };
  const guarded = client.extend({ agent });
  // end
  return {
    use: () => guarded(url).text(),
    close: () => Object.values(agent).forEach((one) => one.destroy()),
  };
}
