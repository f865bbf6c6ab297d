// Packs netjail, installs the tarball in an empty project and imports every entry point there;
// then publint and attw look at the tarball.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netjail-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const manifest = JSON.parse(readFileSync(join(root, 'packages/netjail/package.json'), 'utf8'));
  if (manifest.dependencies !== undefined) throw new Error('netjail has runtime dependencies');

  const [{ filename, files }] = JSON.parse(
    run('npm', ['pack', '--json', '-w', 'netjail', '--pack-destination', folder], root),
  );
  const tarball = join(folder, filename);
  const stray = files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(?:dist\/.+\.(?:js|d\.ts)|docs\/[\w-]+\.md|schema\/policy\.json|package\.json|README\.md|LICENSE|SECURITY\.md)$/.test(
          path,
        ),
    );
  if (stray.length > 0) throw new Error(`the tarball holds what it should not: ${stray.join(', ')}`);
  for (const wanted of [
    'README.md',
    'LICENSE',
    'SECURITY.md',
    'dist/index.js',
    'dist/index.d.ts',
    'schema/policy.json',
  ]) {
    if (!files.some(({ path }) => path === wanted)) throw new Error(`the tarball lacks ${wanted}`);
  }

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', tarball, '--no-audit', '--no-fund', '--loglevel=error', '--omit=peer'], folder);
  const installed = join(folder, 'node_modules/netjail');
  for (const page of files.map(({ path }) => path).filter((path) => path.endsWith('.md'))) {
    const links = readFileSync(join(installed, page), 'utf8').matchAll(/\]\(([\w./-]+)[#)]/g);
    for (const [, link] of links) {
      // The examples stay in the repository.
      if (page === 'README.md' && link.startsWith('examples/')) continue;
      if (!existsSync(join(installed, dirname(page), link)))
        throw new Error(`${page} of the tarball links to ${link}, which is not there`);
    }
  }
  const entries = Object.keys(manifest.exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => entry.replace('.', 'netjail'));
  const expected = {
    netjail: 'Rules',
    'netjail/http': 'HttpAgent',
    'netjail/undici': 'Dispatcher',
    'netjail/fetch': 'createFetch',
    'netjail/db': 'createSocketOptions',
    'netjail/grpc': 'registerGrpcScheme',
  };
  for (const entry of entries) {
    const name = expected[entry];
    if (name === undefined) throw new Error(`check-package does not know the entry point ${entry}`);
    run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { ${name} } from '${entry}'; if (typeof ${name} !== 'function') process.exit(1)`,
      ],
      folder,
    );
    console.log(`${entry}: imports, with ${name}`);
  }
  // The oldest types of the oldest Node that is supported, none of the clients, everything checked.
  run('npm', ['install', '@types/node@20.19.0', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  writeFileSync(join(folder, 'consumer.ts'), entries.map((entry) => `import '${entry}';\n`).join(''));
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--noEmit'];
  const module = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const { stdout, error, signal } = spawnSync(
    join(root, 'node_modules/.bin/tsc'),
    [...strict, ...module, 'consumer.ts'],
    { cwd: folder, encoding: 'utf8' },
  );
  if (error !== undefined || signal !== null) throw error ?? new Error(`tsc was ended by ${signal}`);
  // Newer compilers find something wrong in these types themselves; the lines behind explain it.
  const others = stdout.split('\n').filter((line) => !/^(?:node_modules\/@types\/node\/| |$)/.test(line));
  if (others.length > 0) throw new Error(others.join('\n'));
  console.log('@types/node 20.19.0: compiles, with everything checked');
  // Without esModuleInterop such a name is `any`, and wrong options compile. TypeScript 7 cannot be asked any more.
  for (const { path } of files.filter((file) => file.path.endsWith('.d.ts'))) {
    const found = /^import \w+(?:, .*)? from 'node:.*/m.exec(readFileSync(join(installed, path), 'utf8'));
    if (found !== null) throw new Error(`${path} has a default import of Node's: ${found[0]}`);
  }
  console.log('types: no default import of a module of Node');

  let hidden = false;
  try {
    run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "await import('netjail/dist/guard.js').then(() => process.exit(0), () => process.exit(3))",
      ],
      folder,
    );
  } catch (error) {
    hidden = error.status === 3;
  }
  if (!hidden) throw new Error('internal modules can be imported from outside');
  console.log('netjail/dist/guard.js: hidden, as it should be');

  console.log(run('npx', ['publint', '--strict', tarball], root));
  console.log(run('npx', ['attw', tarball, '--profile', 'esm-only', '--no-color'], root));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
