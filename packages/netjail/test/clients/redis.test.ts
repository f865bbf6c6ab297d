import { agrees, contract, withService } from './contract.ts';

withService('redis', (service) => {
  for (const file of ['ioredis.js', 'redis.js'])
    contract(service, { file, says: /redis_version:\d/, tls: ({ tlsPort }) => tlsPort! });
  contract(service, { file: 'bullmq.js', says: /^job \d+$/, tls: ({ tlsPort }) => tlsPort! });
  agrees(service, 3);
});
