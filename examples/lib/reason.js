import { deniedError } from 'netjail';

/**
 * What went wrong in one line, for the operator and nobody else: a denial with its addresses, or
 * the innermost cause. (`fetch` says only "fetch failed", and Node gives several refused addresses
 * an error without a message.)
 */
export function reasonOf(error) {
  const denied = deniedError(error);
  if (denied !== undefined) return denied.message;
  const seen = new Set();
  let inner = error;
  while (inner?.cause instanceof Error && !seen.has(inner)) {
    seen.add(inner);
    inner = inner.cause;
  }
  return inner?.message || inner?.code || String(inner);
}
