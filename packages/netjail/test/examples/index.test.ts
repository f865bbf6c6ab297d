// What all examples have in common.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../helpers/data.ts';
import { load } from '../helpers/examples.ts';
import { netjail } from '../helpers/recipes.ts';

const root = join(packageRoot, '../..');
const index = readFileSync(join(root, 'examples/README.md'), 'utf8');
const folders = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['lib', 'node_modules'].includes(entry.name))
  .map(({ name }) => name);

describe('examples', () => {
  it('each folder is in the list, and each command of the list is there', () => {
    for (const name of folders) assert.ok(index.includes(`| [${name}](${name}) |`), `${name} is not listed`);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const commands = [...index.matchAll(/`npm run (example:[\w-]+)`/g)].map(([, name]) => name!);
    assert.deepEqual(
      commands.sort(),
      Object.keys(scripts)
        .filter((name) => name.startsWith('example:'))
        .sort(),
    );
    for (const command of commands) {
      const name = command.slice('example:'.length);
      const readme = readFileSync(join(root, 'examples', name, 'README.md'), 'utf8');
      assert.ok(readme.includes(`npm run ${command}`), `${name}/README.md does not name its command`);
    }
  });

  it('their READMEs link to files that exist', () => {
    for (const name of ['.', ...folders]) {
      const path = join(root, 'examples', name, 'README.md');
      if (!existsSync(path)) continue;
      for (const [, target] of readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g))
        assert.ok(existsSync(join(path, '..', target!)), `${name}: ${target}`);
    }
  });

  it('reasonOf() finds the denial or the innermost cause, and never says nothing', async () => {
    const { reasonOf } = await load<{ reasonOf(error: unknown): string }>('lib/reason.js');
    const denial = netjail.Rules.parse('').judge('10.0.0.1');
    assert.ok(!denial.allowed);
    const denied = new netjail.DeniedError({ host: 'a.test', port: 1, denials: [denial] });
    assert.equal(reasonOf(new TypeError('fetch failed', { cause: denied })), denied.message);
    assert.equal(reasonOf(new AggregateError([new Error('other'), denied])), denied.message);
    assert.equal(reasonOf(new TypeError('fetch failed', { cause: new Error('refused') })), 'refused');
    assert.equal(reasonOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED');
    assert.equal(reasonOf(undefined), 'undefined');
    const circle = new Error('circle');
    circle.cause = circle;
    assert.equal(reasonOf(circle), 'circle');
  });
});
