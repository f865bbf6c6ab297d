// npm run services [-- NAME...]: installs what is missing, starts the servers, prints where they
// are, and stops them on Ctrl-C. `--install` only installs; `--check` starts and stops each once.
import { parseArgs } from 'node:util';
import { notRun, SERVERS, startService } from './index.mjs';
import { installMissing } from './lib/install.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { install: { type: 'boolean' }, check: { type: 'boolean' } },
});
const names = positionals.length > 0 ? positionals : Object.keys(SERVERS);
const unknown = names.find((name) => !Object.hasOwn(SERVERS, name));
if (unknown !== undefined) {
  console.error(`There is no server ${unknown}; there are ${Object.keys(SERVERS).join(', ')}.`);
  process.exit(2);
}

const wanted = Object.fromEntries(names.map((name) => [name, SERVERS[name]]));
const missing = await installMissing(wanted, (line) => console.error(line));
for (const [name, why] of Object.entries(missing)) console.error(`${notRun(name)} (${why})`);
const present = names.filter((name) => !Object.hasOwn(missing, name));
if (flags.install) process.exit(0);

const running = {};
let stopping;
const stop = () => (stopping ??= Promise.all(Object.values(running).map((service) => service.stop())));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop().then(() => process.exit(0)));

let failed = 0;
const rows = [];
for (const name of present) {
  const begun = performance.now();
  try {
    running[name] = await startService(name);
    if (stopping !== undefined) await running[name].stop();
  } catch (error) {
    failed++;
    console.error(error.message);
    continue;
  }
  const { host, denied, port, tlsPort } = running[name];
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  rows.push({ name, host, denied, port, tlsPort: tlsPort ?? '', 'ready in s': seconds });
  if (flags.check) {
    await running[name].stop();
    delete running[name];
  }
}
console.table(rows);
if (flags.check) process.exit(failed === 0 ? 0 : 1);
console.log(JSON.stringify(rows.map(({ name, host, denied, port, tlsPort }) => ({ name, host, denied, port, tlsPort: tlsPort || undefined }))));
console.log('Ctrl-C stops them.');
