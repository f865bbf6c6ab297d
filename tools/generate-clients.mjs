// Writes docs/clients.md from examples/clients: a table of every client, then the recipes.
// node tools/generate-clients.mjs          writes the file
// node tools/generate-clients.mjs --check  exits 1 when the file on disk differs
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'examples/clients');
const target = join(root, 'docs/clients.md');
const MOST_LINES = 6;

const KINDS = {
  http: 'HTTP',
  database: 'Databases and caches',
  messaging: 'Messaging and RPC',
  other: 'Others',
};
const WAYS = {
  agent: 'agent',
  dispatcher: 'dispatcher',
  fetch: 'fetch',
  dial: 'dial',
  socket: 'socket',
  options: 'options',
  resolver: 'resolver',
  none: '**not guarded**',
};
const DENIALS = {
  error: '`deniedError(error)`',
  message: 'in the message',
  event: 'event only',
};
const FIELDS = {
  kind: Object.keys(KINDS),
  client: 'text',
  package: 'optional',
  versions: 'text',
  node: 'optional',
  flags: 'optional',
  way: Object.keys(WAYS),
  why: 'text',
  hop: 'text',
  unguarded: 'optional',
  denial: Object.keys(DENIALS),
};

/**
 * The value of `export const meta` without running the file: its packages may not be installed, or
 * not load on this Node.
 */
function readMeta(file, text) {
  const source = /^export const meta = (\{.*?^\});$/ms.exec(text)?.[1];
  if (source === undefined) throw new Error(`${file}: there is no \`export const meta = { ... };\``);
  const meta = new Function(`'use strict'; return (${source});`)();
  for (const [name, rule] of Object.entries(FIELDS)) {
    const value = meta[name];
    if (rule === 'optional' && value === undefined) continue;
    // A client that nothing guards has no denial.
    if (name === 'denial' && meta.way === 'none' && value === undefined) continue;
    if (Array.isArray(rule) ? !rule.includes(value) : value === undefined || value === '')
      throw new Error(`${file}: meta.${name} is ${JSON.stringify(value)}`);
  }
  const unknown = Object.keys(meta).find((name) => !(name in FIELDS));
  if (unknown !== undefined) throw new Error(`${file}: meta.${unknown} is not known`);
  return meta;
}

/** The lines between the markers, and what the file imports for them. */
function readRecipe(file, text) {
  const inside = /^ *\/\/ recipe\n(.*?)^ *\/\/ end\n/ms.exec(text)?.[1];
  if (inside === undefined) throw new Error(`${file}: there is no recipe between its markers`);
  const lines = inside.trimEnd().split('\n');
  if (lines.length > MOST_LINES) throw new Error(`${file}: the recipe has ${lines.length} lines`);
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  const recipe = lines.map((line) => line.slice(indent)).join('\n');
  const imports = [...text.matchAll(/^import (.*?) from '(.*?)';$/gms)]
    .filter(([, , from]) => !from.startsWith('.'))
    .flatMap(([, names, from]) => {
      const used = (name) => new RegExp(`\\b${name}\\b`).test(recipe);
      const inBraces = /^\{(.*)\}$/s
        .exec(names)?.[1]
        .split(',')
        .map((name) => name.trim());
      if (inBraces === undefined)
        return used(names.replace(/^\* as /, '')) ? [`import ${names} from '${from}';`] : [];
      const wanted = inBraces.filter((name) => name !== '' && used(name.replace(/^.* as /, '')));
      return wanted.length === 0 ? [] : [`import { ${wanted.join(', ')} } from '${from}';`];
    });
  return `${imports.join('\n')}\n\n${recipe}`;
}

const requireHere = createRequire(pathToFileURL(join(folder, 'README.md')));

/** The version that is installed, which is the one that the tests ran with. */
function installed(name) {
  for (const path of requireHere.resolve.paths(name)) {
    const manifest = join(path, name, 'package.json');
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version;
  }
  throw new Error(`${name} is not installed: npm ci`);
}

const clients = readdirSync(folder)
  .filter((file) => file.endsWith('.js'))
  .sort()
  .map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const meta = readMeta(file, text);
    return { file, ...meta, recipe: meta.way === 'none' ? undefined : readRecipe(file, text) };
  })
  .sort((a, b) => a.client.toLowerCase().localeCompare(b.client.toLowerCase(), 'en'));

const anchor = (client) =>
  client
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
const cell = (text) => text.replaceAll('|', '\\|');
const needs = ({ node, flags }) =>
  [
    node === undefined ? [] : `Node ${node}`,
    flags === undefined ? [] : flags.map((flag) => `\`${flag}\``),
  ].flat();

function table(rows) {
  const lines = rows.map((row) => {
    const name = row.recipe === undefined ? row.client : `[${row.client}](#${anchor(row.client)})`;
    const tested = row.package === undefined ? '' : ` (tested: ${installed(row.package)})`;
    const need = needs(row).length === 0 ? '' : `; needs ${needs(row).join(', ')}`;
    return `| ${[
      name,
      `${row.versions}${tested}${need}`,
      WAYS[row.way],
      row.hop,
      row.denial === undefined ? '–' : DENIALS[row.denial],
      row.unguarded ?? '–',
    ]
      .map(cell)
      .join(' | ')} |`;
  });
  return [
    '| client | versions | way | addresses met on the way | the denial | what is not guarded |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

const parts = Object.entries(KINDS).flatMap(([kind, title]) => {
  const rows = clients.filter((client) => client.kind === kind);
  if (rows.length === 0) return [];
  // Not ```js: the recipes are executed from their files, not from here.
  const recipes = rows
    .filter(({ recipe }) => recipe !== undefined)
    .map(
      ({ client, why, recipe, file }) =>
        `### ${client}\n\n${why}\n\n\`\`\`javascript\n${recipe}\n\`\`\`\n\n[${file}](../examples/clients/${file})`,
    );
  const unguarded = rows
    .filter(({ recipe }) => recipe === undefined)
    .map(({ client, why }) => `### ${client}\n\n${why}`);
  return [`## ${title}`, table(rows), ...recipes, ...unguarded];
});

const text = `<!-- Generated by tools/generate-clients.mjs from examples/clients. Do not edit. -->

# Clients

How each client is guarded. The recipes are the executed example files: the tests drive the real packages through them, and each must reach an allowed server by literal and by name, be denied by literal and by name, and leave no trace on the denied one.

In each recipe \`guard\` is what every adapter takes, \`url\` or \`target\` is where to go:

\`\`\`javascript
const guard = { rules: new Rules({ allow: ['public'] }) };
\`\`\`

Without \`rules\` those in effect at the call count. Make agents, dispatchers and fetches once, not for each request: dispatchers and fetches keep the connections, and so do agents that are given \`keepAlive: true\`, as those that are in Node's and the SDKs' own clients are. \`dial\` has no TCP keep-alive either, unless it is given \`keepAlive: true\`. Clients of databases and brokers share connections and open new ones when they want to, from whatever call is running then, and clients that queue their calls send what waits from another one: give these \`rules\`.

The way says what netjail gives to the client: an **agent** (\`netjail/http\`), a **dispatcher** (\`netjail/undici\`, \`netjail/fetch\`), a **fetch** (\`netjail/fetch\`), the **dial** (\`createDial\`) that opens its sockets, a guarded **socket** (\`dial.socket()\`) that it connects itself, **options** for the socket that it opens itself, judged before it has them, or a **resolver** of its names. On Node 20 import \`netjail/fetch\` before packages that load an undici of their own.

**The denial** says how you see it: \`deniedError(error)\` finds the error, or the client keeps only its message, or only \`netjail:verdict\` tells.

${parts.join('\n\n')}

## Clients that pass options on

They take what a client above takes and hand it on. Each was tried at a denied address by hand, and \`deniedError(error)\` finds its denial; the tests do not run them. Those that retry do so after a denial too.

| client | as | what it takes |
| --- | --- | --- |
| AI SDK | OpenAI | \`createOpenAI({ fetch })\` |
| Anthropic | OpenAI | \`new Anthropic({ fetch })\` |
| LangChain | OpenAI | \`new ChatOpenAI({ configuration: { fetch } })\` |
| octokit | OpenAI | \`new Octokit({ request: { fetch } })\` |
| graphql-request | OpenAI | \`new GraphQLClient(url, { fetch })\` |
| drizzle | pg | \`drizzle({ connection: { ...connection, stream } })\` from \`drizzle-orm/node-postgres\`, with \`stream: () => dial.socket()\` |
| @prisma/adapter-pg | pg | \`new PrismaPg({ ...connection, stream })\`, with \`stream: () => dial.socket()\` |
| mssql | tedious | \`options: { connector }\`; the denial is in \`originalError\` |
| mongoose | mongodb | the URL and the options of the recipe: \`mongoose.connect(url, options)\` |

## Clients that cannot be guarded

Besides those above whose way is **not guarded**:

- **cassandra-driver** makes its \`net.Socket\`s itself, and its AddressTranslator is not asked for contact points.
- **neo4j-driver** makes its sockets itself, and its \`resolver\` is not asked for \`bolt:\` URLs.
- **snowflake-sdk** makes its agents itself.
- **Prisma with its Rust engine** and **pg-native** connect in native code. Use @prisma/adapter-pg and pg.
- **puppeteer**, **playwright** and **simple-git** start browsers and git, which are processes of their own.

Let these leave through a firewall or a filtering proxy.

## Defaults of the process

What takes no agent or fetch, but uses those of the process, is guarded when they are replaced:

\`\`\`js
import http from 'node:http';
import https from 'node:https';
import { Rules } from 'netjail';
import { createFetch } from 'netjail/fetch'; // before undici
import { HttpAgent, HttpsAgent } from 'netjail/http';
import { Dispatcher } from 'netjail/undici';
import { Agent, setGlobalDispatcher } from 'undici';

const guard = { rules: new Rules({ allow: ['public'] }) };
globalThis.fetch = createFetch(guard);
http.globalAgent = new HttpAgent({ ...guard, keepAlive: true });
https.globalAgent = new HttpsAgent({ ...guard, keepAlive: true });
setGlobalDispatcher(new Dispatcher({ Agent, ...guard }));

http.get('http://127.0.0.1/').on('error', (error) => {
  console.log(error.reason); // not-allowed
});
\`\`\`

This is no guard of the whole process: who brings agents of its own, says \`agent: false\` or took the old defaults before is not reached. Do it first of all.

\`setGlobalDispatcher\` reaches every call of that undici that names no dispatcher, and the \`fetch\` and the \`WebSocket\` of the runtime. With undici 6 on Node 26 it does not reach the runtime: undici 6 sets \`undici.globalDispatcher.1\` only, and Node 26 reads \`.2\`. So assign \`globalThis.fetch\` too, and give each \`WebSocket\` its \`dispatcher\`.
`;

if (process.argv.includes('--check')) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    console.error(
      'docs/clients.md differs from what examples/clients give: run node tools/generate-clients.mjs',
    );
    process.exit(1);
  }
  console.log(`docs/clients.md is what ${clients.length} recipes give`);
} else {
  writeFileSync(target, text);
  console.log(`wrote ${clients.length} clients to docs/clients.md`);
}
