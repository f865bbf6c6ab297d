// Real servers from scripts/services, and the recipes of examples/clients that talk to them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Netjail from '../../src/index.ts';
import { packageRoot } from './data.ts';

/** One door of a service, open on both addresses at one port. */
export interface Sites {
  port: number;
  allowed: Counter;
  denied: Counter;
}

export interface Counter {
  /** Exact: whoever connected before the call is counted. */
  connections(): Promise<number>;
}

export interface Service {
  host: string;
  denied: string;
  port: number;
  tlsPort?: number;
  /** A second door: the server names the denied address to those who come through it. */
  advertisingPort?: number;
  sites: Sites[];
  connections(): Promise<{ allowed: number; denied: number }>;
  /** The server's own count, where it has one. */
  serverSaw?: () => Promise<number>;
  stop(): Promise<void>;
  cert?: string;
  /** Names, passwords and the like. */
  [fact: string]: unknown;
}

interface Services {
  notRun(name: string): string | undefined;
  startService(name: string): Promise<Service>;
}

const root = join(packageRoot, '../..');
const load = async (path: string): Promise<unknown> => import(pathToFileURL(join(root, path)).href);

export const { notRun, startService } = (await load('scripts/services/index.mjs')) as Services;

/** The built package, which is the one that the recipes use. */
export const netjail: typeof Netjail = await (async () => {
  if (!existsSync(join(packageRoot, 'dist/index.js')))
    throw new Error('the package is not built: npm run build');
  return (await import(String('netjail'))) as typeof Netjail;
})();

export interface Meta {
  client: string;
  way: string;
  denial?: 'error' | 'message' | 'event';
}

export interface Handle {
  /** Talks to the server once; resolves with what only the server knows. */
  use(argument?: unknown): Promise<string>;
  close(): unknown;
  [more: string]: unknown;
}

/** Puts a server of the test's own behind both addresses, counted. */
export const { openSites } = (await load('scripts/services/lib/sites.mjs')) as {
  openSites(target: { host: string; port: number }): Promise<Sites & { close(): Promise<void> }>;
};

export interface Recipe {
  meta: Meta;
  open(guard: object, target: object, ...more: unknown[]): Handle | Promise<Handle>;
}

export const loadRecipe = async (file: string): Promise<Recipe> =>
  (await load(`examples/clients/${file}`)) as Recipe;
