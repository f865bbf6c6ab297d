// A checker of Stryker that lets only the mutants of MUTATION_ONLY (their ids) be run.
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';

class Only {
  async init() {}

  async check(mutants) {
    const ids = new Set(JSON.parse(process.env.MUTATION_ONLY));
    return Object.fromEntries(
      mutants.map(({ id }) => [
        id,
        ids.has(id) ? { status: 'passed' } : { status: 'compileError', reason: 'not asked for' },
      ]),
    );
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'only', Only)];
