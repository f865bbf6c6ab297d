import { contract, withService } from './contract.ts';

withService('vsftpd', (service) => {
  contract(service, { file: 'basic-ftp.js', says: /^hello$/, tls: ({ port }) => port });
});
