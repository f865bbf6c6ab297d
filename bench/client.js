// One client process: makes its variants, each so many times, and runs a turn of requests when it is told to.
import { variants } from './variants.js';

const [, , names, copies, count, fresh, url, denied] = process.argv;
const kinds = names.split(',');
const clients = Array.from({ length: Number(copies) * kinds.length }, (_, i) =>
  variants[kinds[i % kinds.length]](Number(count)),
);

/** So many requests of one client: its processor time and the time that passed, in microseconds. */
async function measure(client, requests) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let i = 0; i < requests; i++) await client(url, fresh === 'true');
  const wall = Number(process.hrtime.bigint() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: user + system, wall };
}

/**
 * Which variants refuse what the policy blocks. Asked for last, so that no connection has failed in a
 * process that is measured: only in the guarded ones one would have.
 */
async function findDenying() {
  const refused = await Promise.all(
    clients.map((client) =>
      client(denied, true).then(
        () => false,
        () => true,
      ),
    ),
  );
  return kinds.map((_, of) => refused.every((one, i) => one || i % kinds.length !== of));
}

process.on('message', async ({ requests }) => {
  if (requests === undefined) {
    process.send(await findDenying());
    return;
  }
  const turns = kinds.map(() => ({ cpu: 0, wall: 0 }));
  const order = clients.map((client, i) => ({ client, of: i % kinds.length, at: Math.random() }));
  for (const { client, of } of order.toSorted((x, y) => x.at - y.at)) {
    const { cpu, wall } = await measure(client, requests / Number(copies));
    turns[of].cpu += cpu;
    turns[of].wall += wall;
  }
  process.send(turns);
});
process.on('disconnect', () => process.exit());
process.send('ready');
