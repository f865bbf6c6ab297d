import { contract, withService } from './contract.ts';

withService('kafka', (service) => {
  contract(service, { file: 'kafkajs.js', says: /^[\w-]{22}$/, mapped: false });
});
