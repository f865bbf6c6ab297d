import { agrees, contract, withService } from './contract.ts';

withService('ferretdb', (service) => {
  contract(service, { file: 'mongodb.js', says: /^\d+\.\d+\.\d+/, tls: ({ tlsPort }) => tlsPort! });
  agrees(service);
});
