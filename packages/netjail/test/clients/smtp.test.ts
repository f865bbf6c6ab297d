import { agrees, contract, withService } from './contract.ts';

withService('smtp', (service) => {
  contract(service, { file: 'nodemailer.js', says: /^250/, tls: ({ tlsPort }) => tlsPort! });
  agrees(service, 1);
});
