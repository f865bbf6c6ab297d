import { agrees, contract, withService } from './contract.ts';

withService('slapd', (service) => {
  contract(service, { file: 'ldapts.js', says: /^dc=name,dc=test$/, tls: ({ tlsPort }) => tlsPort!, mapped: '::ffff:7f00:1' });
  agrees(service);
});
