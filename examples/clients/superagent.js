import superagent from 'superagent';
import { HttpAgent, HttpsAgent } from 'netjail/http';

export const meta = {
  kind: 'http',
  client: 'superagent',
  package: 'superagent',
  versions: '10',
  way: 'agent',
  why: 'It takes one agent for a request and its redirects; a redirect to the other protocol fails. A request begins when it is awaited: with `withRules`, do that inside.',
  hop: 'redirects are judged',
  unguarded: '`.lookup()`: a literal passes it by. `.http2()` opens a session without the agent.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const secure = new URL(url).protocol === 'https:';
  const agent = secure ? new HttpsAgent(guard) : new HttpAgent(guard);
  const send = () => superagent.get(url).agent(agent);
  // end
  return { use: async () => (await send().buffer(true)).text, close: () => agent.destroy() };
}
