import grpc from '@grpc/grpc-js';
import { registerGrpcScheme } from 'netjail/grpc';

export const meta = {
  kind: 'messaging',
  client: '@grpc/grpc-js',
  package: '@grpc/grpc-js',
  versions: '1',
  way: 'resolver',
  why: "It has no hook for sockets, but connects only to what the resolver of a target's scheme finds. `grpc.enable_http_proxy: 0` keeps it from proxies that the environment names, `grpc.use_local_subchannel_pool: 1` from using the connection of a channel with other rules.",
  hop: 'none: addresses come from the resolver alone',
  unguarded: 'Targets of other schemes (`dns:`, `ipv4:`, `unix:`, and those without one).',
  denial: 'message',
};

export function open(guard, { host, port, tls, path }) {
  const credentials = tls
    ? grpc.credentials.createSsl(Buffer.from(tls.ca))
    : grpc.credentials.createInsecure();
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const Client = grpc.Client;
  // recipe
  registerGrpcScheme(grpc, 'guarded', guard);
  const client = new Client(`guarded:///${target}`, credentials, {
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  // end
  const bytes = (text) => Buffer.from(text);
  const text = (bytes) => bytes.toString();
  return {
    use: () =>
      new Promise((resolve, reject) => {
        const done = (error, answer) => (error ? reject(error) : resolve(answer));
        client.makeUnaryRequest(path, bytes, text, 'hello', { deadline: Date.now() + 5000 }, done);
      }),
    close: () => client.close(),
  };
}
