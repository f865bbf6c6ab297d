import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../lib/certificate.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs } from '../lib/process.mjs';
import { countLines, Parts, service } from '../lib/service.mjs';
import { freePort } from '../lib/sites.mjs';

export const title = 'RabbitMQ server';
export const packages = ['rabbitmq-server'];
/** Not the wrapper of /usr/sbin, which changes the user by itself. */
export const find = () => findProgram('rabbitmq-server', ['/usr/lib/rabbitmq/bin', ...process.env.PATH.split(':')]);

const user = 'rabbitmq';

export async function start(parts = new Parts()) {
  const folder = parts.folder('rabbitmq', user);
  const { certFile, keyFile, cert } = await makeCertificate(folder, user);
  const [backend, tls, distribution, names] = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  const config = join(folder, 'rabbitmq.conf');
  writeFileSync(
    config,
    [
      `listeners.tcp.1 = 127.0.0.1:${backend}`,
      `listeners.ssl.1 = 127.0.0.1:${tls}`,
      `ssl_options.certfile = ${certFile}`,
      `ssl_options.keyfile = ${keyFile}`,
      `ssl_options.cacertfile = ${certFile}`,
      'ssl_options.verify = verify_none',
      'loopback_users = none',
      'log.console = true',
      'log.console.level = info',
      'vm_memory_high_watermark.relative = 0.4',
      'disk_free_limit.absolute = 1MB',
      '',
    ].join('\n'),
  );
  const plugins = join(folder, 'enabled_plugins');
  writeFileSync(plugins, '[].\n');
  const { uid, gid } = runAs(user);
  if (uid !== undefined) for (const file of [config, plugins]) chownSync(file, uid, gid);

  // Erlang would start its name server as a daemon that stays; ours is a child like any other.
  const epmd = parts.program('epmd', findProgram('epmd'), ['-port', names, '-address', '127.0.0.1'], {
    folder,
    user,
  });
  await untilReady(epmd, () =>
    exchange(names, Buffer.from([0, 1, 0x6e]), (answer) => (answer.length < 4 ? undefined : true)),
  );
  const server = parts.program('rabbitmq', find(), [], {
    folder,
    user,
    stopSignal: 'KILL',
    env: {
      HOME: folder,
      ERL_EPMD_PORT: String(names),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `netjail${backend}@localhost`,
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_CONFIG_FILE: config,
      RABBITMQ_CONF_ENV_FILE: join(folder, 'none.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
      RABBITMQ_PID_FILE: join(folder, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_SERVER_START_ARGS: '',
    },
  });
  // The answer to the header is a method frame on channel 0: Connection.Start.
  await untilReady(server, () =>
    exchange(backend, Buffer.from('AMQP\0\0\x09\x01', 'latin1'), (answer) =>
      answer.length < 11 ? undefined : answer[0] === 1 && answer.readUInt32BE(7) === 0x000a000a,
    ),
  );
  const sites = [await parts.sites(backend), await parts.sites(tls)];
  return service(parts, {
    sites,
    tlsPort: sites[1].port,
    serverSaw: countLines(server, /accepting AMQP connection/g),
    user: 'guest',
    password: 'guest',
    cert,
  });
}
