// Runs the compiled tests: node test/run.mjs [the node to run them with]
// The files are listed here, since Node 20 and older shells know no patterns. They share two
// processors and real servers, so few run at a time.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { notRun, SERVERS } from '../../../scripts/services/index.mjs';

const build = fileURLToPath(new URL('../.build/test', import.meta.url));
const files = readdirSync(build, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js'))
  .sort()
  .map((file) => `${build}/${file}`);
if (files.length === 0) throw new Error('there are no compiled tests: run npm run build:test');

const binary = process.argv[2] ?? process.execPath;
const { status, error } = spawnSync(
  binary,
  [
    '--test',
    '--test-concurrency=2',
    // A file takes some seconds, and on a busy machine a minute: one that hangs is named and fails.
    '--test-timeout=300000',
    `--test-reporter=${process.env.TEST_REPORTER ?? 'spec'}`,
    '--test-reporter-destination=stdout',
    ...files,
  ],
  // Node 24 and later name what hangs, too, and wait for it all the same.
  { stdio: 'inherit', timeout: 1_200_000 },
);
if (error) throw error;
// Skipped tests are easily overlooked in a long list.
const missing = Object.keys(SERVERS)
  .map(notRun)
  .filter((reason) => reason !== undefined);
if (missing.length > 0)
  console.log(`\n${[...new Set(missing)].join('\n')}\n(npm run services installs them)`);
process.exit(status ?? 1);
