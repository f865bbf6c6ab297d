import {
  closeSync,
  createReadStream,
  openSync,
  readSync,
  statSync,
  type BigIntStats,
  type Stats,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { misuse } from './errors.ts';
import { quote, show } from './internal/assert.ts';
import { parsePolicy } from './policy.ts';
import { MAX_POLICY_LENGTH, type PolicyErrorFacts } from './policy-read.ts';
import type { Rules } from './rules.ts';

/**
 * Reads rules from a policy file in UTF-8; see {@link parsePolicy} for what stands in it.
 *
 * A pipe is read to its end, which is waited for. More than 192 MiB is refused, whatever it comes from.
 *
 * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_POLICY` with file, line and field, as the
 * rejection; errors of the file system (`ENOENT`) pass as they are.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { loadPolicy } from 'netjail';
 *
 * const path = join(tmpdir(), 'egress.json');
 * writeFileSync(path, '{ "allow": ["public"], "block": ["203.0.113.0/24"] }');
 * const rules = await loadPolicy(path);
 * console.log(String(rules)); // ALLOW public, BLOCK 203.0.113.0/24
 * ```
 */
export async function loadPolicy(path: string | URL): Promise<Rules> {
  const source = readPath(path);
  return parsePolicy(await readPolicyText(source), { source });
}

/** {@link loadPolicy} without waiting, for the start of a program; throws what that rejects with. */
export function loadPolicySync(path: string | URL): Rules {
  const source = readPath(path);
  return parsePolicy(readPolicyTextSync(source), { source });
}

/** The path of a policy file, as given. */
export function readPath(path: unknown): string {
  const text = path instanceof URL ? pathOf(path) : path;
  if (typeof text === 'string' && text !== '' && !text.includes('\0')) return text;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ARGUMENT',
    `Cannot read ${path instanceof URL ? quote(String(path)) : show(path)}: the path of a policy is a string or a file URL`,
  );
}

function pathOf(url: URL): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined; // Another scheme, another host, a slash in a name.
  }
}

/** The same file when the program changes its current folder. `..` stays: it may be behind a link. */
export function fixPath(path: string): string {
  if (sep === '\\') return resolve(path);
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

/**
 * Refuses what cannot be read again and again: to open a pipe waits for a writer, for ever maybe, and no
 * second reader gets what the first one got.
 *
 * @throws {SyntaxError} `ERR_NETJAIL_INVALID_POLICY`
 */
export function expectFile(found: Stats | BigIntStats, source: string): void {
  if (found.isFIFO() || found.isSocket() || found.isCharacterDevice())
    throw invalidFile(source, 'it is a pipe, a socket or a device, which cannot be watched');
}

/** Milliseconds after a change from which on another one shows in the times of a file: their clock may tick in two seconds. */
const CLOCK_TICK = 2500;

/**
 * What tells a file from what it was: the same as before when nobody has written it since; `undefined` where
 * that cannot be told yet, and for what is no regular file.
 */
export async function stateOf(path: string, source: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true });
  expectFile(found, source);
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = found;
  if (!found.isFile() || Date.now() - Number(ctimeMs) < CLOCK_TICK) return undefined;
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}

/** The text of a policy file; `source` is what errors call it. */
export async function readPolicyText(path: string, source: string = path): Promise<string> {
  checkSize(source, (await stat(path)).size);
  const chunks: Buffer[] = [];
  // What has no size, a pipe or a device, may have no end either.
  for await (const chunk of createReadStream(path, { end: MAX_BYTES })) chunks.push(chunk as Buffer);
  return decode(source, Buffer.concat(chunks));
}

export function readPolicyTextSync(path: string, source: string = path): string {
  checkSize(source, statSync(path).size);
  const chunks: Buffer[] = [];
  const file = openSync(path, 'r');
  try {
    for (let left = MAX_BYTES + 1; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      // Asks for nothing, and so gets nothing, when it has enough.
      const length = readSync(file, chunk, 0, Math.min(CHUNK, left), null);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      left -= length;
    }
  } finally {
    closeSync(file);
  }
  return decode(source, Buffer.concat(chunks));
}

/** The bytes of the longest policy: at most three of UTF-8 for each UTF-16 unit. */
const MAX_BYTES = 3 * MAX_POLICY_LENGTH;
const CHUNK = 65_536;

function checkSize(source: string, size: number): void {
  if (size > MAX_BYTES) throw invalidFile(source, `it has ${size} bytes`);
}

function decode(source: string, bytes: Uint8Array): string {
  if (bytes.length > MAX_BYTES) throw invalidFile(source, `it has more than ${MAX_BYTES} bytes`);
  try {
    // Drops a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidFile(source, 'it is not UTF-8 text');
  }
}

function invalidFile(source: string, reason: string): SyntaxError & PolicyErrorFacts {
  const message = `Cannot read policy ${quote(source)}: ${reason}`;
  const error = misuse(SyntaxError, 'ERR_NETJAIL_INVALID_POLICY', message);
  const facts: PolicyErrorFacts = { source, line: undefined, column: undefined, field: '' };
  return Object.assign(error, facts);
}
