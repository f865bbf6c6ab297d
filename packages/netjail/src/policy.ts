import { misuse } from './errors.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import { readPolicy } from './policy-read.ts';
import { Rules } from './rules.ts';

/** Options of {@link parsePolicy}. */
export interface PolicyOptions {
  /** What errors call the policy: a file name. */
  readonly source?: string | undefined;
}

/**
 * Reads rules from the text of a policy: JSON with comments and trailing commas.
 *
 * - `"allow"` (must be there) and `"block"` are arrays of entries, as `new Rules` takes them.
 * - `"lists"` names arrays of entries, and `"@name"` stands for all entries of a list, in `allow`,
 *   `block` and other lists. A list that nothing refers to, and one that refers to itself, is an
 *   error.
 * - `"$schema"` is for editors: the JSON Schema is `netjail/schema/policy.json`.
 * - A key that stands twice, any other key, and text of more than 67,108,864 characters is an error.
 *
 * @throws {SyntaxError | TypeError} `ERR_NETJAIL_INVALID_POLICY`, with `source`, `line`, `column` and
 * `field` as properties and in the message: `Cannot read policy "egress.json": line 3 column 12,
 * allow[1]: ...`; its `cause` is the error of the entry, where an entry is wrong.
 *
 * @example
 * ```ts
 * import { parsePolicy } from 'netjail';
 *
 * const rules = parsePolicy(`{
 *   "lists": { "partners": ["198.51.100.0/24", "203.0.113.7"] },
 *   "allow": ["@partners"], // and nobody else
 *   "block": ["198.51.100.1"],
 * }`);
 * console.log(String(rules)); // ALLOW 198.51.100.0/24 203.0.113.7, BLOCK 198.51.100.1
 * ```
 */
export function parsePolicy(text: string, options: PolicyOptions = {}): Rules {
  if (typeof text !== 'string') {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot read ${show(text)} as a policy: it is not a string`,
    );
  }
  if (!isRecord(options)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot use ${show(options)} as options: they are an object`,
    );
  }
  const { source, ...unknown } = readOnce(options);
  const other = Reflect.ownKeys(unknown)[0];
  if (other !== undefined) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_OPTION',
      `Cannot use option ${show(String(other))}: there is no such option`,
    );
  }
  if (source !== undefined && typeof source !== 'string') {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_OPTION',
      `Cannot use option "source": it is a string, not ${show(source)}`,
    );
  }
  return readPolicy(text, source, (lists) => new Rules(lists as never));
}
