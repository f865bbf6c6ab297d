import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the netjail package, wherever the compiled test stands below it. */
export const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

export function readData<T>(name: string): T {
  return JSON.parse(readFileSync(join(packageRoot, 'test/data', name), 'utf8')) as T;
}

export interface GoVectors {
  accept: { allow: string[]; block: string[]; addr: string; accept: boolean; tags?: string[] }[];
  string: { allow: string[]; block: string[]; string: string }[];
  parsePrefix: { in: string; ok: boolean; out?: string; masked?: string }[];
  parseAddr: {
    in: string;
    ok: boolean;
    out?: string;
    unmap?: string;
    is4: boolean;
    is4in6: boolean;
    zone?: string;
  }[];
  dial: {
    allow: string[];
    block: string[];
    network: string;
    address: string;
    resolved: string[] | null;
    lookupHost?: string;
    dialed?: string;
    denied: boolean;
    error?: string;
  }[];
}

export const go: GoVectors = readData<GoVectors>('go-netjail.json');
