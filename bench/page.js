// docs/benchmarks.md: what is printed for each row, and how it is put into the page.
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';

const BY_ITSELF = '### Each process by itself';

const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
const tableLine = (cells) => `| ${cells.join(' | ')} |`;

/** The first two lines of a table. What runs alone is not in one process with others. */
export function headerOf(isAlone) {
  const cells = [
    'connections',
    'compared',
    'to',
    'prefixes',
    'time per request',
    'middle half of the restarts',
    'A/A: plain beside plain, middle half',
    'CPU',
    ...(isAlone ? [] : ['time, in one process']),
    'goal',
    'denies 127.0.0.1',
  ];
  return [tableLine(cells), tableLine(cells.map(() => '---'))];
}

/** The line of one row of the bench. */
export function lineOf(title, row, { cpu, wall, range, error, together, denies }) {
  return tableLine([
    row.fresh ? 'new' : 'keep-alive',
    title,
    row.a,
    row.count,
    percent(wall),
    ...[range, error].map((half) => half.map(percent).join(' to ')),
    percent(cpu),
    ...(together === undefined ? [] : [percent(together)]),
    row.goal === undefined ? '' : `${row.goal} %`,
    denies ? 'yes' : 'NO',
  ]);
}

/** Puts the lines into the part of their Node, in the place of earlier ones of the same kind. */
export function writePage(run) {
  const page = new URL('../docs/benchmarks.md', import.meta.url);
  const heading = `## Node ${/\d+/.exec(run.version)[0]}\n`;
  const parts = readFileSync(page, 'utf8')
    .split(/^(?=## Node )/m)
    .slice(1);
  const earlier = parts.find((part) => part.startsWith(heading)) ?? heading;
  const others = parts.filter((part) => part !== earlier);
  const [inTurns, alone = ''] = earlier.split(new RegExp(`^(?=${BY_ITSELF}$)`, 'm'));
  const own = textOf(run);
  const part = run.isAlone
    ? `${inTurns.trimEnd()}\n\n${BY_ITSELF}\n\n${own}`
    : `${heading}\n${own}\n${alone}`;
  const all = [...others, part].toSorted((x, y) => Number(/\d+/.exec(x)) - Number(/\d+/.exec(y)));
  writeFileSync(page, `${[introductionOf(run), ...all].map((text) => text.trimEnd()).join('\n\n')}\n`);
}

function textOf({ version, lines, restarts, warmUp }) {
  const machine = `${os.cpus()[0].model}, ${os.cpus().length} processors, Linux`;
  const date = new Date().toISOString().slice(0, 10);
  return `${version}, ${date}, ${machine}. ${restarts} restarts, ${warmUp} requests for warming up.\n\n${lines.join('\n')}\n`;
}

function introductionOf({ turns, requests, copies, restartsTogether }) {
  return `# Benchmarks

Requests of a guarded client against the same client without a guard, on loopback, one at a time, written by \`npm run bench -- --write\` (\`--node\` runs the clients on another Node, \`--only\` some of the rows). The figures are how much more the guarded one takes. Time per request, the server's part included: the median ratio of ${turns} turns of ${requests} requests to the mean of two plain processes that take turns with it, after so many requests for warming up as each part says, in turns like these (a process that waits is slower afterwards), and of these the median of so many restarts of all three. Beside the middle half of these restarts stands what the two plain processes differ by, of the same restarts: a figure says no more than that allows. CPU: the processor time of the client's process alone, of all turns together, garbage collection and compiling included. In one process, where a part has that column: ${copies} clients of each kind in one process, ${turns} turns of ${requests} requests of each kind in mixed order, the median of ${restartsTogether} restarts; what a process or a connection happens to start with counts less there. A row is worth nothing unless it denies what it must; that is asked for last, so that no connection has failed in a process that is measured.

Each process by itself (\`--alone\`): the same, but the three of a restart run one after another, in an order that is left to chance, each from its start to its end. It is not interrupted by the others then; but what the machine does meanwhile, and what a process happens to start with, is in the figures, so the restarts differ by more.`;
}
