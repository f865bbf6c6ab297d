// Mutation testing of the values and the policy: each change to the source must fail a test.
// node tools/mutation/main.mjs [address prefix ... policy-read]     all of them when none is named
//
// It exits 1 when a mutant survives that tools/mutation/equivalent.mjs does not list. The tests run
// from source, so it needs Node 24 or later (it takes the one in .cache/runtimes when this one is older).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../nodes.mjs';
import { equivalent } from './equivalent.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const src = 'packages/netjail/src/';

/** Groups of tests, a process each, the quick ones first: the first failure ends the run of a mutant. */
const RULES = [
  ['test/values.test.ts'],
  ['test/parity/vectors.test.ts', 'test/rules.test.ts'],
  ['test/differential.test.ts', 'test/fuzz.test.ts'],
];
const POLICY = [['test/policy-json.test.ts'], ['test/policy.test.ts'], ['test/fuzz.test.ts']];
const TESTS = Object.fromEntries(
  [
    [
      RULES,
      'address prefix carried host ports entry table group list layer rules explain lint internal/order',
    ],
    [POLICY, 'policy-json policy-read'],
  ].flatMap(([tests, names]) => names.split(' ').map((name) => [name, tests])),
);

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
const asked = process.argv.slice(2);
const there = Object.keys(TESTS).filter((name) => existsSync(`${root}${src}${name}.ts`));
const names = asked.length > 0 ? asked : there;
const unknown = names.find((name) => !there.includes(name));
if (unknown !== undefined) throw new Error(`there are no tests for ${unknown}, only for ${there.join(', ')}`);

process.chdir(root);
// Few inputs for each property: a mutant that needs luck is killed by no test.
process.env.FUZZ_RUNS ??= '200';

const start = Date.now();
let killed = 0;
const survivors = [];
const unused = new Set(equivalent);
for (const tests of new Set(Object.values(TESTS))) {
  const mutate = names.filter((name) => TESTS[name] === tests).map((name) => `${src}${name}.ts`);
  if (mutate.length === 0) continue;
  const results = await new Stryker({
    mutate,
    testRunner: 'command',
    commandRunner: {
      command: tests
        .map((group) => `"${process.execPath}" tools/mutation/run.mjs ${group.join(' ')}`)
        .join(' && '),
    },
    // The command runner knows no coverage; the messages of errors are held by their own tests.
    coverageAnalysis: 'off',
    concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 2),
    // Generous: on a busy machine a slow run is no endless loop, and a timeout counts as killed.
    timeoutMS: 60_000,
    reporters: ['clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
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
    checkers: [],
    // TypeScript is read by stripping types: comments that turn checks off are not needed.
    disableTypeChecks: false,
    allowEmpty: false,
    logLevel: 'warn',
  }).runMutationTest();
  for (const { status, fileName, location, replacement, mutatorName } of results) {
    if (status === 'Killed' || status === 'Timeout') killed++;
    if (status !== 'Survived' && status !== 'NoCoverage' && status !== 'RuntimeError') continue;
    const lines = readFileSync(fileName, 'utf8').split('\n');
    const { start: from, end: to } = location; // counted from 1
    const original = lines
      .slice(from.line - 1, to.line)
      .map((text, i, all) =>
        text.slice(i === 0 ? from.column - 1 : 0, i === all.length - 1 ? to.column - 1 : undefined),
      )
      .join('\n');
    const file = fileName.slice(fileName.lastIndexOf(src) + src.length);
    const line = lines[from.line - 1].trim();
    const known = equivalent.find(
      (one) =>
        one.file === file &&
        one.line === line &&
        one.original === original &&
        one.replacement === replacement,
    );
    if (known === undefined)
      survivors.push({ file, number: from.line, line, mutatorName, original, replacement });
    unused.delete(known);
  }
}

for (const { file, number, line, original, replacement, mutatorName } of survivors) {
  console.log(`\n${file}:${number} ${mutatorName}\n  ${line}\n- ${original}\n+ ${replacement}`);
}
for (const { file, line, original, replacement } of unused) {
  if (names.includes(file.replace(/\.ts$/, '')))
    console.log(
      `\nlisted as equivalent, but it did not survive: ${file}: ${line}: ${original} -> ${replacement}`,
    );
}
console.log(
  `\nmutation testing of ${names.join(', ')}: ${killed} killed, ${survivors.length} survived, ` +
    `${equivalent.length - unused.size} equivalent, ${Math.round((Date.now() - start) / 1000)} s`,
);
process.exit(survivors.length > 0 ? 1 : 0);
