import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'Mosquitto';
export const packages = ['mosquitto'];
export const find = () => findProgram('mosquitto');

const user = 'mosquitto';

/** CONNECT of MQTT 3.1.1, a clean session of a client without a name. */
const HELLO = Buffer.from('\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0', 'latin1');

export async function start(parts = new Parts()) {
  const folder = parts.folder('mosquitto', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const [backend, tls] = [await freePort(), await freePort()];
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(
    config,
    [
      ...['allow_anonymous true', 'log_dest stdout', 'log_type all', 'persistence false'],
      `listener ${backend} 127.0.0.1`,
      ...[`listener ${tls} 127.0.0.1`, `certfile ${certFile}`, `keyfile ${keyFile}`, ''],
    ].join('\n'),
  );
  const server = parts.program('mosquitto', find(), ['-c', config], { folder, user });
  await untilReady(server, () =>
    exchange(backend, HELLO, (answer) => (answer.length < 4 ? undefined : answer[0] === 0x20 && answer[3] === 0)),
  );
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: countLines(server, /New connection from/g),
    cert,
  });
}
