// The tables of one Node, and the goals beside them.
import { MATCHERS, READING } from './contenders.js';

/** How many times faster than two net.BlockList a whole policy should be; [IPv4, IPv6] by Node. */
const POLICY_GOALS = { 20: [50, 25], 22: [40, 20], 24: [7, 4], 26: [7, 4] };
const IPADDR_GOAL = 15;
/** At most this many times the time at 20 prefixes; [IPv4, IPv6]. */
const FLAT_GOALS = { 1000: [1.3, 1.5], 100_000: [2, 2.5], 1_000_000: [3, 4] };
/** How many times faster than the Go library: at 2 prefixes it may take 1.2 times as long. */
const GO_GOALS = { 2: 1 / 1.2, 20: 1.5, 1000: 15 };
const MEMORY_GOALS = { 4: 12, 6: 40 };
const SMALL_GOAL = 4096;
const BUILD_GOAL = 8;

const number = (value, digits = 0) =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const times = (value) => `${number(value, value < 10 ? 2 : 1)}x`;
const met = (ok) => (ok ? 'met' : 'NOT met');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** A figure with what is wrong with it: nanoseconds, wrong verdicts, or why there is none. */
function cell(result) {
  if (result === undefined) return '';
  if (result.error !== undefined) return result.error;
  const text = number(result.ns, result.ns < 100 ? 1 : 0);
  return result.wrong > 0 ? `${text}, WRONG ${result.wrong} of ${result.asked}` : text;
}

const right = (result) => result !== undefined && result.error === undefined && result.wrong === 0;
const ratio = (other, own, name = 'ns') =>
  other?.[name] === undefined || own?.[name] === undefined ? undefined : other[name] / own[name];

const families = [4, 6];
const judged = (value, goal, atMost = false) =>
  value === undefined ? 'not run' : met(atMost ? value <= goal : value >= goal);

/** The tables of what was measured; `of(task, contender, family, count)` gives the median result. */
export function report(version, of, { tasks, large, build, go }) {
  const major = Number(version.slice(1).split('.')[0]);
  const check = (contender, family, count) => of('check', contender, family, count);
  const sections = {
    check: () => checkTables(check, major, large, go),
    memory: () => memoryTable(of),
    build: () => buildTable(of, build),
    allocation: () => allocationTable(of),
  };
  const texts = Object.entries(sections).flatMap(([task, text]) => (tasks.includes(task) ? [text()] : []));
  const counts = tasks.includes('check') ? [...new Set(['special', 2, 20, ...large])] : [];
  const own = families.flatMap((family) => [
    ...counts.map((count) => check('netjail', family, count)),
    ...(tasks.includes('build') ? [of('build', 'netjail', family, build)] : []),
  ]);
  const wrong = own.filter((one) => !right(one)).length;
  return { text: `## Node ${version}\n\n${texts.join('\n')}`, wrong };
}

/** Address text in, boolean out. */
function checkTables(check, major, large, go) {
  const policy = families.map((family, i) => {
    const own = check('netjail', family, 'special');
    const blockList = check('two net.BlockList', family, 'special');
    const ipaddr = check('ipaddr.js', family, 'special');
    const goal = POLICY_GOALS[major]?.[i];
    const [x, y] = [ratio(blockList, own), ratio(ipaddr, own)];
    return [
      `IPv${family}`,
      cell(own),
      number(check(READING, family, 'special').ns, 1),
      cell(blockList),
      times(x),
      goal === undefined ? '' : `${goal}x: ${judged(x, goal)}`,
      cell(ipaddr),
      times(y),
      `${IPADDR_GOAL}x: ${judged(y, IPADDR_GOAL)}`,
    ];
  });

  const matchers = families.flatMap((family) =>
    [2, 20, 1000, 100_000].map((count) => {
      const own = check('netjail', family, count);
      const peers = MATCHERS.map((name) => check(name, family, count));
      const best = Math.min(...peers.filter(right).map(({ ns }) => ns));
      return [
        `IPv${family}`,
        number(count),
        `${cell(own)}: ${met(right(own) && own.ns < best)}`,
        ...peers.map(cell),
      ];
    }),
  );

  const flat = families.flatMap((family, i) =>
    large.map((count) => {
      const own = check('netjail', family, count);
      const at20 = check('netjail', family, 20);
      const x = ratio(own, at20);
      const goal = FLAT_GOALS[count][i];
      return [
        `IPv${family}`,
        number(count),
        cell(own),
        cell(at20),
        times(x),
        `at most ${goal}x: ${judged(x, goal, true)}`,
      ];
    }),
  );

  const goRows = families.flatMap((family) =>
    [2, 20, 1000].map((count) => {
      const own = check('netjail', family, count);
      const theirs = check('Go', family, count);
      const x = ratio(theirs, own);
      const goal = GO_GOALS[count];
      return [
        `IPv${family}`,
        number(count),
        cell(own),
        cell(theirs),
        x === undefined ? '' : times(x),
        `${number(goal, 2)}x: ${judged(x, goal)}`,
      ];
    }),
  );

  return `### A whole policy: allow everything, block the 40 special-purpose prefixes

*Reading alone* is no matcher: a loop that looks at each character of the text once and does nothing with it.

${table(['', 'netjail', 'reading alone', 'two net.BlockList', 'ratio', 'goal', 'ipaddr.js', 'ratio', 'goal'], policy)}

### Beside every matcher

netjail meets its goal where it is faster than each that gives right verdicts.

${table(['', 'prefixes', 'netjail', ...MATCHERS], matchers)}

### Flat in the number of prefixes

${table(['', 'prefixes', 'netjail', 'at 20', 'ratio', 'goal'], flat)}

### Beside Go

${go.missing ?? `${go.version}. \`bench/go\` answers as the Go library's \`ParseAddr\` and \`Accept\` do, by the same walk over \`net/netip\` prefixes; it is not the library itself.`}

${table(['', 'prefixes', 'netjail', 'Go', 'times faster', 'goal'], goRows)}
`;
}

function memoryTable(of) {
  const memory = families.flatMap((family) => [
    ...['netjail', 'net.BlockList', 'ipaddr.js'].map((name) => {
      const result = of('memory', name, family, 100_000);
      const each = (value) => number(value / 100_000, 1);
      const goal = MEMORY_GOALS[family];
      return [
        `IPv${family}`,
        '100,000',
        name,
        result.error ?? `${each(result.bytes)} a prefix`,
        result.error === undefined ? `${each(result.rss)} a prefix` : '',
        name === 'netjail' ? `${goal} a prefix: ${judged(result.bytes / 100_000, goal, true)}` : '',
      ];
    }),
    ...[of('memory', 'netjail', family, 20)].map(({ bytes, rss, error }) => [
      `IPv${family}`,
      '20',
      'netjail',
      error ?? number(bytes),
      error === undefined ? number(rss) : '',
      `${number(SMALL_GOAL)}: ${judged(bytes, SMALL_GOAL, true)}`,
    ]),
  ]);

  return `### Memory

Bytes by which the process grows, after collection: heap and external memory (array buffers are part of it), and the resident set, which the collector does not give back at once. Rule sets were built and dropped before; the figure is the mean over 24 more of netjail, 4 of the others, 500 small ones. net.BlockList keeps its data outside of the heap: only its resident set says something.

${table(['', 'prefixes', '', 'heap and external', 'resident set', 'goal'], memory)}
`;
}

function buildTable(of, count) {
  const building = families.map((family) => {
    const own = of('build', 'netjail', family, count);
    const blockList = of('build', 'net.BlockList', family, count);
    const x = ratio(blockList, own, 'ms');
    const ms = (result) => result.error ?? `${number(result.ms)} ms${result.wrong > 0 ? ', WRONG' : ''}`;
    return [
      `IPv${family}`,
      number(count),
      ms(own),
      ms(blockList),
      x === undefined ? '' : times(x),
      `${BUILD_GOAL}x: ${judged(x, BUILD_GOAL)}`,
    ];
  });

  return `### Building from text

Milliseconds of processor time, collection of garbage included; the modules are loaded before, and the texts are flat.

${table(['', 'prefixes', 'netjail', 'net.BlockList', 'ratio', 'goal'], building)}
`;
}

function allocationTable(of) {
  const allocation = families.map((family) => {
    const [own, other] = ['netjail', 'ipaddr.js'].map((name) => of('allocation', name, family, 'special'));
    return [`IPv${family}`, number(own.bytes, 1), number(other.bytes, 1), `0: ${met(own.bytes < 0.5)}`];
  });

  return `### Allocation

Bytes of heap for each check of the whole policy, from batches without a collection.

${table(['', 'netjail', 'ipaddr.js', 'goal'], allocation)}
`;
}
