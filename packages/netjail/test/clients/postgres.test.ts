import { agrees, contract, withService } from './contract.ts';

withService('postgres', (service) => {
  for (const file of ['pg.js', 'pg-pool.js', 'postgres.js'])
    contract(service, { file, says: /^PostgreSQL \d/, tls: ({ port }) => port });
  agrees(service);
});
