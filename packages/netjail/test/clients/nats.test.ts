import { agrees, contract, withService } from './contract.ts';

withService('nats', (service) => {
  contract(service, { file: 'nats.js', says: /^N[A-Z0-9]{55}$/, tls: ({ tlsPort }) => tlsPort!, mapped: '127.0.0.1' });
  agrees(service);
});
