// Holds netjail's addresses, prefixes and rules against Go's net/netip, live:
// node tools/differential/main.mjs [--count 200000] [--seed 1]
// The package must be built. Without a Go toolchain it says so and ends well.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Address, Prefix, Rules } from '../../packages/netjail/dist/index.js';
import { cases } from './cases.mjs';

const { values: flags } = parseArgs({
  options: { count: { type: 'string', default: '200000' }, seed: { type: 'string', default: '' } },
});
const COUNT = Number(flags.count);
const SEED = flags.seed === '' ? Date.now() % 2 ** 31 : Number(flags.seed);
if (!Number.isSafeInteger(COUNT) || COUNT < 1 || !Number.isSafeInteger(SEED))
  throw new Error('--count and --seed are whole numbers');
const BATCH = 5000;

if (spawnSync('go', ['version']).status !== 0) {
  console.log('differential against Go: not run: no Go toolchain here');
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'netjail-differential-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const binary = join(folder, 'differential');
const source = fileURLToPath(new URL('go', import.meta.url));
const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: source, encoding: 'utf8' });
if (built.status !== 0) throw new Error(`the Go program does not build: ${built.stderr}`);

const go = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();

async function ask(questions) {
  go.stdin.write(`${questions.map((question) => JSON.stringify(question)).join('\n')}\n\n`);
  const answers = [];
  for (let i = 0; i < questions.length; i++) {
    const { value, done } = await lines.next();
    if (done) throw new Error('the Go program ended early');
    answers.push(JSON.parse(value));
  }
  return answers;
}

function attempt(parse) {
  try {
    return parse();
  } catch (error) {
    // Anything else than the documented error is a bug of its own.
    if (!(error instanceof SyntaxError) || !error.code.startsWith('ERR_NETJAIL_INVALID_')) throw error;
    return null;
  }
}

/** What netjail answers to the same question. */
const ours = {
  address: (text) =>
    attempt(() => {
      const address = Address.parse(text);
      return [address.toString(), address.unmap().toString(), address.zone];
    }),
  prefix: (text) =>
    attempt(() => {
      const prefix = Prefix.parse(text);
      return [prefix.toString(), prefix.masked().toString()];
    }),
};

/** A question about rules as Go is asked it: unmapped first, the one stated difference of parsing. */
function unmapped([, allow, block, text]) {
  const prefix = (entry) => Prefix.parse(entry).unmap().toString();
  return ['rules', allow.map(prefix), block.map(prefix), Address.parse(text).unmap().toString()];
}

const differences = [];
const counts = { address: 0, prefix: 0, rules: 0, refused: 0, mapped: 0, carried: 0, unspecified: 0 };
const differ = (question, own, theirs, why = '') => differences.push({ question, own, theirs, why });
/** Where netjail denies and Go accepts, Go itself must say that the carried address is blocked. */
const followUps = [];

function compareRules(question, theirs) {
  const [, allow, block, text] = question;
  const rules = new Rules({ allow, block });
  const verdict = rules.judge(text);
  const accepted = rules.accept(text);
  const target = Address.parse(text);
  const [, unmappedAllow, unmappedBlock] = unmapped(question);
  const canonical = (list) => list.map((entry) => Prefix.parse(entry).toString()).join(' ');
  const anyMapped =
    canonical(allow) !== unmappedAllow.join(' ') || canonical(block) !== unmappedBlock.join(' ');
  if (anyMapped || target.mapped) counts.mapped++;
  // The text keeps mapped entries as they were written; Go was asked about unmapped ones.
  if (!anyMapped && rules.toString() !== theirs[1])
    differ(question, rules.toString(), theirs, 'the text of the rules');
  if (verdict.allowed !== accepted) differ(question, verdict, theirs, 'judge and accept disagree');
  if (Rules.parse(rules.toString()).id !== rules.id)
    differ(question, rules.toString(), theirs, 'parse of toString');
  if (accepted === theirs[0]) return;
  // Never looser than Go; stricter only for the stated reasons.
  if (accepted) return differ(question, verdict, theirs, 'looser than Go');
  const everything = ['0.0.0.0/0', '::/0'];
  if (verdict.reason === 'loopback-blocked' && /^(?:0\.0\.0\.0|::)$/.test(target.unmap().toString())) {
    counts.unspecified++;
    followUps.push([question, ['127.0.0.1', '::1'].map((one) => ['rules', everything, unmappedBlock, one])]);
  } else if (verdict.reason === 'carried-address-blocked' && !target.mapped && target.family === 6) {
    counts.carried++;
    const readings =
      verdict.carried === '0.0.0.0' ? [verdict.carried, '127.0.0.1', '::1'] : [verdict.carried];
    followUps.push([question, readings.map((one) => ['rules', everything, unmappedBlock, one])]);
  } else {
    differ(question, verdict, theirs, 'stricter than Go for no stated reason');
  }
}

const next = cases(SEED);
const start = Date.now();
for (let done = 0; done < COUNT; done += BATCH) {
  const questions = Array.from({ length: Math.min(BATCH, COUNT - done) }, next);
  const asked = questions.map((question) => (question[0] === 'rules' ? unmapped(question) : question));
  const answers = await ask(asked);
  for (const [i, question] of questions.entries()) {
    const [kind, text] = question;
    counts[kind]++;
    if (kind === 'rules') {
      compareRules(question, answers[i]);
      continue;
    }
    const own = ours[kind](text);
    if (own === null) counts.refused++;
    if (JSON.stringify(own) !== JSON.stringify(answers[i])) differ(question, own, answers[i]);
  }
  for (const [question, asks] of followUps.splice(0)) {
    const blocked = (await ask(asks)).some(([accepted]) => !accepted);
    if (!blocked)
      differ(
        question,
        'denied',
        'nothing that it reaches is blocked',
        'stricter than Go for no stated reason',
      );
  }
}
go.stdin.end();

console.log(
  `differential against Go's net/netip: ${COUNT} questions, seed ${SEED}, ${Date.now() - start} ms: ` +
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
);
if (differences.length > 0) {
  for (const difference of differences.slice(0, 20)) console.error(JSON.stringify(difference));
  console.error(`${differences.length} differences from Go that docs/differences-from-go.md does not state`);
  process.exitCode = 1;
}
