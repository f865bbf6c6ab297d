// Copies docs/ into the package while it is packed, and takes it out again: node tools/pack-docs.mjs [--remove]
//
// The examples stay in the repository: what links to one names it instead.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const to = join(root, 'packages/netjail/docs');

rmSync(to, { recursive: true, force: true });
if (!process.argv.includes('--remove')) {
  mkdirSync(to);
  for (const name of readdirSync(join(root, 'docs'))) {
    const text = readFileSync(join(root, 'docs', name), 'utf8');
    writeFileSync(
      join(to, name),
      text.replace(/\[[^\]]*\]\(\.\.\/(examples\/[^)]*)\)/g, '`$1` of the repository'),
    );
  }
}
