import { Address } from './address.ts';
import type { DeniedError } from './errors.ts';
import type { Guard } from './guard.ts';
import { readTarget } from './target.ts';

const ABSOLUTE = /^https?:\/\/(?<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?<port>[0-9]{1,5}))?(?=[/?#]|$)/i;
const AUTHORITY = /^(?<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+):(?<port>[0-9]{1,5})$/i;

/** True for a CONNECT, and for a path that is not one on the connection's own server. */
export function namesAnotherTarget(method: string | undefined, path: string | undefined): boolean {
  if (method === 'CONNECT') return true;
  return path !== undefined && path !== '' && path !== '*' && path[0] !== '/' && path[0] !== '?';
}

/**
 * The denial of a request whose own text names another destination, as requests to a proxy do: an
 * absolute-form path (`GET http://target/`) or a CONNECT. `undefined` where there is nothing to deny.
 *
 * An address literal is judged like any other. A name is refused, because the proxy resolves it
 * again and could be told another address; so is text that readers may understand differently. A
 * target that is the connection's own host and port has been judged by the connection.
 */
export function proxiedDenial(
  guard: Guard,
  method: string | undefined,
  path: string | undefined,
  own: { readonly host: unknown; readonly port: unknown },
): DeniedError | undefined {
  const denial = judgeProxied(guard, method, path, own);
  return guard.reporting ? undefined : denial;
}

function judgeProxied(
  guard: Guard,
  method: string | undefined,
  path: string | undefined,
  own: { readonly host: unknown; readonly port: unknown },
): DeniedError | undefined {
  const connect = method === 'CONNECT';
  if (!namesAnotherTarget(method, path)) return undefined;
  const text = path ?? '';
  const named = (connect ? AUTHORITY : ABSOLUTE).exec(text)?.groups;
  if (named?.['host'] === undefined) return guard.refuse('proxied-name', text, undefined);
  const host = named['host'].replace(/^\[|\]$/g, '');
  const port = named['port'] ?? (/^https:/i.test(text) ? '443' : '80');
  if (host.toLowerCase() === String(own.host).toLowerCase() && Number(port) === Number(own.port))
    return undefined;
  if (Address.tryParse(host) === undefined) return guard.refuse('proxied-name', host, Number(port));
  try {
    guard.admit(readTarget(host, port));
    return undefined;
  } catch (error) {
    return error as DeniedError;
  }
}
