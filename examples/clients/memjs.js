import memjs from 'memjs';

export const meta = {
  kind: 'database',
  client: 'memjs',
  package: 'memjs',
  versions: '1',
  way: 'none',
  why: 'It makes its sockets itself and takes neither a socket nor a look-up.',
  hop: 'none: it connects to its servers',
};

/** There is nothing that could take the guard. */
export function open(_guard, { host, port }) {
  const client = memjs.Client.create(`${host}:${port}`, { retries: 0, timeout: 2 });
  return {
    use: async () => String(await client.set('key', 'value', { expires: 10 })),
    close: () => client.close(),
  };
}
