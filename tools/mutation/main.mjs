// Mutation testing of the values and the policy: each change to the source must fail a test.
// node tools/mutation/main.mjs [--quick | --fresh] [address prefix rules:1-120 ...]     all when none is named
//
// It exits 1 when a mutant survives that tools/mutation/equivalent.mjs does not list, and writes the
// survivors of each module to .cache/mutation as well. The tests run from source, so it needs Node 24 or
// later (it takes the one in .cache/runtimes when this one is older).
//
// Stryker's workers run the tests with mocha (spec.mjs), those that reach the mutant and no others, in one
// process for many mutants. A mutant that survives that and is reached while the tests are loaded, or by
// nothing, is run a second time: all tests in a new process, in which it is there from the start.
// That takes seconds for each: --quick leaves it out, and prints them as unsure. --fresh runs
// each mutant in that way only: the slowest way, to see whether one mutant is in the way of the next.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../nodes.mjs';
import { equivalent } from './equivalent.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const src = 'packages/netjail/src/';

/** The tests of a set, the quick ones first: the first failure ends the run of a mutant. */
const RULES = [
  'test/engine.test.ts',
  'test/values.test.ts',
  'test/values-read.test.ts',
  'test/parity/vectors.test.ts',
  'test/rules.test.ts',
  'test/rules-text.test.ts',
  'test/judge.test.ts',
  'test/entries.test.ts',
  'test/explain.test.ts',
  'test/lint.test.ts',
  'test/tables.test.ts',
  'test/differential.test.ts',
  'test/fuzz.test.ts',
];
const POLICY = [
  'test/verdict.test.ts',
  'test/policy-json.test.ts',
  'test/policy.test.ts',
  'test/policy-file.test.ts',
  'test/fuzz.test.ts',
];
const TESTS = Object.fromEntries(
  [
    [
      RULES,
      'address scan prefix carried host ports entry intervals columns arrange table table4 table6 group merge list matching leftovers layer scopes rules rules-text explain lint lint-entries lint-never lint-redundant internal/bits sort',
    ],
    [POLICY, 'policy-json policy-read policy policy-file verdict'],
  ].flatMap(([tests, names]) => names.split(' ').map((name) => [name, tests])),
);

/** Tests of these files that are left out: a mutant must not be killed by a busy machine. */
const LEFT_OUT = [
  // They measure time, which the switches for the mutants change as well.
  ['test/tables.test.ts', 'find the deciding entry without a walk through the list'],
  ['test/entries.test.ts', 'judge as fast as a table look-up when there are thousands'],
  // Thousands of entries each, so that a way that takes minutes is noticed: what is found in them, the tests
  // of few entries ask for as well.
  ...[
    'each host has its own ports and each block, too',
    'all ports are blocked, by ranges that overlap',
    'entries differ by their port only',
    'a range is written again and again',
  ].map((when) => ['test/lint.test.ts', `ends when ${when}`]),
  // It measures memory.
  ['test/tables.test.ts', 'take no more memory for many hosts beside a long list of blocks'],
  // It starts a process, which no mutant reaches, and measures memory.
  ['test/tables.test.ts', 'allocates nothing on the hot path: millions of calls and no garbage collection'],
  // A second each: one of them is kept.
  ...[
    'all over the space',
    'in one small network',
    'in one network, with others far away',
    'at both ends',
  ].map((where) => ['test/tables.test.ts', `answer as the oracle for 1500 prefixes ${where}`]),
];

if (Number(process.versions.node.split('.')[0]) < 24) {
  const newer = nodeBinary('24') ?? nodeBinary('26');
  if (newer === undefined) {
    console.error('mutation testing: not run: it needs Node 24 (npm run test:runtimes installs it)');
    process.exit(1);
  }
  const { status } = spawnSync(newer, process.argv.slice(1), { stdio: 'inherit', cwd: root });
  process.exit(status ?? 1);
}

const { Stryker } = await import('@stryker-mutator/core');
const flags = new Set(process.argv.slice(2).filter((text) => text.startsWith('--')));
const modulesAsked = process.argv.slice(2).filter((text) => !text.startsWith('--'));
const asked = modulesAsked.map((text) => {
  const [name, lines] = text.split(':');
  return { name, lines };
});
const there = Object.keys(TESTS).filter((name) => existsSync(`${root}${src}${name}.ts`));
const modules = asked.length > 0 ? asked : there.map((name) => ({ name, lines: undefined }));
const unknown = modules.find(({ name }) => !there.includes(name))?.name;
if (unknown !== undefined) throw new Error(`there are no tests for ${unknown}, only for ${there.join(', ')}`);

process.chdir(root);
const reports = '.cache/mutation';
const temporary = `${root}${reports}/temporary`;
mkdirSync(temporary, { recursive: true });
// A worker that is ended by force cleans nothing up.
process.env.TMPDIR = temporary;
process.env.MUTATION_LOG = `${root}${reports}/as-they-come.txt`;
writeFileSync(process.env.MUTATION_LOG, '');
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
// Few inputs for each property: a mutant that needs luck is killed by no test.
process.env.FUZZ_RUNS ??= '60';

const LOADING = 'the tests load'; // as spec.mjs calls it

function run(mutate, more) {
  return new Stryker({
    mutate,
    testRunner: 'mocha',
    mochaOptions: { spec: ['tools/mutation/spec.mjs'], extension: ['mjs'], 'no-config': true },
    plugins: ['@stryker-mutator/mocha-runner', `${root}tools/mutation/plugins.mjs`],
    concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 2),
    // An endless loop: this and twice the time that the tests of the mutant took without it.
    timeoutMS: 5000,
    timeoutFactor: 2,
    reporters: ['progress-append-only', 'log'],
    ignorePatterns: [
      '.cache',
      '.ci',
      'docs',
      'bench',
      'examples',
      'packages/netjail/.build',
      'packages/netjail/dist',
    ],
    tempDirName: '.cache/stryker',
    // TypeScript is read by stripping types: comments that turn checks off are not needed.
    disableTypeChecks: false,
    allowEmpty: false,
    logLevel: 'warn',
    ...more,
  }).runMutationTest();
}

/** The status of each mutant. */
async function judged(mutate) {
  if (flags.has('--fresh')) return run(mutate, { coverageAnalysis: 'off' });
  const results = await run(mutate, { coverageAnalysis: 'perTest', ignoreStatic: false });
  const again = new Set(
    results
      .filter(
        ({ status, coveredBy }) =>
          status === 'NoCoverage' || (status === 'Survived' && coveredBy?.includes(LOADING)),
      )
      .map(({ id }) => id),
  );
  if (again.size === 0) return results;
  if (flags.has('--quick'))
    return results.map((one) => (again.has(one.id) ? { ...one, status: 'Unsure' } : one));
  console.log(`${again.size} of ${results.length} mutants a second time, in a process of their own`);
  process.env.MUTATION_ONLY = JSON.stringify([...again]);
  const second = await run(mutate, { coverageAnalysis: 'off', checkers: ['only'] });
  const status = new Map(second.map((one) => [one.id, one.status]));
  return results.map((one) => (again.has(one.id) ? { ...one, status: status.get(one.id) } : one));
}

const start = Date.now();
const counts = {};
const survivors = [];
const unused = new Set(equivalent);
for (const tests of new Set(Object.values(TESTS))) {
  const here = modules.filter(({ name }) => TESTS[name] === tests);
  if (here.length === 0) continue;
  process.env.MUTATION_TESTS = tests.join(' ');
  process.env.MUTATION_LEFT_OUT = JSON.stringify(
    LEFT_OUT.filter(([file]) => tests.includes(file)).map(([, name]) => name),
  );
  const results = await judged(
    here.map(({ name, lines }) => `${src}${name}.ts${lines === undefined ? '' : `:${lines}`}`),
  );
  for (const { status, fileName, location, replacement, mutatorName } of results) {
    const file = fileName.slice(fileName.lastIndexOf(src) + src.length);
    const count = (counts[file.replace(/\.ts$/, '')] ??= {});
    count[status] = (count[status] ?? 0) + 1;
    if (status === 'Killed' || status === 'Timeout') continue;
    const lines = readFileSync(fileName, 'utf8').split('\n');
    const { start: from, end: to } = location; // counted from 1
    const original = lines
      .slice(from.line - 1, to.line)
      .map((text, i, all) =>
        text.slice(i === 0 ? from.column - 1 : 0, i === all.length - 1 ? to.column - 1 : undefined),
      )
      .join('\n');
    const line = lines[from.line - 1].trim();
    const known = equivalent.find(
      (one) =>
        one.file === file &&
        one.line === line &&
        one.original === original &&
        one.replacement === replacement,
    );
    if (known === undefined)
      survivors.push({ file, status, number: from.line, line, mutatorName, original, replacement });
    unused.delete(known);
  }
}

const text = ({ file, status, number, line, original, replacement, mutatorName }) =>
  `\n${file}:${number} ${mutatorName}${status === 'Survived' ? '' : ` (${status})`}\n  ${line}\n- ${original}\n+ ${replacement}`;
for (const survivor of survivors) console.log(text(survivor));
for (const { file, line, original, replacement } of unused) {
  if (modules.some(({ name, lines }) => file === `${name}.ts` && lines === undefined))
    console.log(
      `\nlisted as equivalent, but it did not survive: ${file}: ${line}: ${original} -> ${replacement}`,
    );
}
for (const { name, lines } of modules) {
  const counted = Object.entries(counts[name] ?? {}).map(([status, count]) => `${count} ${status}`);
  const summary = `${name}${lines === undefined ? '' : `:${lines}`}: ${counted.join(', ')}`;
  console.log(`\n${summary}`);
  writeFileSync(
    `${reports}/${name.replaceAll('/', '-')}${lines === undefined ? '' : `.${lines}`}.txt`,
    [summary, ...survivors.filter(({ file }) => file === `${name}.ts`).map(text), ''].join('\n'),
  );
}
console.log(
  `\n${survivors.length} survived, ${equivalent.length - unused.size} more are equivalent, ` +
    `${Math.round((Date.now() - start) / 1000)} s`,
);
process.exit(survivors.length > 0 ? 1 : 0);
