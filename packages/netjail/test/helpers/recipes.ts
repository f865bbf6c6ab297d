// The recipes of examples/clients, which are what docs/clients.md shows. They use the built
// package, as a user does.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Netjail from '../../src/index.ts';
import { packageRoot } from './data.ts';

/** The built package, that of the recipes. `netjail/fetch` first: an undici loaded earlier hides Node's own. */
export const netjail: typeof Netjail = await (async () => {
  if (!existsSync(join(packageRoot, 'dist/index.js')))
    throw new Error('the package is not built: npm run build');
  await import(String('netjail/fetch'));
  return (await import(String('netjail'))) as typeof Netjail;
})();

export interface Meta {
  kind: 'http' | 'database' | 'messaging' | 'other';
  client: string;
  package?: string;
  versions: string;
  node?: number;
  flags?: string[];
  way: 'agent' | 'dispatcher' | 'fetch' | 'dial' | 'socket' | 'options' | 'resolver' | 'none';
  why: string;
  hop: string;
  unguarded?: string;
  denial?: 'error' | 'message' | 'event';
}

export interface Handle {
  /** Talks to the server once; resolves with what only the server knows. */
  use(argument?: string): Promise<string>;
  close(): unknown;
  [more: string]: unknown;
}

export interface Recipe {
  file: string;
  meta: Meta;
  open(guard: object, target: unknown, ...more: unknown[]): Handle | Promise<Handle>;
}

export const recipesFolder: string = join(packageRoot, '../../examples/clients');

export async function recipe(file: string): Promise<Recipe> {
  const module = (await import(pathToFileURL(join(recipesFolder, file)).href)) as Omit<Recipe, 'file'>;
  return { file, meta: module.meta, open: module.open };
}

/** The recipes of one kind, without loading those of the others (and their packages). */
export async function recipes(kind: Meta['kind']): Promise<Recipe[]> {
  const files = readdirSync(recipesFolder)
    .filter((file) => file.endsWith('.js'))
    .sort()
    .filter((file) => readFileSync(join(recipesFolder, file), 'utf8').includes(`kind: '${kind}'`));
  const loaded: Recipe[] = [];
  for (const file of files) loaded.push(await recipe(file));
  return loaded;
}

/** Why a recipe cannot run in this process; `undefined` when it can. */
export function notRun({ client, node, flags }: Meta): string | undefined {
  if (node !== undefined && Number(process.versions.node.split('.')[0]) < node)
    return `not run: ${client} needs Node ${node}`;
  const missing = flags?.find((flag) => !process.execArgv.includes(flag));
  return missing === undefined ? undefined : `not run here: ${client} needs node ${missing}`;
}
