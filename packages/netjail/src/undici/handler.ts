import { underRulesOfCall } from '../context.ts';
import type { Rules } from '../rules.ts';

type Handler = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Callbacks from which an interceptor may dispatch again: a retry, a redirect. */
const BOUND = ['onError', 'onHeaders', 'onComplete', 'onResponseStart', 'onResponseEnd', 'onResponseError'];

const FORWARDED = [
  'onConnect',
  'onUpgrade',
  'onResponseStarted',
  'onData',
  'onBodySent',
  'onRequestSent',
  'onRequestStart',
  'onRequestUpgrade',
  'onResponseData',
];

/**
 * A handler whose deciding callbacks run under the caller's rules. A pooled socket or a shared timer
 * calls back in the context of somebody else's request, and rules read there would be theirs.
 */
export function bindHandler(given: object, rules: Rules | undefined): object {
  if (typeof given !== 'object' || given === null) return given; // undici refuses it itself
  const handler = given as Handler;
  const bound: Handler = {};
  for (const name of BOUND) {
    if (typeof handler[name] === 'function')
      bound[name] = (...args) => underRulesOfCall(rules, (...all) => handler[name]!(...all), ...args);
  }
  for (const name of FORWARDED) {
    if (typeof handler[name] === 'function') bound[name] = (...args) => handler[name]!(...args);
  }
  return bound;
}
