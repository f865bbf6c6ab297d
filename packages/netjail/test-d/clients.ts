// What netjail gives fits the types of the clients.
import * as grpc from '@grpc/grpc-js';
import amqp from 'amqplib';
import { Redis } from 'ioredis';
import { Kafka } from 'kafkajs';
import { Client as LdapClient } from 'ldapts';
import { MongoClient } from 'mongodb';
import { MqttClient } from 'mqtt';
import { createClient } from 'redis';
import { createRedisConnector, createSocketOptions } from '../dist/db/index.js';
import { registerGrpcScheme } from '../dist/grpc/index.js';
import { createDial, Rules } from '../dist/index.js';

const guard = { rules: new Rules({ allow: ['public'] }) };
const dial = createDial(guard);
const to = createSocketOptions(guard)('cache.internal', 6379);

new Redis({ Connector: createRedisConnector(guard) });
new Redis({ Connector: createRedisConnector(guard, async () => ({ host: '10.0.0.1', port: '6379' })) });
createClient({ socket: { ...to, reconnectStrategy: false } });
new MongoClient(`mongodb://${to.host}:${to.port}`, { lookup: to.lookup });
void amqp.connect({ hostname: to.host, port: to.port }, { lookup: to.lookup });
new MqttClient(() => dial({ host: 'broker.internal', port: 1883 }), {});
new Kafka({ brokers: [], socketFactory: ({ host, port, onConnect }) => dial({ host, port }, onConnect) });
new LdapClient({
  url: 'ldap://x',
  createConnection: ((port: number, host: string) => dial(port, host)) as never,
});
registerGrpcScheme(grpc, 'guarded', guard);

// @ts-expect-error there is no such option
createSocketOptions({ lookup: to.lookup });
// @ts-expect-error a port belongs to it
createSocketOptions(guard)('cache.internal');
// @ts-expect-error a scheme belongs to it
registerGrpcScheme(grpc, guard);
