// fast-check for the tests that mocha runs (spec.mjs): the same inputs for each mutant, and few.
import * as fc from 'fast-check';

const most = Number(process.env.FUZZ_RUNS);
// A mutant is killed by any failure: the smallest input is not looked for.
fc.configureGlobal({ seed: 1, endOnFailure: true, numRuns: Math.min(100, most) });

export * from 'fast-check';

export function assert(property, options = {}) {
  return fc.assert(property, {
    ...options,
    ...(options.numRuns > most ? { numRuns: most } : undefined),
  });
}
