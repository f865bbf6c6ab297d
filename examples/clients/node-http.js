import http from 'node:http';
import https from 'node:https';
import { HttpAgent, HttpsAgent } from 'netjail/http';
import { bodyOf } from '../lib/body.js';

export const meta = {
  kind: 'http',
  client: 'node:http, node:https',
  versions: '20, 22, 24, 26',
  way: 'agent',
  why: 'A request asks its agent for a connection, at the call.',
  hop: 'redirects are not followed',
  unguarded: 'A request with `agent: false` or without `agent`, and every `createConnection` of its own.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const secure = new URL(url).protocol === 'https:';
  const agent = secure ? new HttpsAgent(guard) : new HttpAgent(guard);
  const send = () => (secure ? https : http).get(url, { agent });
  // end
  return {
    use: () =>
      new Promise((resolve, reject) =>
        send()
          .on('response', (response) => bodyOf(response).then(resolve, reject))
          .on('error', reject),
      ),
    close: () => agent.destroy(),
  };
}
