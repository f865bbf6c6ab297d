// What is no file, read as a policy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadPolicy, loadPolicySync } from '../src/policy-file.ts';
import { Rules } from '../src/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'netjail-policy-file-'));
after(() => rmSync(folder, { recursive: true }));

describe('a policy', () => {
  // First: a stream of another test closes its file a little later.
  it('is closed when it was read, and when it could not be', () => {
    const path = join(folder, 'closed.json');
    writeFileSync(path, '{ "allow": ["::1"] }');
    // The next file gets the lowest number that is free.
    const free = (): number => {
      const file = openSync(path, 'r');
      closeSync(file);
      return file;
    };
    const before = free();
    assert.equal(String(loadPolicySync(path)), 'ALLOW ::1');
    assert.throws(() => loadPolicySync(folder), { code: 'EISDIR' });
    assert.equal(free(), before);
  });

  const endless = {
    name: 'SyntaxError',
    code: 'ERR_NETJAIL_INVALID_POLICY',
    message: 'Cannot read policy "/dev/zero": it has more than 201326592 bytes',
  };

  it('is refused when it is a device without an end, after as much as a policy may have', async () => {
    await assert.rejects(() => loadPolicy('/dev/zero'), endless);
    assert.throws(() => loadPolicySync('/dev/zero'), endless);
  });

  it('is read to the end of a pipe', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const allow = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const [rules] = await Promise.all([loadPolicy(path), writeFile(path, JSON.stringify({ allow }))]);
    assert.equal(rules.id, new Rules({ allow }).id);
  });
});
