import { makeCertificate } from '../lib/certificate.mjs';
import { beginsWith, exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'Redis server';
export const packages = ['redis-server'];
export const find = () => findProgram('redis-server');

const user = 'redis';

/** Runs one command at a server and resolves to the answer's text, as it is on the wire. */
export async function ask(port, command, host = '127.0.0.1') {
  let text = '';
  await exchange(
    port,
    `${command}\r\n`,
    (answer) => {
      text = answer.toString();
      return isWhole(text) ? true : undefined;
    },
    host,
  );
  return text;
}

/** Enough of the protocol for what is asked here: a line, a bulk string, or an array of either. */
function isWhole(text) {
  if (!text.endsWith('\r\n')) return false;
  if (text[0] === '$') return text.length >= Number(text.slice(1).split('\r\n')[0]) + text.indexOf('\r\n') + 4;
  return true;
}

/** Starts one more Redis in the folder: `{ server, backend }`. */
export async function startRedis(parts, name, folder, settings, program = find()) {
  const backend = settings.port ?? (await freePort());
  const all = { bind: '127.0.0.1', port: backend, save: '', dir: folder, 'protected-mode': 'no', ...settings };
  const server = parts.program(
    name,
    program,
    Object.entries(all).flatMap(([key, value]) => [`--${key}`, String(value)]),
    { folder, user },
  );
  await untilReady(server, () => exchange(backend, 'PING\r\n', beginsWith('+PONG')));
  return { server, backend };
}

/** What a Redis counts itself, without those who ask. */
export async function countConnections(backend) {
  let asked = 0;
  const count = async () => {
    const info = await ask(backend, 'INFO stats');
    return Number(/total_connections_received:(\d+)/.exec(info)[1]) - ++asked;
  };
  const before = await count();
  return async () => (await count()) - before;
}

export async function start(parts = new Parts()) {
  const folder = parts.folder('redis', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const tls = await freePort();
  const { backend } = await startRedis(parts, 'redis', folder, {
    'tls-port': tls,
    'tls-cert-file': certFile,
    'tls-key-file': keyFile,
    'tls-ca-cert-file': certFile,
    'tls-auth-clients': 'no',
  });
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: await countConnections(backend),
    cert,
  });
}
