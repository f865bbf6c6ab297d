import { agrees, contract, withService } from './contract.ts';

withService('mosquitto', (service) => {
  contract(service, { file: 'mqtt.js', says: /^mosquitto version/, tls: ({ tlsPort }) => tlsPort! });
  agrees(service);
});
