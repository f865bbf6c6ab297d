// Guarded against unguarded requests, in pairs:
// node main.js [--quick] [--alone] [--only regex] [--node path] [--restarts n] [--warm-up n] [--write]
// --node runs the clients on another Node; --write adds the rows to docs/benchmarks.md, in place of
// earlier ones of the same Node and kind.
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
//
// With --alone each process runs from its start to its end before the next one starts: it is never
// interrupted by the others, and its caches are its own.
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { headerOf, lineOf, writePage } from './page.js';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
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
const RESTARTS_TOGETHER = 3;
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
    end: async () => (child.disconnect(), await once(child, 'exit')),
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

/** Three processes that take turns. Which of them starts first is left to chance, like the order of each turn. */
async function measureInTurns(row) {
  const processes = new Map();
  for (const place of shuffle(PLACES)) processes.set(place, await start([nameAt(row, place)], 1, row));
  const turns = await settledTurns(async () => {
    const turn = {};
    for (const place of shuffle(PLACES)) [turn[place]] = await processes.get(place).turn();
    return turn;
  });
  const [denies] = await processes.get('guarded').denies();
  for (const { end } of processes.values()) await end();
  return { ...compare(turns), denies };
}

/** Three processes, one after another. */
async function measureAlone(row) {
  const turnsOf = {};
  let denies;
  for (const place of shuffle(PLACES)) {
    const one = await start([nameAt(row, place)], 1, row);
    turnsOf[place] = await settledTurns(async () => (await one.turn())[0]);
    if (place === 'guarded') [denies] = await one.denies();
    await one.end();
  }
  return { ...compare(turnsOf.plain.map((_, i) => each((place) => turnsOf[place][i]))), denies };
}

/** Several clients of all three in one process. */
async function measureTogether(row) {
  const places = shuffle(PLACES);
  const { turn, denies, end } = await start(
    places.map((place) => nameAt(row, place)),
    COPIES,
    row,
  );
  const turns = await settledTurns(async () => {
    const results = await turn();
    return each((place) => results[places.indexOf(place)]);
  });
  const denying = await denies();
  await end();
  return { ...compare(turns), denies: denying[places.indexOf('guarded')] };
}

/** Turns from when the compiler has settled: a server answers far more requests than it takes. */
async function settledTurns(turn) {
  for (let i = 0; i < WARM_UP / REQUESTS; i++) await turn();
  const turns = [];
  for (let i = 0; i < TURNS; i++) turns.push(await turn());
  return turns;
}

const each = (what) => Object.fromEntries(PLACES.map((place) => [place, what(place)]));
/** Of the guarded one to the mean of the two plain ones. */
const ratioOf = ({ plain, twin, guarded }) => guarded / ((plain + twin) / 2);

function compare(turns) {
  return {
    wall: median(turns.map((turn) => ratioOf(each((place) => turn[place].wall)))),
    // All of it: a median would leave out what happens in few turns, such as a garbage collection.
    cpu: ratioOf(each((place) => turns.reduce((sum, turn) => sum + turn[place].cpu, 0))),
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

/** Only the median over restarts says something. A short run is for what is denied: once is enough. */
async function measure(row) {
  const together = flags.alone
    ? []
    : await repeat(flags.quick ? 1 : RESTARTS_TOGETHER, () => measureTogether(row));
  const measureOnce = flags.alone ? measureAlone : measureInTurns;
  const runs = flags.quick && !flags.alone ? together : await repeat(RESTARTS, () => measureOnce(row));
  return {
    cpu: median(runs.map((run) => run.cpu)),
    wall: median(runs.map((run) => run.wall)),
    range: middleHalf(runs.map((run) => run.wall)),
    error: middleHalf(runs.map((run) => run.wallError)),
    together: flags.alone ? undefined : median(together.map((run) => run.wall)),
    denies: [...runs, ...together].every((run) => run.denies),
  };
}

const lines = headerOf(flags.alone);
console.log(lines.join('\n'));
let wrong = 0;
for (const row of rows) {
  const title = `${row.b}${row.name ? ', by name' : ''}`;
  if (!new RegExp(flags.only).test(`${title} ${row.fresh ? 'new' : 'keep-alive'} ${row.count}`)) continue;
  const result = await measure(row);
  if (row.b.includes('netjail') && !result.denies) wrong++;
  const line = lineOf(title, row, result);
  lines.push(line);
  console.log(line);
}
server.disconnect();

if (flags.write) {
  writePage({
    version,
    isAlone: flags.alone,
    lines,
    restarts: RESTARTS,
    warmUp: WARM_UP,
    turns: TURNS,
    requests: REQUESTS,
    copies: COPIES,
    restartsTogether: RESTARTS_TOGETHER,
  });
}
if (wrong > 0) {
  console.error(`${wrong} guarded rows let a blocked address through`);
  process.exitCode = 1;
}
