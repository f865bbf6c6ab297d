// The tests of one mutant in this process, ended by the first that fails:
// node tools/mutation/run.mjs test/rules.test.ts ...   (paths below packages/netjail; Node 24 or later)
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../packages/netjail/', import.meta.url));
const files = process.argv.slice(2).map((file) => root + file);
let passed = 0;
run({ files, isolation: 'none', concurrency: 1 })
  .on('test:fail', () => process.exit(1))
  .on('test:pass', () => passed++)
  .on('end', () => process.exit(passed > 0 ? 0 : 1))
  .resume();
