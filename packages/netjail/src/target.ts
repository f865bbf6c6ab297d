import { Address } from './address.ts';
import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';

/** What a caller wants to connect to: an address literal or a name, and a port. */
export interface Target {
  /** As asked for. */
  readonly host: string;
  readonly port: number;
  /** The literal; `undefined` for a name, which goes to the resolver. */
  readonly literal: Address | undefined;
}

/**
 * Reads a host and a port. Text that is not an address is a name.
 *
 * @throws {TypeError} `ERR_NETJAIL_INVALID_HOST` when the host is not a primitive string, is empty
 * (to Node that means localhost) or has a NUL in it.
 * @throws {RangeError} `ERR_NETJAIL_INVALID_PORT` when the port is not 1 to 65535.
 */
export function readTarget(host: unknown, port: unknown): Target {
  if (typeof host !== 'string' || host === '' || host.includes('\0')) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_HOST',
      `Cannot connect to host ${show(host)}: a host is a name or an address`,
    );
  }
  const number = typeof port === 'string' && /^[0-9]{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > 65535) {
    throw misuse(
      RangeError,
      'ERR_NETJAIL_INVALID_PORT',
      `Cannot connect to port ${show(port)}: a port is 1 to 65535`,
    );
  }
  return { host, port: number, literal: Address.tryParse(host) };
}
