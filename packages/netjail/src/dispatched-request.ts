// What a dispatched request says of itself: where it goes, and what is its own.
import { readOnce } from './internal/assert.ts';

/** Whether a request is for the host that it connects to, which the connection judges. */
export function isForOrigin({ method, path }: Record<string, unknown>): boolean {
  return method !== 'CONNECT' && typeof path === 'string' && path.startsWith('/');
}

/**
 * A request's own options, each read once. undici reads a usual object a good deal faster than one without
 * a prototype, which is for a request that would be judged by, or made of, what `Object.prototype` has.
 */
export function readRequest(options: object): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...options };
  const request = isOwn(copy) ? copy : (readOnce(copy) as Record<string, unknown>);
  const { origin } = request;
  // A URL of somebody's own class can say one thing as text and another in its fields: the text counts.
  if (origin instanceof URL) request['origin'] = String(origin);
  return request;
}

const NOTHING: Partial<Record<string, unknown>> = {};

/** Whether what a request is judged by and made of is its own, not what `Object.prototype` shows. */
function isOwn({ path, method, origin }: Record<string, unknown>): boolean {
  const judged = path !== undefined && method !== undefined && origin !== undefined;
  // Not read from `NOTHING`: an accessor may say something else each time.
  return (
    judged && !('path' in NOTHING) && !('method' in NOTHING) && !('origin' in NOTHING) && !showsInherited()
  );
}

/** Whether a usual object shows what else undici reads of a request. Written out: each request asks. */
function showsInherited(): boolean {
  const { headers, body, query, upgrade, servername, expectContinue, reset } = NOTHING;
  const { idempotent, blocking, headersTimeout, bodyTimeout, throwOnError, typeOfService } = NOTHING;
  const content = headers ?? body ?? query ?? upgrade ?? servername ?? expectContinue ?? reset;
  const handling = idempotent ?? blocking ?? headersTimeout ?? bodyTimeout ?? throwOnError ?? typeOfService;
  return (content ?? handling) !== undefined;
}

/** An origin in text, the same for each way to write it; `undefined` for what undici refuses as one. */
export function originOf(origin: unknown): string | undefined {
  try {
    const { origin: text } = new URL(String(origin));
    // Of other schemes.
    return text === 'null' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Where there is none that could be another's. */
export const NO_HOST = { host: '', port: '' };

/** The host and port of an origin, in text. */
export function hostOf(origin: unknown): { host: string; port: string } {
  try {
    const url = new URL(String(origin));
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? '443' : '80'),
    };
  } catch {
    return NO_HOST; // undici refuses the origin itself.
  }
}
