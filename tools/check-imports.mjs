// Holds the sources of netjail against the layers: a module imports only from a line above its own.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../packages/netjail/src', import.meta.url));

/** Lower lines first; modules of one line may use each other, in no circle. */
const LAYERS = [
  ['internal/assert.ts', 'internal/bits.ts', 'internal/timer.ts', 'scan.ts', 'verdict.ts', 'errors.ts'],
  ['address.ts', 'prefix.ts', 'carried.ts', 'host.ts', 'ports.ts', 'ranges.data.ts', 'ranges.ts'],
  [
    'entry.ts',
    'intervals.ts',
    'columns.ts',
    'sort.ts',
    'arrange.ts',
    'table.ts',
    'table4.ts',
    'table6.ts',
    'group.ts',
    'merge.ts',
    'list.ts',
    'matching.ts',
    'leftovers.ts',
    'layer.ts',
    'scopes.ts',
    'explain.ts',
    'lint-entries.ts',
    'lint-never.ts',
    'lint-redundant.ts',
    'lint.ts',
    'rules-text.ts',
    'rules.ts',
    'context.ts',
    'events.ts',
    'withdrawn.ts',
    'policy-json.ts',
    'policy-read.ts',
    'policy.ts',
    'policy-file.ts',
    'policy-watch.ts',
  ],
  [
    'resolver.ts',
    'options.ts',
    'target.ts',
    'guard.ts',
    'connect-options.ts',
    'connect.ts',
    'socket.ts',
    'dial.ts',
    'pool.ts',
    'proxied.ts',
    'connecting.ts',
    'connector.ts',
    'pooled-agent.ts',
    'agent-class.ts',
    'dispatched-request.ts',
    'dispatcher-options.ts',
    'drains.ts',
    'dispatcher-pools.ts',
  ],
  ['http/', 'undici/', 'fetch/', 'db/', 'grpc/'],
  ['index.ts'],
];
/** The core touches no socket and no DNS. */
const CORE = 3;
const SOCKETS = /^node:(?:net|tls|dns|dgram|http|https|http2)\b/;

const lineOf = (file) =>
  LAYERS.findIndex((line) =>
    line.some((name) => file === name || (name.endsWith('/') && file.startsWith(name))),
  );
const errors = [];
const imports = new Map();

for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)) {
  const line = lineOf(file);
  if (line === -1) errors.push(`${file} stands in no layer`);
  const own = [];
  for (const [, name] of readFileSync(join(src, file), 'utf8').matchAll(/^(?!\s*\*).*?\bfrom '([^']+)'/gm)) {
    if (!name.startsWith('.')) {
      if (!name.startsWith('node:')) errors.push(`${file} imports the package ${name}`);
      if (line < CORE && SOCKETS.test(name)) errors.push(`${file} is of the core and imports ${name}`);
      continue;
    }
    const target = relative(src, join(src, dirname(file), name));
    own.push(target);
    if (lineOf(target) > line) errors.push(`${file} imports ${target}, which stands above it`);
    const adapter = (path) => (line === 4 ? path.split('/')[0] : undefined);
    if (lineOf(target) === 4 && adapter(file) !== adapter(target))
      errors.push(`${file} imports another adapter, ${target}`);
  }
  imports.set(file, own);
}

const state = new Map();
const visit = (file, path) => {
  if (state.get(file) === 'done') return;
  if (path.includes(file)) {
    errors.push(`a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    return;
  }
  for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
  state.set(file, 'done');
};
for (const file of imports.keys()) visit(file, []);

if (errors.length > 0) {
  console.error(errors.join('\n'));
  process.exit(1);
}
console.log(`${imports.size} modules, imports point one way`);
