// Metrics and traces from netjail's verdicts: one subscription for the whole process.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { trace } from '@opentelemetry/api';

/**
 * Counts every verdict, and marks denials in the span that is active when they are made.
 *
 * The counter `netjail.verdicts` has attributes of few values only: `netjail.allowed`,
 * `netjail.reason`, `netjail.mode`. Hosts and addresses are many and chosen by others: they go to
 * the spans, not to the metrics.
 *
 * A verdict is made when the connection is: behind `maxSockets` the span that is active then can be
 * that of another request. The counter does not mind; for spans keep the limit above what you use.
 *
 * @param {import('@opentelemetry/api').Meter} meter
 * @returns {() => void} ends the subscription
 */
export function observeVerdicts(meter) {
  const verdicts = meter.createCounter('netjail.verdicts', {
    description: 'Addresses and names that were judged',
    unit: '{verdict}',
  });
  const observe = ({ allowed, reason, mode, host, port, address, entry }) => {
    verdicts.add(1, {
      'netjail.allowed': allowed,
      'netjail.mode': mode,
      ...(reason === undefined ? {} : { 'netjail.reason': reason }),
    });
    if (allowed) return;
    trace.getActiveSpan()?.addEvent('netjail.denied', {
      'netjail.reason': reason,
      'netjail.mode': mode,
      'server.address': host,
      ...(port === undefined ? {} : { 'server.port': port }),
      ...(address === undefined ? {} : { 'network.peer.address': address }),
      ...(entry === undefined ? {} : { 'netjail.entry': entry }),
    });
  };
  subscribe('netjail:verdict', observe);
  return () => void unsubscribe('netjail:verdict', observe);
}
