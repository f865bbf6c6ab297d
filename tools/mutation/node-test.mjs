// `node:test` for the tests that mocha runs (spec.mjs): its functions over mocha's globals.
// Tests with options or a context are not in the mutation set.
const left = new Set(JSON.parse(process.env.MUTATION_LEFT_OUT ?? '[]'));

/** Names that were to be left out and that no test has. */
export const unknownNames = new Set(left);

export function it(name, body) {
  unknownNames.delete(name);
  if (!left.has(name)) globalThis.it(name, body);
}

export function describe(name, body) {
  globalThis.describe(name, body);
}

/** The tests run once for each mutant, in one process: what they clean up is needed until its end. */
export function after(body) {
  process.on('exit', body);
}
