// Plugins of Stryker for main.mjs.
import { appendFileSync } from 'node:fs';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';

/** A checker that lets only the mutants of MUTATION_ONLY (their ids) be run. */
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

/** A reporter that writes survivors down as they come: a run that is ended early is not lost. */
class Log {
  onMutantTested({ status, fileName, location: { start }, mutatorName, replacement }) {
    if (status !== 'Survived' && status !== 'NoCoverage') return;
    const file = fileName.slice(fileName.lastIndexOf('/src/') + 5);
    const text = `${file}:${start.line}:${start.column} ${status} ${mutatorName} ${JSON.stringify(replacement)}\n`;
    appendFileSync(process.env.MUTATION_LOG, text);
  }
}

export const strykerPlugins = [
  declareClassPlugin(PluginKind.Checker, 'only', Only),
  declareClassPlugin(PluginKind.Reporter, 'log', Log),
];
