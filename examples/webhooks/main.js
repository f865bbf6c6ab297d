// Serves the page until Ctrl-C. `npm run example:webhooks` at the root; `-- --internet` for real hosts.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Rules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { resolverOf, startSites } from '../lib/sites.js';
import { createApp } from './app.js';

const { values: flags } = parseArgs({ options: { internet: { type: 'boolean' } } });
const setting = flags.internet ? internet() : await loopback();

const fetch = createFetch({ rules: setting.rules, ...setting.options });
const password = process.env.OPERATOR_PASSWORD ?? randomBytes(9).toString('base64url');
const app = createApp({
  fetch,
  rules: setting.rules,
  secret: randomBytes(24).toString('base64'),
  operatorPassword: password,
  examples: setting.examples,
});
const page = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
console.log(`rules: ${setting.rules}
For customers:    ${page}/
For the operator: ${page}/operator (user operator, password ${password})
Ctrl-C ends it.`);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await app.close();
await fetch.destroy();
await setting.close();

/** Any public host, found by the system's resolver. */
function internet() {
  return {
    rules: new Rules({ allow: ['public'] }),
    options: {},
    examples: [
      { label: 'A public host', url: 'https://example.com/' },
      { label: 'Cloud metadata', url: 'http://169.254.169.254/latest/meta-data/' },
      { label: 'This machine', url: 'http://localhost:8080/' },
      { label: 'NAT64 of 10.0.0.1', url: 'http://[64:ff9b::10.0.0.1]/' },
    ],
    close: () => {},
  };
}

/** Servers of our own play both networks: the customers' is 127.0.0.2, ours is 127.0.0.1. */
async function loopback() {
  const sites = await startSites({
    '127.0.0.2': (request, response) => {
      if (request.url === '/moved')
        return response.writeHead(307, { location: `http://127.0.0.1:${sites.port}/admin` }).end();
      response.writeHead(request.url === '/missing' ? 404 : 204).end();
    },
    '127.0.0.1': (_request, response) => response.end('internal'),
  });
  const { port } = sites;
  return {
    rules: new Rules({ allow: ['127.0.0.2'], block: ['127.0.0.1', '::1', '169.254.0.0/16'] }),
    options: {
      resolver: resolverOf({
        'customer.example': ['127.0.0.2'],
        'intranet.example': ['127.0.0.1'],
      }),
    },
    examples: [
      { label: 'A customer', url: `http://customer.example:${port}/hook` },
      { label: 'A wrong path', url: `http://customer.example:${port}/missing` },
      { label: 'This machine', url: `http://127.0.0.1:${port}/admin` },
      { label: 'An internal name', url: `http://intranet.example:${port}/admin` },
      { label: 'A redirect inside', url: `http://customer.example:${port}/moved` },
      { label: 'Cloud metadata', url: 'http://169.254.169.254/latest/meta-data/' },
      { label: 'IPv4 in IPv6', url: `http://[::ffff:127.0.0.1]:${port}/` },
    ],
    close: async () => {
      console.log(
        `Connections: customers ${sites.connections['127.0.0.2']}, internal ${sites.connections['127.0.0.1']}.`,
      );
      await sites.close();
    },
  };
}
