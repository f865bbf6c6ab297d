type Handler = Record<string, ((...args: unknown[]) => unknown) | undefined>;
type Run = <R>(fn: (...args: unknown[]) => R, ...args: unknown[]) => R;

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
 * A handler whose deciding callbacks run in the caller's context. A pooled socket or a shared timer
 * calls back in the context of somebody else's request, and rules read there would be theirs.
 */
export function bindHandler(given: object, run: Run): object {
  if (typeof given !== 'object' || given === null) return given; // undici refuses it itself
  const handler = given as Handler;
  const bound: Handler = {};
  for (const name of BOUND) {
    if (typeof handler[name] === 'function')
      bound[name] = (...args) => run((...all) => handler[name]!(...all), ...args);
  }
  for (const name of FORWARDED) {
    if (typeof handler[name] === 'function') bound[name] = (...args) => handler[name]!(...args);
  }
  return bound;
}
