import { LogLevel, WebClient } from '@slack/web-api';
import { createFetch } from 'netjail/fetch';

export const meta = {
  kind: 'http',
  client: 'Slack Web API',
  package: '@slack/web-api',
  versions: '8',
  way: 'fetch',
  why: 'It takes a `fetch`. It retries what fails for half an hour, a denial too, unless `retryConfig` says otherwise. Give it `rules`: it queues its calls, and those that wait (behind `maxRequestConcurrency`, or when Slack says to wait) run in the context of another call.',
  hop: 'redirects are not followed',
  unguarded: 'Version 8 ignores the `agent` of version 7. IncomingWebhook takes a `fetch` of its own.',
  denial: 'error',
};

export function open(guard, url) {
  const more = { slackApiUrl: `${url}/`, logLevel: LogLevel.ERROR };
  // recipe
  const fetch = createFetch(guard);
  const client = new WebClient('token', { fetch, retryConfig: { retries: 0 }, ...more });
  // end
  return { use: async () => (await client.auth.test()).user, close: () => fetch.destroy() };
}
