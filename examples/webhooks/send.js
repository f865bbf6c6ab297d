// Sends one event to a URL that a customer chose, through a guarded fetch.
import { createHmac, randomUUID } from 'node:crypto';
import { deniedError } from 'netjail';

/**
 * What became of a delivery. It holds everything, so it is for the operator: the customer gets what
 * explain.js makes of it.
 *
 * @typedef {{ kind: 'answered', status: number, finalUrl: string }
 *   | { kind: 'denied', denied: import('netjail').DeniedError }
 *   | { kind: 'failed', error: Error & { code?: string, hostname?: string } }} Outcome
 */

/**
 * @param {object} options
 * @param {import('netjail/fetch').GuardedFetch} options.fetch
 * @param {string} options.secret signs what is sent (https://www.standardwebhooks.com)
 * @param {number} [options.timeLimit] milliseconds for a delivery, redirects included
 */
export function createSender({ fetch, secret, timeLimit = 5000 }) {
  /** @returns {Promise<Outcome>} */
  return async function send(url, event) {
    const id = `msg_${randomUUID()}`;
    const timestamp = Math.floor(Date.now() / 1000);
    const body = JSON.stringify(event);
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': `v1,${signature}`,
        },
        signal: AbortSignal.timeout(timeLimit),
      });
      // Nobody reads what the other side says: shown to the customer it would be a way in.
      await response.body?.cancel();
      return { kind: 'answered', status: response.status, finalUrl: response.url };
    } catch (error) {
      const denied = deniedError(error);
      return denied === undefined
        ? { kind: 'failed', error: error.cause ?? error }
        : { kind: 'denied', denied };
    }
  };
}
