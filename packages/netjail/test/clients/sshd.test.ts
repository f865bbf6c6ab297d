import { agrees, contract, withService } from './contract.ts';

withService('sshd', (service) => {
  contract(service, { file: 'ssh2.js', says: /^hello/ });
  agrees(service);
});
