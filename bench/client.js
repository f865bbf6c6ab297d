// One client process: makes its variants once, and runs a turn of requests when it is told to.
import { variants } from './variants.js';

const [, , names, count, fresh, url, denied, warmUp] = process.argv;
const clients = names.split(',').map((name) => variants[name](Number(count)));

/** Which variants refuse what the policy blocks. */
const denies = await Promise.all(
  clients.map((client) =>
    client(denied, true).then(
      () => false,
      () => true,
    ),
  ),
);
// Until the compiler has settled: a server answers far more requests than this.
for (let i = 0; i < Number(warmUp); i++) for (const client of clients) await client(url, fresh === 'true');
process.send({ denies });

process.on('message', async ({ requests, of }) => {
  const client = clients[of];
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let i = 0; i < requests; i++) await client(url, fresh === 'true');
  const wall = Number(process.hrtime.bigint() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  process.send({ cpu: user + system, wall });
});
process.on('disconnect', () => process.exit());
