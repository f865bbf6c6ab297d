export {
  createRedisConnector,
  type RedisConnector,
  type RedisConnectorOptions,
  type RedisLocation,
} from './redis-connector.ts';
export { createSocketOptions, type SocketOptions } from './socket-options.ts';
