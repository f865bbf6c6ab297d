// One broker with two doors: clients that came through the first are told the allowed address,
// those that came through the second the denied one.
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../lib/cache.mjs';
import { exchange, untilReady } from '../lib/probe.mjs';
import { findProgram, runAs, runProgram } from '../lib/process.mjs';
import { Parts, service } from '../lib/service.mjs';
import { ALLOWED, DENIED, freePort } from '../lib/sites.mjs';

export const title = 'Kafka broker';
export const packages = [];
const VERSION = '3.9.1';
const jars = join(CACHE, `kafka-${VERSION}`);
const hasJars = () => existsSync(jars) && readdirSync(jars).some((name) => name.startsWith('kafka_2.13-'));
export const find = () => (hasJars() ? findProgram('java') : undefined);

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>netjail</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version>
  </dependency></dependencies>
</project>
`;

/** Fetches the jars by Maven; resolves to why not otherwise. */
export async function install() {
  const mvn = findProgram('mvn');
  if (mvn === undefined || findProgram('java') === undefined) return 'there is no JDK with Maven for Kafka';
  mkdirSync(jars, { recursive: true });
  const pom = join(jars, 'pom.xml');
  writeFileSync(pom, POM);
  await runProgram(mvn, ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]);
  return undefined;
}

/** ApiVersions, version 0, of a client without a name. */
const HELLO = Buffer.from('\0\0\0\x0a\0\x12\0\0\0\0\0\x01\xff\xff', 'latin1');

export async function start(parts = new Parts()) {
  const user = 'nobody';
  const folder = parts.folder('kafka', user);
  const [first, second, controller] = [await freePort(), await freePort(), await freePort()];
  const sites = [await parts.sites(first), await parts.sites(second)];
  const config = join(folder, 'server.properties');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `ALLOWED://127.0.0.1:${first},DENIED://127.0.0.1:${second},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `ALLOWED://${ALLOWED}:${sites[0].port},DENIED://${DENIED}:${sites[1].port}`,
    'listener.security.protocol.map': 'ALLOWED:PLAINTEXT,DENIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'ALLOWED',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'offsets.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 1,
  };
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const { uid, gid } = runAs(user);
  if (uid !== undefined) chownSync(config, uid, gid);
  const java = find();
  const small = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`];
  // May begin with a dash, so it is not an argument of its own.
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  await runProgram(
    java,
    [...small, 'kafka.tools.StorageTool', 'format', `--cluster-id=${id}`, '-c', config],
    {
      user,
      cwd: folder,
    },
  );
  const server = parts.program('kafka', java, [...small, 'kafka.Kafka', config], {
    folder,
    user,
    stopSignal: 'KILL',
  });
  await untilReady(server, () =>
    exchange(first, HELLO, (answer) =>
      answer.length < 10 ? undefined : answer.readInt32BE(4) === 1 && answer.readInt16BE(8) === 0,
    ),
  );
  return service(parts, { sites, advertisingPort: sites[1].port });
}
