import { Address } from './address.ts';
import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';

/** What a caller wants to connect to: an address literal or a name, and a port. */
export class Target {
  /** As asked for. */
  readonly host: string;
  readonly port: number;
  #literal: Address | undefined | null = null;

  /** Of what {@link readTarget} has read. */
  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  /** The literal; `undefined` for a name, which goes to the resolver. */
  get literal(): Address | undefined {
    return this.#literal === null ? (this.#literal = Address.tryParse(this.host)) : this.#literal;
  }
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
  return new Target(host, number);
}
