// The speed, size and building of rules beside everything else that matches addresses:
// node rules/main.js [--quick] [--write] [--rounds 5] [--node path ...] [--all] [--note 'how it was run'] [--only task]
//
// Each measurement is a process of its own; the processes of all rows come in shuffled order, and
// the figure is the median over the rounds. A row counts only when its verdicts are right.
// --all measures every Node that the runtime tests have installed (npm run test:runtimes).
// --only measures one task (check, build, memory or allocation): in more rounds, where the machine is not quiet.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MATCHERS, READING } from './contenders.js';
import { prefixes, probes, random } from './data.js';
import { nodeBinaries } from '../../tools/nodes.mjs';
import { report } from './report.js';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    all: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [] },
    note: { type: 'string' },
    only: { type: 'string' },
  },
});
const TASKS = ['check', 'build', 'memory', 'allocation'];
if (flags.only !== undefined && !TASKS.includes(flags.only))
  throw new Error(`--only ${flags.only}: it is one of ${TASKS.join(', ')}`);
if (flags.only !== undefined && flags.write)
  throw new Error('--write replaces all tables of a Node, and --only measures some of them');
const tasks = flags.only === undefined ? TASKS : [flags.only];
const ROUNDS = Number(flags.rounds ?? (flags.quick ? 1 : 5));
const TIME = flags.quick ? 10 : 60;
/** The largest rule sets: a short run leaves the million out. */
const LARGE = flags.quick ? [1000, 100_000] : [1000, 100_000, 1_000_000];
const BUILD = flags.quick ? 100_000 : 1_000_000;
const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PAGE = `# Benchmarks of the rules

Written by \`npm run bench:rules -- --all --write\`, or for one Node with \`--node\`.

Address text in, boolean out: everything is allowed, what the prefixes block is denied. A figure is nanoseconds of processor time for each check, the median of the rounds; in each round every figure comes from a process of its own, in shuffled order. Half of the 4,096 addresses are blocked, and each text is one flat string, as a parser or a resolver hands it out; the first and last addresses of prefixes and their neighbours are among them. The verdicts of each contender are compared with an oracle: what is wrong stands beside the figure. The list of 40 is the special-purpose prefixes in \`bench/rules/data.js\`; the others are random.`;

const jobs = [];
const add = (task, contender, family, count) => {
  if (tasks.includes(task)) jobs.push({ task, contender, family, count, time: TIME });
};
for (const family of [4, 6]) {
  for (const one of ['netjail', READING, 'two net.BlockList', 'ipaddr.js'])
    add('check', one, family, 'special');
  for (const count of [2, 20]) for (const one of ['netjail', ...MATCHERS]) add('check', one, family, count);
  for (const count of LARGE) add('check', 'netjail', family, count);
  for (const one of ['net.BlockList', 'ipaddr.js', 'ip-set', 'longest-prefix-match'])
    add('check', one, family, 1000);
  for (const one of ['ip-set', 'longest-prefix-match']) add('check', one, family, 100_000);
  for (const count of [2, 20, 1000]) add('check', 'Go', family, count);
  for (const one of ['netjail', 'net.BlockList']) add('build', one, family, BUILD);
  for (const one of ['netjail', 'net.BlockList', 'ipaddr.js']) add('memory', one, family, 100_000);
  add('memory', 'netjail', family, 20);
  for (const one of ['netjail', 'ipaddr.js']) add('allocation', one, family, 'special');
}

const folder = mkdtempSync(join(os.tmpdir(), 'netjail-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const go = buildGo();

/** The Go program, or why it is not measured. */
function buildGo() {
  const version = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (version.status !== 0) return { missing: 'not run: no Go toolchain here' };
  const binary = join(folder, 'go-bench');
  const built = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: join(ROOT, 'bench/go'),
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`bench/go does not build: ${built.stderr}`);
  return { binary, version: version.stdout.trim().split(' ')[2] };
}

function goData(family, count) {
  const path = join(folder, `${family}-${count}.json`);
  if (!existsSync(path)) {
    const block = prefixes(family, count);
    const data = { allow: ['0.0.0.0/0', '::/0'], block, probes: probes(family, block), time: TIME };
    writeFileSync(path, JSON.stringify(data));
  }
  return path;
}

function run(node, job) {
  const byGo = job.contender === 'Go';
  if (byGo && go.binary === undefined) return { error: go.missing };
  const [command, args] = byGo
    ? [go.binary, [goData(job.family, job.count)]]
    : [node, ['--expose-gc', '--max-old-space-size=8192', WORKER, JSON.stringify(job)]];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 600_000 });
  if (status !== 0 || stdout === '') return { error: `failed: ${stderr.trim().split('\n').at(-1)}` };
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const median = (list) => list.toSorted((x, y) => x - y)[Math.floor((list.length - 1) / 2)];

/** All rounds of all jobs on one Node: `of(task, contender, family, count)` is the median result. */
function measure(node) {
  const results = new Map();
  const { below } = random(process.pid);
  for (let round = 0; round < ROUNDS; round++) {
    const order = jobs.slice();
    for (let i = order.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (const [index, job] of order.entries()) {
      const key = JSON.stringify([job.task, job.contender, job.family, job.count]);
      if (process.stderr.isTTY)
        process.stderr.write(`\r${round + 1}/${ROUNDS} ${index + 1}/${order.length} `);
      if (!results.has(key)) results.set(key, []);
      results.get(key).push(run(node, job));
    }
  }
  return (task, contender, family, count) => {
    const rounds = results.get(JSON.stringify([task, contender, family, count]));
    if (rounds === undefined) return undefined;
    const error = rounds.find((result) => result.error !== undefined);
    if (error !== undefined) return error;
    const names = Object.keys(rounds[0]);
    return Object.fromEntries(names.map((name) => [name, median(rounds.map((result) => result[name]))]));
  };
}

function nodes() {
  if (!flags.all) return flags.node.length > 0 ? flags.node : [process.execPath];
  const binaries = nodeBinaries();
  if (binaries.length === 0) throw new Error('no Node is installed: npm run test:runtimes installs them');
  return binaries;
}

let wrong = 0;
for (const node of nodes()) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const { text, wrong: here } = report(version, measure(node), { tasks, large: LARGE, build: BUILD, go });
  console.log(text);
  if (flags.write) write(Number(/\d+/.exec(version)[0]), text);
  wrong += here;
}

/** Puts the section of a Node into the page, in place of an earlier one, and leaves the others. */
function write(major, text) {
  const page = join(ROOT, 'docs/benchmarks-rules.md');
  const [heading, ...rest] = text.split('\n');
  const how = flags.quick ? ', a short run (`--quick`)' : '';
  const when = `${new Date().toISOString().slice(0, 10)}, ${os.cpus()[0].model}, ${os.cpus().length} processors, ${os.type()}; the median of ${ROUNDS} rounds${how}${flags.note === undefined ? '' : `; ${flags.note}`}.`;
  const sections = new Map(
    existsSync(page)
      ? readFileSync(page, 'utf8')
          .split(/^(?=## Node )/m)
          .slice(1)
          .map((section) => [Number(/\d+/.exec(section)[0]), section])
      : [],
  );
  sections.set(major, `${heading}\n\n${when}\n${rest.join('\n').trimEnd()}\n\n`);
  const ordered = [...sections].sort(([x], [y]) => x - y).map(([, section]) => section);
  mkdirSync(join(ROOT, 'docs'), { recursive: true });
  writeFileSync(page, `${PAGE}\n\n${ordered.join('').trimEnd()}\n`);
}
if (wrong > 0) {
  console.error(`${wrong} rows of netjail have wrong verdicts`);
  process.exitCode = 1;
}
