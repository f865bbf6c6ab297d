// Guarded against unguarded requests, in pairs:
// node main.js [--quick] [--only regex] [--node path] [--restarts n] [--warm-up n] [--write]
// --node runs the clients on another Node; --write adds the rows to docs/benchmarks.md, in place of
// earlier ones of the same Node.
//
// Each variant runs in a process of its own; the two of a row take turns of 40 requests in shuffled
// order, and the figures are ratios of paired turns (median, over several restarts): of the time per
// request, which is what requests per second are made of, and of the client's CPU time, without the
// server's part. The A/A row says how far off a ratio can be.
//
// Both warm up in turns, too: a process that has waited for some seconds is slower afterwards, for thousands
// of requests, and which one started first would be what is measured.
//
// A process keeps the speed it happens to start with, and so does a connection. So each row is measured
// once more with several clients of both variants in one process, where the turns of all are mixed.
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    node: { type: 'string', default: process.execPath },
    // Restarts of one row differ by more than most figures are from their goals: the page has their middle half.
    restarts: { type: 'string', default: '9' },
    // Requests of each kind before one counts: rows of undici in one process are better after 30,000 than after 6,000.
    'warm-up': { type: 'string', default: '30000' },
    write: { type: 'boolean', default: false },
  },
});

/** A number of the command line. */
function numberOf(name) {
  const value = Number(flags[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} ${flags[name]}: it is a whole number from 1`);
  return value;
}

const RESTARTS = flags.quick ? 1 : numberOf('restarts');
const RESTARTS_TOGETHER = flags.quick ? 1 : 3;
const COPIES = flags.quick ? 1 : 8;
const TURNS = flags.quick ? 4 : 100;
const WARM_UP = flags.quick ? 200 : numberOf('warm-up');
const REQUESTS = 40;
const version = execFileSync(flags.node, ['--version'], { encoding: 'utf8' }).trim();
const major = Number(/\d+/.exec(version)[0]);
const inContextGoal = major >= 24 ? 2 : 3;

const rows = [];
for (const fresh of [false, true]) {
  const goal = fresh ? 2 : 1;
  rows.push({ a: 'http plain', b: 'http plain', count: 2, fresh, label: 'A/A' });
  for (const kind of ['http', 'undici', 'fetch']) {
    rows.push({ a: `${kind} plain`, b: `${kind} netjail`, count: 20, fresh, goal });
    rows.push({
      a: `${kind} plain in AsyncLocalStorage`,
      b: `${kind} netjail in withRules`,
      count: 20,
      fresh,
      goal: inContextGoal,
    });
  }
  rows.push({ a: 'http plain', b: 'http request-filtering-agent', count: 20, fresh });
  rows.push({ a: 'http plain', b: 'http antissrf', count: 20, fresh });
}
for (const count of [2, 1000, 100_000])
  rows.push({ a: 'http plain', b: 'http netjail', count, fresh: true, goal: 2 });
rows.push({ a: 'http plain', b: 'http netjail', count: 20, fresh: true, name: true, goal: 2 });
rows.push({ a: 'undici plain', b: 'undici netjail', count: 20, fresh: true, name: true, goal: 2 });
rows.push({ a: 'undici plain', b: 'undici netjail', count: 100_000, fresh: true, goal: 2 });

/** Where a process runs decides what waking the other one costs: the server has one processor, the clients another. */
function pin({ pid }, cpu) {
  if (os.cpus().length > 1)
    spawnSync('taskset', ['-a', '-c', '-p', String(cpu), String(pid)], { stdio: 'ignore' });
}

const server = fork(new URL('server.js', import.meta.url));
pin(server, 1);
const [{ port }] = await once(server, 'message');

/** A process with these variants: how they make a turn, and which of them deny. */
async function start(names, copies, { count, fresh, name }) {
  const url = `http://${name ? 'name.test' : '127.0.0.2'}:${port}/`;
  const child = fork(
    new URL('client.js', import.meta.url),
    [names.join(), copies, count, fresh, url, `http://127.0.0.1:${port}/`],
    { execPath: flags.node },
  );
  pin(child, 0);
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${names} ended before it began`))),
  ]);
  const ask = async (what) => (child.send(what), (await once(child, 'message'))[0]);
  return {
    turn: () => ask({ requests: REQUESTS }),
    denies: () => ask({}),
    end: () => child.disconnect(),
  };
}

const median = (list) => list.toSorted((x, y) => x - y)[Math.floor(list.length / 2)];
const byChance = () => Math.random() < 0.5;

/** One pair of processes. Which of them starts first is left to chance, like the order of each turn. */
async function measureApart(row) {
  const processes = new Map();
  for (const name of byChance() ? ['a', 'b'] : ['b', 'a'])
    processes.set(name, await start([row[name]], 1, row));
  const turn = async () => {
    const turns = {};
    for (const name of byChance() ? ['a', 'b'] : ['b', 'a']) [turns[name]] = await processes.get(name).turn();
    return turns;
  };
  const ratios = await compare(turn);
  const [denies] = await processes.get('b').denies();
  for (const { end } of processes.values()) end();
  return { ...ratios, denies };
}

/** Several clients of both in one process. */
async function measureTogether(row) {
  const swap = byChance();
  const { turn, denies, end } = await start(swap ? [row.b, row.a] : [row.a, row.b], COPIES, row);
  const ratios = await compare(async () => {
    const turns = await turn();
    return swap ? { a: turns[1], b: turns[0] } : { a: turns[0], b: turns[1] };
  });
  const denying = await denies();
  end();
  return { ...ratios, denies: denying[swap ? 0 : 1] };
}

/** Ratios of turns, from when the compiler has settled: a server answers far more requests than it takes. */
async function compare(turn) {
  for (let i = 0; i < WARM_UP / REQUESTS; i++) await turn();
  const cpu = [];
  const wall = [];
  for (let i = 0; i < TURNS; i++) {
    const { a, b } = await turn();
    cpu.push(b.cpu / a.cpu);
    wall.push(b.wall / a.wall);
  }
  return { cpu: median(cpu), wall: median(wall) };
}

async function repeat(times, measureOnce) {
  const runs = [];
  for (let i = 0; i < times; i++) runs.push(await measureOnce());
  return runs;
}

/** Only the median over restarts says something. */
async function measure(row) {
  const together = await repeat(RESTARTS_TOGETHER, () => measureTogether(row));
  // A short run is for what is denied: once is enough.
  const runs = flags.quick ? together : await repeat(RESTARTS, () => measureApart(row));
  const cpu = runs.map((run) => run.cpu).toSorted((x, y) => x - y);
  return {
    cpu: median(cpu),
    wall: median(runs.map((run) => run.wall)),
    range: [cpu[Math.floor(cpu.length / 4)], cpu[Math.ceil((cpu.length * 3) / 4) - 1]],
    together: median(together.map((run) => run.wall)),
    denies: [...runs, ...together].every((run) => run.denies),
  };
}

const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
const lines = [
  '| connections | compared | to | prefixes | time per request | CPU | middle half of the restarts (CPU) | time, in one process | goal | denies 127.0.0.1 |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];
console.log(lines.join('\n'));
let wrong = 0;
for (const row of rows) {
  const title = `${row.b}${row.name ? ', by name' : ''}`;
  if (!new RegExp(flags.only).test(`${title} ${row.fresh ? 'new' : 'keep-alive'} ${row.count}`)) continue;
  const { cpu, wall, range, together, denies } = await measure(row);
  const guarded = !row.b.includes('plain');
  if (row.b.includes('netjail') && !denies) wrong++;
  const line = `| ${row.fresh ? 'new' : 'keep-alive'} | ${row.label ?? title} | ${row.a} | ${row.count} | ${percent(wall)} | ${percent(cpu)} | ${range.map(percent).join(' to ')} | ${percent(together)} | ${row.goal === undefined ? '' : `${row.goal} %`} | ${guarded ? (denies ? 'yes' : 'NO') : 'unguarded'} |`;
  lines.push(line);
  console.log(line);
}
server.disconnect();

if (flags.write) {
  const page = new URL('../docs/benchmarks.md', import.meta.url);
  const heading = `## Node ${major}`;
  const others = readFileSync(page, 'utf8')
    .split(/^(?=## Node )/m)
    .slice(1)
    .filter((part) => !part.startsWith(`${heading}\n`));
  const own = `${heading}

${version}, ${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0].model}, ${os.cpus().length} processors, Linux. ${RESTARTS} restarts, ${WARM_UP} requests for warming up.

${lines.join('\n')}

`;
  const text = `# Benchmarks

Requests of a guarded client against the same client without a guard, on loopback, one at a time, written by \`npm run bench -- --write\` (\`--node\` runs the clients on another Node, \`--only\` some of the rows). The figures are how much more the guarded one takes: the time per request, the server's part included, and the CPU time of the client's process alone. Each is the median ratio of ${TURNS} paired turns of ${REQUESTS} requests, after so many for warming up as each part says, in turns like these (a process that waits is slower afterwards), and of these the median of so many restarts of both processes. In one process, where a part has that column: ${COPIES} clients of each kind in one process, ${TURNS} turns of ${REQUESTS} requests of each kind in mixed order, the median of ${RESTARTS_TOGETHER} restarts; what a process or a connection happens to start with counts less there. A row is worth nothing unless it denies what it must; that is asked for last, so that no connection has failed in a process that is measured. The A/A rows compare a client with itself: what they differ by is the error of the method.

`;
  const parts = [...others, own].toSorted((x, y) => Number(/\d+/.exec(x)) - Number(/\d+/.exec(y)));
  writeFileSync(page, `${text}${parts.map((part) => part.trimEnd()).join('\n\n')}\n`);
}
if (wrong > 0) {
  console.error(`${wrong} guarded rows let a blocked address through`);
  process.exitCode = 1;
}
