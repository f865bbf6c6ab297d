// Three tenants, two upstream hosts, one shared fetch and one shared agent: who got through, and
// over which connection. `npm run example:tenants` at the root.
import { once } from 'node:events';
import { Rules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { HttpAgent, HttpsAgent } from 'netjail/http';
import { startSites } from '../lib/sites.js';
import { createApp } from './app.js';

// 127.0.0.2 and 127.0.0.3 play hosts of the tenants, 127.0.0.1 an internal service.
const house = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1', '169.254.0.0/16'] });
const tenants = new Map([
  ['key-of-acme', { name: 'acme', rules: new Rules({ allow: ['127.0.0.2'] }) }],
  ['key-of-globex', { name: 'globex', rules: new Rules({ allow: ['127.0.0.2', '127.0.0.3'] }) }],
  // Asks for everything; the house does not give it.
  ['key-of-hooli', { name: 'hooli', rules: new Rules({ allow: ['0.0.0.0/0', '::/0'] }) }],
]);

/** Says on which connection a request came: `#2, its 1st request`. */
const numbers = new WeakMap();
let connections = 0;
const upstream = (request, response) => {
  const { socket } = request;
  const seen = numbers.get(socket) ?? { connection: ++connections, requests: 0 };
  numbers.set(socket, seen);
  seen.requests++;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ connection: seen.connection, request: seen.requests }));
};
const sites = await startSites({ '127.0.0.2': upstream, '127.0.0.3': upstream, '127.0.0.1': upstream });

const guardedFetch = createFetch();
const httpAgent = new HttpAgent({ keepAlive: true });
const httpsAgent = new HttpsAgent({ keepAlive: true });
const app = createApp({
  tenants,
  house,
  fetch: guardedFetch,
  httpAgent,
  httpsAgent,
  log: ({ tenant, error }) => console.log(`           for the operator: ${tenant}: ${error}`),
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');

const owners = new Map();
const failures = [];
console.log(`house: ${house}`);
for (const { name, rules } of tenants.values()) console.log(`${name}: ${rules}`);

for (const client of ['fetch', 'axios']) {
  console.log(`\nwith the shared ${client}`);
  for (const round of [1, 2])
    for (const host of ['127.0.0.2', '127.0.0.3', '127.0.0.1'])
      for (const [key, { name }] of tenants) await relay(client, key, name, host, round);
}

/** One request of a tenant, in turn with those of the others. */
async function relay(client, key, name, host, round) {
  const url = `http://${host}:${sites.port}/`;
  const address = `http://127.0.0.1:${server.address().port}/relay?with=${client}&url=${encodeURIComponent(url)}`;
  const response = await fetch(address, { headers: { 'x-api-key': key } });
  const answer = await response.json();
  const expected = host !== '127.0.0.1' && !(name === 'acme' && host === '127.0.0.3');
  if (response.ok !== expected) failures.push(`${name} and ${host} in round ${round}`);
  if (!response.ok)
    return void console.log(`  ${name.padEnd(7)} ${host}  ${response.status} ${answer.error}`);
  const { connection, request } = JSON.parse(answer.body);
  console.log(`  ${name.padEnd(7)} ${host}  over connection ${connection}, request ${request} on it`);
  const owner = owners.get(connection) ?? name;
  owners.set(connection, owner);
  if (owner !== name) failures.push(`${name} got connection ${connection} of ${owner}`);
}

if (sites.connections['127.0.0.1'] > 0) failures.push('the internal service was reached');
console.log(`
${owners.size} connections, each of one tenant only; the internal service saw ${sites.connections['127.0.0.1']}.`);
for (const failure of failures) console.log(`FAILED: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;

server.close();
server.closeAllConnections();
httpAgent.destroy();
httpsAgent.destroy();
await guardedFetch.destroy();
await sites.close();
