// What mocha loads in each worker of Stryker: the tests of MUTATION_TESTS (paths below packages/netjail),
// whose `node:test` and `fast-check` are the ones beside this file.
import { registerHooks } from 'node:module';

const own = {
  'node:test': new URL('node-test.mjs', import.meta.url).href,
  'fast-check': new URL('fast-check.mjs', import.meta.url).href,
};
registerHooks({
  resolve: (specifier, context, next) =>
    own[specifier] !== undefined && context.parentURL?.endsWith('.ts')
      ? { url: own[specifier], shortCircuit: true }
      : next(specifier, context),
});

const LOADING = 'the tests load';
const root = new URL('../../packages/netjail/', import.meta.url);
let failure;
const stryker = (globalThis.__stryker__ ??= {});
// What runs while the tests are loaded is covered by a test of its own: otherwise Stryker takes each
// mutant there as one of the module level, and starts a worker and runs all tests for it. main.mjs does
// that afterwards for those that the tests at run time do not kill.
stryker.currentTestId = LOADING;
try {
  await warmUp();
  for (const file of process.env.MUTATION_TESTS.split(' ')) await import(new URL(file, root));
  const { unknownNames } = await import(own['node:test']);
  if (unknownNames.size > 0) throw new Error(`no test is called ${[...unknownNames].join(', ')}`);
} catch (error) {
  failure = error;
}
stryker.currentTestId = undefined;

it(LOADING, () => {
  if (failure !== undefined) throw failure;
});

/** Tables that are made once in a process must not be those of the first mutant that is run. */
async function warmUp() {
  const { Rules } = await import(new URL('src/rules.ts', root));
  const { ranges } = await import(new URL('src/ranges.ts', root));
  const rules = new Rules({ allow: ['public'], block: Object.keys(ranges) });
  for (const address of ['8.8.8.8', '2606:4700::1']) rules.accept(address);
}
