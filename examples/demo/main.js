// Delivers webhooks to URLs that customers chose. `npm run demo` at the root.

import { styleText } from 'node:util';
import { deniedError, Rules, withRules } from 'netjail';
import { createClients } from './clients.js';
import { listDeliveries } from './deliveries.js';
import { createResolver, startDns } from './dns.js';
import { startServices } from './servers.js';

/** @typedef {import('./deliveries.js').Delivery} Delivery */
/** @typedef {{ address: string, denial?: import('netjail').Denial, error?: unknown }} Outcome */

const rules = new Rules({
  allow: ['127.0.0.2/32'],
  block: ['127.0.0.1/32', '::1/128', '169.254.0.0/16'],
});

const services = await startServices();
const dns = await startDns();
const resolver = createResolver(dns.port);
const given = createClients({ rules, resolver });
const inEffect = createClients({ resolver });

const failures = /** @type {string[]} */ ([]);
const count = { delivered: 0, denied: 0 };

print(`Loopback plays the internet here: the partner is 127.0.0.2, the internal service 127.0.0.1,
on the same ports (HTTP ${services.http}, TCP echo ${services.echo}). A DNS server on UDP port ${dns.port} answers for *.example.

rules: ${rules}
`);

try {
  await checkWitness();
  const deliveries = listDeliveries(services);
  const width = Math.max(...deliveries.map(({ url }) => url.length));
  printRow('OUTCOME', ['HOW', 'URL', 'ADDRESS', 'REASON', 'ENTRY', 'NOTE'], width, 'bold');
  for (const delivery of deliveries) report(delivery, await deliver(delivery), width);
  summarise();
} finally {
  await given.close();
  await inEffect.close();
  await services.close();
  await dns.close();
}
process.exitCode = failures.length === 0 ? 0 : 1;

/** Shows that the witness sees: a plain fetch reaches the internal service and is counted. */
async function checkWitness() {
  const url = `http://127.0.0.1:${services.http}/admin`;
  const response = await fetch(url);
  await response.text();
  if (services.connections.internal === 0)
    failures.push('the internal service does not count its connections');
  print(
    `Without netjail, ${url} is reached: ${services.connections.internal} connection counted. From here on, with netjail:\n`,
  );
  services.connections.internal = 0;
}

/**
 * @param {Delivery} delivery
 * @returns {Promise<Outcome>}
 */
async function deliver({ how, url, rules: source = 'given' }) {
  const queries = dns.queries();
  try {
    const address = await send();
    return { address };
  } catch (error) {
    const denial = deniedError(error)?.denials[0];
    if (denial === undefined) return { address: '', error };
    const isSilent = denial.reason === 'no-rules' || denial.reason === 'host-not-allowed';
    if (isSilent && dns.queries() > queries) failures.push(`${how} ${url} was denied, but looked up before`);
    return { address: denial.address ?? '', denial };
  }

  function send() {
    switch (source) {
      case 'given':
        return given[how](url);
      case 'in effect':
        return withRules(rules, inEffect[how], url);
      case 'empty':
        return withRules(undefined, inEffect[how], url);
      case 'none':
        return inEffect[how](url);
    }
  }
}

/**
 * Prints one line, and notes what is not as expected.
 *
 * @param {Delivery} delivery
 * @param {Outcome} outcome
 * @param {number} width
 */
function report(delivery, { address, denial, error }, width) {
  const { how, url, note = '' } = delivery;
  const name = error !== undefined ? 'failed' : denial === undefined ? 'delivered' : 'denied';
  if (name === 'delivered') count.delivered++;
  if (name === 'denied') count.denied++;

  const isExpected =
    delivery.reason === undefined
      ? name === 'delivered' && address === delivery.address
      : name === 'denied' && denial?.reason === delivery.reason;
  const columns = [how, url, address, denial?.reason ?? '', denial?.entry ?? '', note];
  printRow(
    name,
    columns,
    width,
    !isExpected || name === 'failed' ? 'red' : name === 'delivered' ? 'green' : 'yellow',
  );
  if (isExpected) return;
  const wanted =
    delivery.reason === undefined ? `delivered by ${delivery.address}` : `denied as ${delivery.reason}`;
  failures.push(`${how} ${url} was not ${wanted}${error === undefined ? '' : `: ${error}`}`);
}

function summarise() {
  const { partner, internal } = services.connections;
  if (internal > 0) failures.push(`${internal} connections reached the internal service`);
  print(`
${count.delivered} delivered, ${count.denied} denied.
Connections accepted: partner ${partner}, internal service ${internal}. DNS queries answered: ${dns.queries()}.`);
  for (const failure of failures) print(paint(`FAILED: ${failure}`, 'red'));
  if (failures.length === 0)
    print('Every webhook went where it should, and nothing reached the internal service.');
}

/**
 * @param {string} outcome
 * @param {string[]} columns
 * @param {number} urlWidth
 * @param {'bold' | 'green' | 'yellow' | 'red'} style
 */
function printRow(outcome, columns, urlWidth, style) {
  const widths = [5, urlWidth, 15, 16, 14, 0];
  const cells = columns.map((column, index) => column.padEnd(widths[index] ?? 0));
  print(`${paint(outcome.padEnd(9), style)}  ${cells.join('  ')}`.trimEnd());
}

/** @param {string} text @param {'bold' | 'green' | 'yellow' | 'red'} style */
function paint(text, style) {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? styleText(style, text) : text;
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}
