// Guarded against unguarded requests, in pairs:
// node main.js [--quick] [--only regex] [--node path] [--restarts n] [--warm-up n] [--write]
// --node runs the clients on another Node; --write adds the rows to docs/benchmarks.md, in place of
// earlier ones of the same Node.
//
// Each variant runs in a process of its own, the plain one in two; the three of a row take turns of 40
// requests in shuffled order. The figures are ratios to the mean of the two plain ones, each the median over
// several restarts: of the time per request (the median of the turns), which is what requests per second are
// made of, and of the client's CPU time in all turns, without the server's part. What the two plain ones
// differ by is the error of the row: it is not the same for all kinds of clients.
//
// All warm up in turns, too: a process that has waited for some seconds is slower afterwards, for thousands
// of requests, and which one started first would be what is measured.
//
// A process keeps the speed it happens to start with, and so does a connection. So each row is measured
// once more with several clients of all three in one process, where the turns of all are mixed.
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
const shuffle = (list) =>
  list
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((x, y) => x.at - y.at)
    .map(({ value }) => value);

/** The plain client, the same once more, and the guarded one. */
const PLACES = ['plain', 'twin', 'guarded'];
const nameAt = (row, place) => (place === 'guarded' ? row.b : row.a);

/** Three processes. Which of them starts first is left to chance, like the order of each turn. */
async function measureApart(row) {
  const processes = new Map();
  for (const place of shuffle(PLACES)) processes.set(place, await start([nameAt(row, place)], 1, row));
  const turn = async () => {
    const turns = {};
    for (const place of shuffle(PLACES)) [turns[place]] = await processes.get(place).turn();
    return turns;
  };
  const ratios = await compare(turn);
  const [denies] = await processes.get('guarded').denies();
  for (const { end } of processes.values()) end();
  return { ...ratios, denies };
}

/** Several clients of all three in one process. */
async function measureTogether(row) {
  const places = shuffle(PLACES);
  const { turn, denies, end } = await start(
    places.map((place) => nameAt(row, place)),
    COPIES,
    row,
  );
  const ratios = await compare(async () => {
    const turns = await turn();
    return Object.fromEntries(places.map((place, i) => [place, turns[i]]));
  });
  const denying = await denies();
  end();
  return { ...ratios, denies: denying[places.indexOf('guarded')] };
}

/** Ratios of turns, from when the compiler has settled: a server answers far more requests than it takes. */
async function compare(turn) {
  for (let i = 0; i < WARM_UP / REQUESTS; i++) await turn();
  const turns = [];
  for (let i = 0; i < TURNS; i++) turns.push(await turn());
  const cpuOf = (place) => turns.reduce((sum, turn) => sum + turn[place].cpu, 0);
  return {
    wall: median(turns.map(({ plain, twin, guarded }) => guarded.wall / ((plain.wall + twin.wall) / 2))),
    // All of it: a median would leave out what happens in few turns, such as a garbage collection.
    cpu: cpuOf('guarded') / ((cpuOf('plain') + cpuOf('twin')) / 2),
    wallError: median(turns.map(({ plain, twin }) => twin.wall / plain.wall)),
  };
}

async function repeat(times, measureOnce) {
  const runs = [];
  for (let i = 0; i < times; i++) runs.push(await measureOnce());
  return runs;
}

function middleHalf(list) {
  const sorted = list.toSorted((x, y) => x - y);
  return [sorted[Math.floor(sorted.length / 4)], sorted[Math.ceil((sorted.length * 3) / 4) - 1]];
}

/** Only the median over restarts says something. */
async function measure(row) {
  const together = await repeat(RESTARTS_TOGETHER, () => measureTogether(row));
  // A short run is for what is denied: once is enough.
  const runs = flags.quick ? together : await repeat(RESTARTS, () => measureApart(row));
  return {
    cpu: median(runs.map((run) => run.cpu)),
    wall: median(runs.map((run) => run.wall)),
    range: middleHalf(runs.map((run) => run.wall)),
    error: middleHalf(runs.map((run) => run.wallError)),
    together: median(together.map((run) => run.wall)),
    denies: [...runs, ...together].every((run) => run.denies),
  };
}

const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
const lines = [
  '| connections | compared | to | prefixes | time per request | middle half of the restarts | A/A: plain beside plain, middle half | CPU | time, in one process | goal | denies 127.0.0.1 |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];
console.log(lines.join('\n'));
let wrong = 0;
for (const row of rows) {
  const title = `${row.b}${row.name ? ', by name' : ''}`;
  if (!new RegExp(flags.only).test(`${title} ${row.fresh ? 'new' : 'keep-alive'} ${row.count}`)) continue;
  const { cpu, wall, range, error, together, denies } = await measure(row);
  if (row.b.includes('netjail') && !denies) wrong++;
  const halves = [range, error].map((half) => half.map(percent).join(' to '));
  const line = `| ${row.fresh ? 'new' : 'keep-alive'} | ${title} | ${row.a} | ${row.count} | ${percent(wall)} | ${halves.join(' | ')} | ${percent(cpu)} | ${percent(together)} | ${row.goal === undefined ? '' : `${row.goal} %`} | ${denies ? 'yes' : 'NO'} |`;
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

Requests of a guarded client against the same client without a guard, on loopback, one at a time, written by \`npm run bench -- --write\` (\`--node\` runs the clients on another Node, \`--only\` some of the rows). The figures are how much more the guarded one takes. Time per request, the server's part included: the median ratio of ${TURNS} turns of ${REQUESTS} requests to the mean of two plain processes that take turns with it, after so many requests for warming up as each part says, in turns like these (a process that waits is slower afterwards), and of these the median of so many restarts of all three. Beside the middle half of these restarts stands what the two plain processes differ by, of the same restarts: a figure says no more than that allows. CPU: the processor time of the client's process alone, of all turns together, garbage collection and compiling included. In one process, where a part has that column: ${COPIES} clients of each kind in one process, ${TURNS} turns of ${REQUESTS} requests of each kind in mixed order, the median of ${RESTARTS_TOGETHER} restarts; what a process or a connection happens to start with counts less there. A row is worth nothing unless it denies what it must; that is asked for last, so that no connection has failed in a process that is measured.

`;
  const parts = [...others, own].toSorted((x, y) => Number(/\d+/.exec(x)) - Number(/\d+/.exec(y)));
  writeFileSync(page, `${text}${parts.map((part) => part.trimEnd()).join('\n\n')}\n`);
}
if (wrong > 0) {
  console.error(`${wrong} guarded rows let a blocked address through`);
  process.exitCode = 1;
}
