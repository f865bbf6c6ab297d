// Real servers for the tests of clients: `startService('postgres')`.
import { Parts } from './lib/service.mjs';
import * as ferretdb from './servers/ferretdb.mjs';
import * as kafka from './servers/kafka.mjs';
import * as mariadb from './servers/mariadb.mjs';
import * as memcached from './servers/memcached.mjs';
import * as mosquitto from './servers/mosquitto.mjs';
import * as nats from './servers/nats.mjs';
import * as nginx from './servers/nginx.mjs';
import * as postgres from './servers/postgres.mjs';
import * as rabbitmq from './servers/rabbitmq.mjs';
import * as redisCluster from './servers/redis-cluster.mjs';
import * as redisSentinel from './servers/redis-sentinel.mjs';
import * as redis from './servers/redis.mjs';
import * as slapd from './servers/slapd.mjs';
import * as smtp from './servers/smtp.mjs';
import * as sshd from './servers/sshd.mjs';
import * as vsftpd from './servers/vsftpd.mjs';

/**
 * A server is `{ title, packages, find(), start(parts), install?() }`: what it is called, Debian's
 * packages for it, its program or `undefined`, and what brings it where no package does.
 */
export const SERVERS = {
  postgres,
  mariadb,
  redis,
  'redis-cluster': redisCluster,
  'redis-sentinel': redisSentinel,
  memcached,
  ferretdb,
  rabbitmq,
  mosquitto,
  nats,
  kafka,
  sshd,
  vsftpd,
  slapd,
  smtp,
  nginx,
};

/** "not run: no Kafka broker here", or `undefined` when the server can be started. */
export function notRun(name) {
  return SERVERS[name].find() === undefined ? `not run: no ${SERVERS[name].title} here` : undefined;
}

/**
 * Starts a server on a free loopback port and waits until it answers. Resolves to
 * `{ host, denied, port, tlsPort?, sites, connections(), serverSaw?(), stop(), ... }`: it is
 * reached at `host` (127.0.0.2) and at `denied` (127.0.0.1), and `connections()` counts both. It
 * ends with `stop()`, at the latest with this process. Fails when the server is not installed.
 */
export async function startService(name) {
  const missing = notRun(name);
  if (missing !== undefined) throw new Error(`Cannot start ${name}: ${missing}`);
  const parts = new Parts();
  try {
    return await SERVERS[name].start(parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}
