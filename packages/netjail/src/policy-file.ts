import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { misuse } from './errors.ts';
import { quote, show } from './internal/assert.ts';
import { parsePolicy } from './policy.ts';
import { MAX_POLICY_LENGTH } from './policy-read.ts';
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

/** The path of a policy file; a relative one is below the current folder. */
export function readPath(path: unknown): string {
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_INVALID_ARGUMENT',
    `Cannot read ${show(path)}: the path of a policy is a string or a file URL`,
  );
}

export async function readPolicyText(source: string): Promise<string> {
  checkSize(source, (await stat(source)).size);
  const chunks: Buffer[] = [];
  // What has no size, a pipe or a device, may have no end either.
  for await (const chunk of createReadStream(source, { end: MAX_BYTES })) chunks.push(chunk as Buffer);
  return decode(source, Buffer.concat(chunks));
}

export function readPolicyTextSync(source: string): string {
  checkSize(source, statSync(source).size);
  const chunks: Buffer[] = [];
  const file = openSync(source, 'r');
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

function invalidFile(source: string, reason: string): SyntaxError {
  return misuse(SyntaxError, 'ERR_NETJAIL_INVALID_POLICY', `Cannot read policy ${quote(source)}: ${reason}`);
}
