import { underRulesOfCall } from '../context.ts';
import type { Rules } from '../rules.ts';

type Handler = Record<string, (...args: unknown[]) => unknown>;
type HandlerClass = new (handler: Handler, rules: Rules | undefined) => object;

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

const CALLBACKS = [...BOUND, ...FORWARDED];

/** A class for each set of callbacks: undici looks at which ones a handler has. */
const classes = new Map<number, HandlerClass>();

/**
 * A handler whose deciding callbacks run under the caller's rules. A pooled socket or a shared timer
 * calls back in the context of somebody else's request, and rules read there would be theirs.
 */
export function bindHandler(given: object, rules: Rules | undefined): object {
  if (typeof given !== 'object' || given === null) return given; // undici refuses it itself
  const handler = given as Handler;
  let present = 0;
  for (let i = 0; i < CALLBACKS.length; i++) {
    if (typeof handler[CALLBACKS[i]!] === 'function') present |= 1 << i;
  }
  let BoundHandler = classes.get(present);
  if (BoundHandler === undefined) classes.set(present, (BoundHandler = createClass(present)));
  return new BoundHandler(handler, rules);
}

function createClass(present: number): HandlerClass {
  class BoundHandler {
    readonly #handler: Handler;
    readonly #rules: Rules | undefined;

    constructor(handler: Handler, rules: Rules | undefined) {
      this.#handler = handler;
      this.#rules = rules;
    }

    static {
      CALLBACKS.forEach((name, i) => {
        if ((present & (1 << i)) === 0) return;
        const value = BOUND.includes(name)
          ? function (this: BoundHandler, ...args: unknown[]): unknown {
              return underRulesOfCall(this.#rules, call, this.#handler, name, args);
            }
          : function (this: BoundHandler, ...args: unknown[]): unknown {
              return this.#handler[name]!(...args);
            };
        Object.defineProperty(this.prototype, name, { value });
      });
    }
  }
  return BoundHandler;
}

function call(handler: Handler, name: string, args: unknown[]): unknown {
  return handler[name]!(...args);
}
