// Where a customer's database is, read from the URL that the customer typed.

/** Why there is no import. `code` is for the customer, `cause` for the operator. */
export class ImportError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * Reads `postgres://user:password@host:port/database?sslmode=require`.
 *
 * The URL is not handed to pg: that would follow `?host=` to another host or a Unix socket, read
 * files of ours for `?sslcert=`, and fill what is missing from our environment (`PGPASSWORD`).
 * So all of it must be there, and nothing else.
 *
 * @param {string} text
 * @returns {{ host: string, port: number, user: string, password: string, database: string, tls: boolean }}
 * @throws {ImportError} `not-a-source`
 */
export function readSource(text) {
  const wrong = (why) => new ImportError('not-a-source', new Error(why));
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol)) throw wrong('it is no postgres: URL');
  const { sslmode = 'require', ...others } = Object.fromEntries(url.searchParams);
  if (Object.keys(others).length > 0) throw wrong(`it has the parameter ${Object.keys(others)[0]}`);
  if (sslmode !== 'require' && sslmode !== 'disable') throw wrong('sslmode is require or disable');

  if (url.port === '0') throw wrong('there is no port 0');

  let parts;
  try {
    parts = [url.hostname, url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
  } catch (error) {
    throw new ImportError('not-a-source', error);
  }
  const [host, user, password, database] = parts;
  // A host that begins with a slash would be a Unix socket.
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(host)) throw wrong('the host is no name and no address');
  if (user === '' || database === '') throw wrong('it lacks a user or a database');
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    user,
    password,
    database,
    tls: sslmode === 'require',
  };
}
