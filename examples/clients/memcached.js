import Memcached from 'memcached';

export const meta = {
  kind: 'database',
  client: 'memcached',
  package: 'memcached',
  versions: '2',
  way: 'none',
  why: 'It makes its sockets itself and takes neither a socket nor a look-up. Judging an address before does not help for names, which it resolves again.',
  hop: 'none: it connects to its servers',
};

/** There is nothing that could take the guard. */
export function open(_guard, { host, port }) {
  const client = new Memcached(`${host}:${port}`, { retries: 0, timeout: 2000 });
  return {
    use: () =>
      new Promise((resolve, reject) => {
        client.version((error, versions) => (error ? reject(error) : resolve(String(versions[0].version))));
      }),
    close: () => client.end(),
  };
}
