import { agrees, contract, withService } from './contract.ts';

withService('rabbitmq', (service) => {
  contract(service, { file: 'amqplib.js', says: /RabbitMQ/, tls: ({ tlsPort }) => tlsPort! });
  agrees(service, 1);
});
