import { rulesInEffect, underRulesOfCall } from '../context.ts';
import type { Rules } from '../rules.ts';

type Callback = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown;
type Handler = Record<string, Callback | undefined>;
type HandlerClass = new (handler: Handler, rules: Rules | undefined) => object;

/** The callbacks in the order of the bits of {@link callbacksOf}. */
const NAMES = [
  'onConnect',
  'onUpgrade',
  'onResponseStarted',
  'onHeaders',
  'onData',
  'onComplete',
  'onError',
  'onBodySent',
  'onRequestSent',
  'onRequestStart',
  'onRequestUpgrade',
  'onResponseStart',
  'onResponseData',
  'onResponseEnd',
  'onResponseError',
] as const;

type Name = (typeof NAMES)[number];

/** Which callbacks a handler has, one bit each. Written out: a name in a variable is looked up slowly. */
function callbacksOf(handler: Partial<Record<Name, unknown>>): number {
  return (
    (typeof handler.onConnect === 'function' ? 1 : 0) |
    (typeof handler.onUpgrade === 'function' ? 1 << 1 : 0) |
    (typeof handler.onResponseStarted === 'function' ? 1 << 2 : 0) |
    (typeof handler.onHeaders === 'function' ? 1 << 3 : 0) |
    (typeof handler.onData === 'function' ? 1 << 4 : 0) |
    (typeof handler.onComplete === 'function' ? 1 << 5 : 0) |
    (typeof handler.onError === 'function' ? 1 << 6 : 0) |
    (typeof handler.onBodySent === 'function' ? 1 << 7 : 0) |
    (typeof handler.onRequestSent === 'function' ? 1 << 8 : 0) |
    (typeof handler.onRequestStart === 'function' ? 1 << 9 : 0) |
    (typeof handler.onRequestUpgrade === 'function' ? 1 << 10 : 0) |
    (typeof handler.onResponseStart === 'function' ? 1 << 11 : 0) |
    (typeof handler.onResponseData === 'function' ? 1 << 12 : 0) |
    (typeof handler.onResponseEnd === 'function' ? 1 << 13 : 0) |
    (typeof handler.onResponseError === 'function' ? 1 << 14 : 0)
  );
}

/**
 * A class of handlers that have the callbacks of these bits, of all that undici's two kinds of handlers
 * have: undici looks at which ones there are. Those from which an interceptor may dispatch again (a retry,
 * a redirect) run under the rules of the call, the others wherever undici is.
 *
 * Written out, not made from names: they run several times for each request.
 */
function boundClass(present: number): HandlerClass {
  class Bound {
    readonly #handler: Handler;
    readonly #rules: Rules | undefined;

    constructor(handler: Handler, rules: Rules | undefined) {
      this.#handler = handler;
      this.#rules = rules;
    }

    onConnect(abort: unknown, context: unknown): unknown {
      return this.#handler['onConnect']!(abort, context);
    }

    onUpgrade(status: unknown, headers: unknown, socket: unknown): unknown {
      return this.#handler['onUpgrade']!(status, headers, socket);
    }

    onResponseStarted(): unknown {
      return this.#handler['onResponseStarted']!();
    }

    onHeaders(status: unknown, headers: unknown, resume: unknown, text: unknown): unknown {
      const handler = this.#handler;
      if (rulesInEffect(this.#rules)) return handler['onHeaders']!(status, headers, resume, text);
      return underRulesOfCall(this.#rules, () => handler['onHeaders']!(status, headers, resume, text));
    }

    onData(chunk: unknown): unknown {
      return this.#handler['onData']!(chunk);
    }

    onComplete(trailers: unknown): unknown {
      const handler = this.#handler;
      if (rulesInEffect(this.#rules)) return handler['onComplete']!(trailers);
      return underRulesOfCall(this.#rules, () => handler['onComplete']!(trailers));
    }

    onError(error: unknown): unknown {
      const handler = this.#handler;
      return underRulesOfCall(this.#rules, () => handler['onError']!(error));
    }

    onBodySent(size: unknown, total: unknown): unknown {
      return this.#handler['onBodySent']!(size, total);
    }

    onRequestSent(): unknown {
      return this.#handler['onRequestSent']!();
    }

    onRequestStart(controller: unknown, context: unknown): unknown {
      return this.#handler['onRequestStart']!(controller, context);
    }

    onRequestUpgrade(controller: unknown, status: unknown, headers: unknown, socket: unknown): unknown {
      return this.#handler['onRequestUpgrade']!(controller, status, headers, socket);
    }

    onResponseStart(controller: unknown, status: unknown, headers: unknown, text: unknown): unknown {
      const handler = this.#handler;
      if (rulesInEffect(this.#rules)) return handler['onResponseStart']!(controller, status, headers, text);
      return underRulesOfCall(this.#rules, () =>
        handler['onResponseStart']!(controller, status, headers, text),
      );
    }

    onResponseData(controller: unknown, chunk: unknown): unknown {
      return this.#handler['onResponseData']!(controller, chunk);
    }

    onResponseEnd(controller: unknown, trailers: unknown): unknown {
      const handler = this.#handler;
      if (rulesInEffect(this.#rules)) return handler['onResponseEnd']!(controller, trailers);
      return underRulesOfCall(this.#rules, () => handler['onResponseEnd']!(controller, trailers));
    }

    onResponseError(controller: unknown, error: unknown): unknown {
      const handler = this.#handler;
      return underRulesOfCall(this.#rules, () => handler['onResponseError']!(controller, error));
    }
  }

  NAMES.forEach((name, i) => {
    if ((present & (1 << i)) !== 0) return;
    Object.defineProperty(Bound.prototype, name satisfies keyof Bound, { value: undefined });
  });
  return Bound as unknown as HandlerClass;
}

/** A class for each set of callbacks. */
const classes = new Map<number, HandlerClass>();
/** The one of before: most often the next handler is of the same kind. */
let latest: { readonly present: number; readonly Bound: HandlerClass } | undefined;

/**
 * A handler whose deciding callbacks run under the caller's rules. A pooled socket or a shared timer
 * calls back in the context of somebody else's request, and rules read there would be theirs.
 */
export function bindHandler(given: object, rules: Rules | undefined): object {
  if (typeof given !== 'object' || given === null) return given; // undici refuses it itself
  const present = callbacksOf(given);
  if (latest?.present !== present) latest = { present, Bound: classFor(present) };
  return new latest.Bound(given as Handler, rules);
}

function classFor(present: number): HandlerClass {
  const known = classes.get(present);
  if (known !== undefined) return known;
  const Bound = boundClass(present);
  classes.set(present, Bound);
  return Bound;
}
