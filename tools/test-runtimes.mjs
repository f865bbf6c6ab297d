// Runs netjail on every runtime and writes docs/runtimes.md from what came of it.
// node tools/test-runtimes.mjs [--check] [--no-suite] [--tested] [runtime ...]
//   runtime      20.19.0, 20, 22, 24, 26, bun, deno; default: all. docs/runtimes.md needs all
//   --check      exits 1 when docs/runtimes.md differs (versions aside) instead of writing it
//   --no-suite   leaves the test suite out and only tries the parts and the recipes
//   --tested     npm test has just passed: leaves its suite out for a runtime of the same version
//                as the Node of this script
// The runtimes come from npm (node-<platform>-<arch>, bun, deno) into .cache/runtimes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const packageRoot = join(root, 'packages/netjail');
const recipesFolder = join(root, 'examples/clients');
const page = join(root, 'docs/runtimes.md');
const cache = join(root, '.cache/runtimes');

const ALL = ['20.19.0', '20', '22', '24', '26', 'bun', 'deno'];
const MAJORS = { bun: '1', deno: '2' };
/** The tests that need nothing of Node but node:test; the others hold Node's own clients. */
const EVERYWHERE = [
  'rules',
  'values',
  'entries',
  'explain',
  'policy',
  'errors',
  'context',
  'differences',
  'parity/vectors',
];
/** What is known not to be guarded, and why: anything else that leaks fails the run. */
const KNOWN_LEAKS = {
  'bun node-fetch':
    'Bun puts its own fetch in the place of the package, and that ignores the agent. Use another client.',
};
const ALLOWED = '127.0.0.2';
const DENIED = '127.0.0.1';
const PATIENCE = 60_000;

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = [
  ...flags.filter((flag) => !['--check', '--no-suite', '--tested'].includes(flag)),
  ...wanted.filter((name) => !ALL.includes(name)),
];
if (unknown.length > 0) throw new Error(`not known: ${unknown.join(', ')}`);

/** The command of a runtime, installed when it is not there; undefined where npm has none. */
function install(name) {
  const isNode = /^[0-9]/.test(name);
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const packageName = isNode ? `node-${system}-${process.arch}` : name;
  const binary = join(cache, name, 'node_modules', isNode ? `${packageName}/bin/node` : `.bin/${name}`);
  if (!existsSync(binary)) {
    mkdirSync(join(cache, name), { recursive: true });
    writeFileSync(join(cache, name, 'package.json'), '{ "private": true }\n');
    const version = isNode ? name : MAJORS[name];
    spawnSync(
      'npm',
      ['install', `${packageName}@${version}`, '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: join(cache, name),
        stdio: 'inherit',
      },
    );
  }
  if (!existsSync(binary)) return undefined;
  const said = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout;
  const exact = /[0-9]+\.[0-9]+\.[0-9]+/.exec(said)?.[0];
  if (exact === undefined) throw new Error(`${name} does not run: ${said}`);
  const title = isNode ? `Node ${name}` : name === 'bun' ? 'Bun' : 'Deno';
  return {
    name,
    isNode,
    binary,
    exact,
    title,
    run: name === 'deno' ? ['run', '--allow-all', '--no-lock'] : [],
  };
}

const environment = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };

/** Runs a command; what it printed and how it ended. */
async function output(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: packageRoot,
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const [status] = await once(child, 'close');
  clearTimeout(timer);
  return { status, stdout, stderr };
}

const build = spawnSync('npm', ['run', 'build:test', '--silent'], { cwd: packageRoot, stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const helper = (name) => import(pathToFileURL(join(packageRoot, '.build/test/helpers', name)).href);
const { startLab, tlsCertificate } = await helper('lab.js');
const { webService } = await helper('web-service.js');

/** Labs as the tests have them, ended by hand. */
async function withLabs(use) {
  const ends = [];
  const lab = (kind, service) => startLab({ after: (end) => ends.push(end) }, kind, service);
  try {
    return await use(lab);
  } finally {
    for (const end of ends) await end();
  }
}

const failures = [];

/** What the reporter says of the tests that failed, or its last lines where it says nothing. */
function failingTests(text) {
  const start = text.lastIndexOf('failing tests:');
  return start < 0 ? text.slice(-2000) : text.slice(start, start + 20_000);
}

/** The test suite; on Bun and Deno the part of it that needs nothing of Node's own. */
async function suite({ title, exact, binary, isNode, name }) {
  if (isNode && flags.includes('--tested') && exact === process.versions.node) {
    console.log(`${title} ${exact}: npm test has just run the suite on it`);
    return;
  }
  if (isNode) {
    const child = spawn(process.execPath, ['test/run.mjs', binary], {
      cwd: packageRoot,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      process.stdout.write(part);
      text += part;
    });
    const [status] = await once(child, 'close');
    // Once more at the end, where it is found: tens of thousands of lines come before it.
    if (status !== 0) failures.push(`${title} (${exact}): the test suite\n${failingTests(text)}`);
    return;
  }
  for (const test of EVERYWHERE) {
    const file = `./.build/test/${test}.test.js`;
    const args = name === 'bun' ? ['test', file] : ['test', '--allow-all', '--no-check', '--no-lock', file];
    const { status, stdout, stderr } = await output(binary, args);
    const passed = Number(
      (name === 'bun' ? / ([0-9]+) pass/ : /([0-9]+) passed/).exec(stdout + stderr)?.[1] ?? 0,
    );
    console.log(`${title} ${exact}: ${test}: ${passed} passed, exit ${status}`);
    if (status !== 0 || passed === 0) {
      console.error(stdout + stderr);
      failures.push(`${title} (${exact}): ${test}`);
    }
  }
}

const proxiesOf = (url) =>
  Object.fromEntries([
    ['NODE_USE_ENV_PROXY', '1'],
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, url]),
  ]);

/** The parts of netjail, by test/runtimes/guard.mjs; `proxied`: where the environment names a proxy, the denied server. */
const tryParts = ({ title, binary, run }, proxied = false) =>
  withLabs(async (lab) => {
    const plain = await lab('http');
    const secure = await lab('https');
    const h2 = await lab('h2');
    const authority = join(cache, 'ca.pem');
    writeFileSync(authority, (await tlsCertificate()).cert);
    const { stdout, stderr } = await output(binary, [...run, 'test/runtimes/guard.mjs'], {
      NETJAIL_HTTP: String(plain.port),
      NETJAIL_HTTPS: String(secure.port),
      NETJAIL_H2: String(h2.port),
      NETJAIL_CA: authority,
      ...(proxied ? proxiesOf(`http://user:secret@${DENIED}:${plain.port}`) : {}),
    });
    const results = new Map();
    for (const line of stdout.trim().split('\n')) {
      const { part, result, message } = JSON.parse(line);
      results.set(part, { result, message });
      if (result === 'broken') failures.push(`${title}: ${part}: ${message}`);
    }
    const seen = [plain, secure, h2].reduce((sum, { denied }) => sum + denied.connections, 0);
    const asked = [...plain.allowed.requests, ...secure.allowed.requests].filter(
      ({ url }) => !url.startsWith('/'),
    );
    if (asked.length > 0)
      failures.push(`${title}: a server was asked as a proxy is: ${JSON.stringify(asked)}`);
    if (seen > 0) failures.push(`${title}: the denied servers saw ${seen} connections\n${stdout}`);
    if (!results.has('createFetch()')) failures.push(`${title}: guard.mjs ended early\n${stdout}${stderr}`);
    return results;
  });

/** One recipe, by test/runtimes/recipe.mjs. */
const tryRecipe = ({ title, name, isNode, exact, binary, run }, file, meta) =>
  withLabs(async (lab) => {
    if (isNode && meta.node !== undefined && Number(exact.split('.')[0]) < meta.node)
      return { result: 'absent', message: `it needs Node ${meta.node}` };
    const h2 = file === 'node-http2.js';
    const plain = await lab(h2 ? 'h2c' : 'http', webService({ file }));
    const secure = await lab(h2 ? 'h2' : 'https', webService({ file }));
    // Over TLS only what is denied: runtimes differ in how they are told whom to trust.
    const urls = [
      ...['name.test', ALLOWED, DENIED, 'inner.test'].map((host) => plain.url(host)),
      ...[DENIED, 'inner.test'].map((host) => secure.url(host)),
    ].map((url) => url.replace(/\/$/, ''));
    const args = [
      ...(isNode ? (meta.flags ?? []) : run),
      'test/runtimes/recipe.mjs',
      join(recipesFolder, file),
      ...urls,
    ];
    const { stdout, stderr } = await output(binary, args);
    const outcomes = stdout
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const key = `${isNode ? 'node' : name} ${meta.client}`;
    if (plain.denied.connections + secure.denied.connections > 0) {
      if (KNOWN_LEAKS[key] === undefined) failures.push(`${title}: ${meta.client} is not guarded\n${stdout}`);
      return { result: 'leaks', message: KNOWN_LEAKS[key] };
    }
    if (KNOWN_LEAKS[key] !== undefined) failures.push(`${title}: ${meta.client} does not leak any more`);
    const hello = `hello from ${ALLOWED}`;
    const reached = plain.allowed.connections > 0 && outcomes.slice(0, 2).every(({ text }) => text === hello);
    const kept = outcomes.slice(2).every(({ denied: reasons }) => reasons.includes('blocked'));
    if (outcomes.length === urls.length && reached && kept) return { result: 'guarded' };
    const [first] = outcomes;
    if (first?.code?.startsWith('ERR_NETJAIL_'))
      return { result: 'refused', message: first.error.replace(/^\S+ /, '') };
    const message =
      outcomes.find(({ text }) => text !== hello)?.error?.trim() ?? stderr.trim().split('\n')[0];
    if (isNode) failures.push(`${title}: ${meta.client}: ${JSON.stringify(outcomes)} ${stderr}`);
    return { result: 'absent', message };
  });

const recipes = [];
for (const file of readdirSync(recipesFolder).filter((one) => one.endsWith('.js'))) {
  // Without running it: its package may not load here.
  const text = readFileSync(join(recipesFolder, file), 'utf8');
  const source = /^export const meta = (\{.*?^\});$/ms.exec(text)?.[1];
  const meta = new Function(`'use strict'; return (${source});`)();
  if (meta.kind === 'http' && meta.way !== 'none') recipes.push({ file, meta });
}
recipes.sort((a, b) => a.meta.client.toLowerCase().localeCompare(b.meta.client.toLowerCase(), 'en'));

const columns = [];
for (const name of wanted.length > 0 ? wanted : ALL) {
  const runtime = install(name);
  if (runtime === undefined) {
    failures.push(`${name}: not run, npm has none here`);
    continue;
  }
  console.log(`\n${runtime.title} (${runtime.exact})`);
  if (!flags.includes('--no-suite')) await suite(runtime);
  const parts = await tryParts(runtime);
  for (const [part, { result }] of await tryParts(runtime, true)) {
    const without = parts.get(part)?.result;
    if (result !== without)
      failures.push(
        `${runtime.title}: ${part}: ${result} where the environment names a proxy, else ${without}`,
      );
  }
  const clients = new Map();
  for (const { file, meta } of recipes) clients.set(meta.client, await tryRecipe(runtime, file, meta));
  columns.push({ ...runtime, parts, clients });
  for (const [what, { result, message }] of [...parts, ...clients])
    console.log(
      `${result.padEnd(8)} ${what}${message === undefined ? '' : `: ${String(message).slice(0, 160)}`}`,
    );
}

const WORDS = {
  guarded: 'guarded',
  refused: 'refuses',
  absent: '–',
  leaks: '**not guarded**',
  broken: '**broken**',
};

/** One table, and below it why something is not guarded. */
function table(head, of) {
  const rows = [...columns[0][of].keys()];
  const notes = new Map();
  const lines = rows.map((row) => {
    const cells = columns.map((column) => {
      const { result, message } = column[of].get(row);
      if (message === undefined) return WORDS[result];
      // Ports differ from run to run.
      const text = `${result === 'refused' ? 'Refused' : result === 'leaks' ? 'Not guarded' : 'Does not run'}: ${message.replace(/:[0-9]{4,5}\b/g, ':port')}`;
      if (!notes.has(text)) notes.set(text, notes.size + 1);
      return `${WORDS[result]} <sup>${notes.get(text)}</sup>`;
    });
    return `| ${row} | ${cells.join(' | ')} |`;
  });
  return [
    `| ${head} | ${columns.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length)}`,
    ...lines,
    '',
    ...[...notes].map(([text, number]) => `${number}. ${text}`),
  ].join('\n');
}

if (wanted.length === 0 && failures.length === 0) {
  const versions = columns.map(({ title, exact }) => `${title.split(' ')[0]} ${exact}`).join(', ');
  const text = `<!-- Generated by npm run test:runtimes. Do not edit. -->

# Runtimes

What is guarded where. Each cell was tried: the runtime used the part or the client while servers in another process counted what reached them. **guarded**: what is allowed was reached, by name and by address, and the denied servers saw no connection, over TLS neither. **refuses**: netjail throws, at import or construction, and nothing was connected. The parts were tried a second time where the environment names a proxy, and did the same. **–**: the runtime or the package does not do it, whatever the guard.

Run with ${versions}.

## The parts of netjail

${table('part', 'parts')}

## HTTP clients, by the recipes of [clients.md](clients.md)

${table('client', 'clients')}

## What differs

- Bun and Deno have a \`fetch\` and a \`WebSocket\` of their own. They take no dispatcher and open their sockets outside of \`node:net\`, so \`netjail/fetch\` throws on import there. Use \`netjail/http\` with a client that takes an agent, or let the traffic leave through a filtering proxy.
- Bun answers the import of \`undici\` and \`node-fetch\` with stand-ins of its own. \`netjail/undici\` refuses the stand-in. The real package under another name (\`"undici8": "npm:undici@8"\`) is guarded.
`;
  const bare = (content) => content.replace(/^Run with .*$/m, '');
  if (flags.includes('--check')) {
    if (!existsSync(page) || bare(readFileSync(page, 'utf8')) !== bare(text))
      failures.push('docs/runtimes.md differs from what was found: run npm run test:runtimes');
  } else {
    writeFileSync(page, text);
    console.log('\nwrote docs/runtimes.md');
  }
}
if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n${failures.join('\n')}`);
  process.exit(1);
}
console.log(`\npassed on ${columns.map(({ title, exact }) => `${title} (${exact})`).join(', ')}`);
process.exit(0);
