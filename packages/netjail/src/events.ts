import { channel } from 'node:diagnostics_channel';
import type { Reason, Verdict } from './verdict.ts';

/**
 * What is published on the `diagnostics_channel` named `netjail:verdict`, once for each verdict.
 * Nothing is made or published while nobody listens.
 */
export interface VerdictMessage {
  readonly allowed: boolean;
  /** What was asked for: a name or an address literal. */
  readonly host: string;
  readonly port: number | undefined;
  /** The address that was judged; absent when a name was denied before it was looked up. */
  readonly address: string | undefined;
  readonly reason: Reason | undefined;
  readonly entry: string | undefined;
  readonly carried: string | undefined;
  /** `report`: a denial was only reported, and the connection let through. */
  readonly mode: 'enforce' | 'report';
}

const verdicts = channel('netjail:verdict');

export function publishVerdict(
  verdict: Verdict,
  host: string,
  port: number | undefined,
  mode: 'enforce' | 'report',
): void {
  if (!verdicts.hasSubscribers) return;
  const { allowed, address, reason, entry, carried } = verdict;
  const message: VerdictMessage = { allowed, host, port, address, reason, entry, carried, mode };
  verdicts.publish(Object.freeze(message));
}

/** Whether an allowed verdict is worth making: it takes a search for the entry. */
export function verdictsAreWatched(): boolean {
  return verdicts.hasSubscribers;
}

/**
 * What is published on the `diagnostics_channel` named `netjail:policy`, whenever `watchPolicy`
 * has read a file that changed.
 */
export interface PolicyMessage {
  /** `loaded`: the rules are those of the file; `kept`: it is broken or missing, the last good ones stay. */
  readonly outcome: 'loaded' | 'kept';
  /** The file, as it was given to `watchPolicy`. */
  readonly source: string;
  /** The `id` of the rules from now on. */
  readonly id: string;
  /** The `id` of the rules that these replace; the same when the change says nothing new, absent at first. */
  readonly previous: string | undefined;
  /** What is wrong with the file; absent when it was loaded. */
  readonly error: Error | undefined;
}

const policies = channel('netjail:policy');

export function publishPolicy(message: PolicyMessage): void {
  if (policies.hasSubscribers) policies.publish(Object.freeze(message));
}
