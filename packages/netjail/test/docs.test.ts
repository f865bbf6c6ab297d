import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { packageRoot } from './helpers/data.ts';

const root = dirname(dirname(packageRoot));
mkdirSync(join(packageRoot, '.cache'), { recursive: true });
// Inside the package, so that `netjail` and `undici` are found as a user finds them.
const folder = mkdtempSync(join(packageRoot, '.cache/snippets-'));
after(() => rmSync(folder, { recursive: true }));

const sources = [
  join(root, 'README.md'),
  join(root, 'SECURITY.md'),
  ...readdirSync(join(root, 'docs')).map((name) => join(root, 'docs', name)),
  ...readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(packageRoot, 'src', name),
  ),
].filter((path) => /\.(?:md|ts)$/.test(path));

describe('snippets', () => {
  let found = 0;
  for (const path of sources) {
    const text = readFileSync(path, 'utf8').replace(/^ *\* ?/gm, path.endsWith('.ts') ? '' : '$&');
    for (const match of text.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)) {
      const line = text.slice(0, match.index).split('\n').length;
      const number = ++found;
      it(`${relative(root, path)} line ${line} runs and prints what it says`, () => {
        const file = join(folder, `${number}.mjs`);
        writeFileSync(file, match[1]!);
        const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', file], {
          encoding: 'utf8',
          timeout: 20_000,
        });
        assert.equal(status, 0, stderr);
        const lines = stdout.trimEnd().split('\n');
        const comments = [...match[1]!.matchAll(/console\.log\(.*?\/\/ (.*)$/gm)].map(
          ([, comment]) => comment!,
        );
        assert.ok(comments.length > 0, 'a snippet prints something');
        // In the order printed; a remark may stand behind what is printed.
        for (const comment of comments)
          assert.ok(
            lines.some(
              (printed) =>
                comment === printed ||
                comment.startsWith(`${printed} (`) ||
                comment.startsWith(`${printed}: `),
            ),
            `${comment}\nis not in\n${stdout}`,
          );
        assert.equal(lines.length, comments.length, stdout);
      });
    }
  }

  it('are there', () => {
    assert.ok(found >= 12, `${found} snippets`);
    assert.ok(existsSync(join(packageRoot, 'dist/index.js')), 'the package is not built: npm run build');
  });
});

describe('documents', () => {
  for (const name of ['README.md', 'SECURITY.md', 'LICENSE']) {
    it(`${name} of the package is that of the project`, () => {
      assert.equal(readFileSync(join(packageRoot, name), 'utf8'), readFileSync(join(root, name), 'utf8'));
    });
  }

  it('README.md links to files that exist', () => {
    for (const [, target] of readFileSync(join(root, 'README.md'), 'utf8').matchAll(
      /\]\((?!https?:)([^)]+)\)/g,
    )) {
      assert.ok(existsSync(join(root, target!)), target);
    }
  });
});

describe('docs/differences-from-go.md', () => {
  it('names tests that there are', () => {
    const text = readFileSync(join(root, 'docs/differences-from-go.md'), 'utf8');
    const named = [...text.matchAll(/([a-z/-]+\.test)(?:: \*([^*]+)\*)?/g)];
    assert.ok(named.length > 15);
    for (const [, file, title] of named) {
      const source = readFileSync(join(packageRoot, 'test', `${file}.ts`), 'utf8');
      assert.ok(source.includes(title ?? ''), `${file}: ${title}`);
    }
  });
});
