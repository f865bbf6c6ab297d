// What is said of a delivery, and to whom.
import { isIP } from 'node:net';
import { Rules } from 'netjail';
import { reasonOf } from '../lib/reason.js';

/** @typedef {import('./send.js').Outcome} Outcome */

/** What everybody may know of an address: it follows from the address alone, not from our rules. */
const KINDS = [
  ['loopback', 'an address of the sending machine itself'],
  ['private', 'an address of a private network'],
  ['link-local', 'a link-local address, where clouds keep their metadata'],
  ['special-purpose', 'an address that is reserved for special purposes'],
].map(([range, words]) => ({ rules: new Rules({ allow: [range] }), words }));

/**
 * For whoever typed the URL. It says nothing that they did not send: no address that a name was
 * found to have, no entry of the rules, no place that a redirect led to. A name that is denied and a
 * name that does not exist get the same words, since "denied" would tell that the name exists in a
 * network of ours.
 *
 * @param {URL} url
 * @param {Outcome} outcome
 */
export function explainToCaller(url, outcome) {
  if (outcome.kind === 'answered') {
    const delivered = outcome.status >= 200 && outcome.status < 300;
    return {
      verdict: delivered ? 'delivered' : 'answered',
      title: delivered ? 'Delivered' : 'Reached, not accepted',
      explanation: `The receiver answered with status ${outcome.status}.`,
    };
  }
  const host = hostOf(url);
  // Errors of a look-up, netjail's and Node's, have the name; those of a connection do not.
  const refusedHost = outcome.kind === 'denied' ? outcome.denied.host : outcome.error.hostname;
  if (refusedHost === undefined)
    return {
      verdict: 'unreachable',
      title: 'No answer',
      explanation: 'The receiver could not be reached, or did not answer in time.',
    };
  return { verdict: 'refused', title: 'Not sent', explanation: explainRefusal(host, refusedHost) };
}

function explainRefusal(host, refusedHost) {
  if (refusedHost !== host) return 'The receiver redirects to a place that webhooks are not sent to.';
  if (isIP(host) === 0)
    return `${host} does not lead to an address that webhooks are sent to. Check the name: it must be that of a public host.`;
  const kind = KINDS.find(({ rules }) => rules.accept(host))?.words ?? 'an address';
  return `${host} is ${kind}, and webhooks are not sent there.`;
}

/**
 * For the operator: what was judged, address by address, and which entry decided.
 *
 * @param {Rules} rules
 * @param {import('netjail').VerdictMessage[]} verdicts in the order in which they were made
 * @param {Outcome} outcome
 */
export function explainToOperator(rules, verdicts, outcome) {
  const steps = verdicts.map(({ allowed, host, port, address, carried, reason, entry }) => ({
    allowed,
    target: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    address: carried === undefined ? address : `${address} (carries ${carried})`,
    reason: reason ?? 'allowed',
    entry,
  }));
  const explanation = verdicts.map((verdict) => explainVerdict(rules, verdict)).join('\n');
  return { summary: summaryOf(outcome, verdicts.length), steps, explanation };
}

function summaryOf(outcome, judged) {
  switch (outcome.kind) {
    case 'answered': {
      const kept = judged === 0 ? ', over a connection that was judged before' : '';
      return `${outcome.finalUrl} answered ${outcome.status}${kept}`;
    }
    case 'denied':
      return reasonOf(outcome.denied);
    case 'failed':
      return reasonOf(outcome.error);
  }
  throw new Error(`unreachable outcome ${outcome.kind}`);
}

/** How the rules come to a verdict, in text: every reading of the address, and what matched it. */
function explainVerdict(rules, { host, port, address }) {
  if (address === undefined) return `${host} port ${port}: denied before it was looked up`;
  return String(rules.explain({ address, host, port }));
}

/** The host as netjail knows it: without the brackets that URLs put around IPv6 addresses. */
function hostOf(url) {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
