// Runs the tests of the netjail package on every Node version that is supported.
// node tools/test-nodes.mjs [version ...]     default: 20.19.0 20 22 24 26
// The versions come from npm (packages node-<platform>-<arch>) into .cache/nodes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.19.0', '20', '22', '24', '26'];
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

function install(version) {
  const folder = `${root}.cache/nodes/${version}`;
  const binary = `${folder}/node_modules/${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
  spawnSync('npm', ['install', `${name}@${version}`, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  });
  return existsSync(binary) ? binary : undefined;
}

const run = (command, args) =>
  spawnSync(command, args, {
    cwd: `${root}packages/netjail`,
    stdio: 'inherit',
    env: { ...process.env, NO_COLOR: '1' },
  });
if (run('npm', ['run', 'build:test', '--silent']).status !== 0) process.exit(1);

const failed = [];
for (const version of versions) {
  const binary = install(version);
  if (binary === undefined) {
    console.error(`Node ${version}: not run, npm has no ${name}@${version} here`);
    failed.push(version);
    continue;
  }
  const exact = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\nNode ${exact}`);
  const result = run(process.execPath, ['test/run.mjs', binary]);
  if (result.status !== 0) failed.push(exact);
}
if (failed.length > 0) {
  console.error(`\nfailed on Node ${failed.join(', ')}`);
  process.exit(1);
}
console.log(`\npassed on Node ${versions.join(', ')}`);
