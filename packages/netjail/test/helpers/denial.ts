import assert from 'node:assert/strict';
import { deniedError, type DeniedError } from '../../src/errors.ts';
import type { Reason } from '../../src/verdict.ts';

export interface Expected {
  host: string;
  reason: Reason;
  address?: string | undefined;
  entry?: string | undefined;
  carried?: string | undefined;
}

/** Asserts that a call ends in a denial with these facts. */
export async function assertDenied(call: Promise<unknown>, expected: Expected): Promise<DeniedError> {
  const error: unknown = await call.then(
    () => assert.fail(`${expected.host} was not denied`),
    (reason: unknown) => reason,
  );
  const denied = deniedError(error);
  assert.ok(denied, `not a denial: ${String((error as Error).stack)}`);
  const { address, reason, entry, carried } = denied.denials[0]!;
  assert.deepEqual(
    {
      code: denied.code,
      host: denied.host,
      reason: denied.reason,
      first: { address, reason, entry, carried },
    },
    {
      code: 'ERR_NETJAIL_DENIED',
      host: expected.host,
      reason: expected.reason,
      first: {
        address: expected.address,
        reason: expected.reason,
        entry: expected.entry,
        carried: expected.carried,
      },
    },
  );
  assert.equal(denied.retryable, false);
  return denied;
}
