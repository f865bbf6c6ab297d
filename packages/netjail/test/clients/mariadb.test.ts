import { agrees, contract, withService } from './contract.ts';

withService('mariadb', (service) => {
  contract(service, { file: 'mysql2.js', says: /MariaDB/, tls: ({ port }) => port });
  agrees(service);
});
