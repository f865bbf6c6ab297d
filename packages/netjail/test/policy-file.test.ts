// What is no file, read as a policy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { expectFile, fixPath, loadPolicy, loadPolicySync, stateOf } from '../src/policy-file.ts';
import { Rules } from '../src/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'netjail-policy-file-'));
after(() => rmSync(folder, { recursive: true }));

/** The path of a new pipe: a test may run again in the same process (`npm run mutation`). */
function pipe(): string {
  const path = join(mkdtempSync(join(folder, 'pipe-')), 'egress.json');
  execFileSync('mkfifo', [path]);
  return path;
}

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
    const path = pipe();
    const allow = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const [rules] = await Promise.all([loadPolicy(path), writeFile(path, JSON.stringify({ allow }))]);
    assert.equal(rules.id, new Rules({ allow }).id);
  });
});

describe('fixPath()', () => {
  it('keeps a path when it is absolute, with each `..` that may be behind a link', () => {
    assert.equal(fixPath('/etc/link/../egress.json'), '/etc/link/../egress.json');
  });

  it('puts the current folder before a path when it is relative', () => {
    assert.equal(fixPath('link/../egress.json'), `${process.cwd()}/link/../egress.json`);
  });
});

describe('expectFile()', () => {
  const refused = {
    name: 'SyntaxError',
    code: 'ERR_NETJAIL_INVALID_POLICY',
    message: 'Cannot read policy "egress.json": it is a pipe, a socket or a device, which cannot be watched',
    source: 'egress.json',
    line: undefined,
    column: undefined,
    field: '',
  };

  it('throws when a policy is a pipe', () => {
    assert.throws(() => expectFile(statSync(pipe()), 'egress.json'), refused);
  });

  it('throws when a policy is a socket', async () => {
    const path = join(folder, 'watched-socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    try {
      assert.throws(() => expectFile(statSync(path), 'egress.json'), refused);
    } finally {
      server.close();
      await once(server, 'close');
    }
  });

  it('throws when a policy is a device', () => {
    assert.throws(() => expectFile(statSync('/dev/null'), 'egress.json'), refused);
  });

  it('accepts a file, and a folder, of which reading tells what is wrong', () => {
    const path = join(folder, 'regular.json');
    writeFileSync(path, '');
    expectFile(statSync(path), 'egress.json');
    expectFile(statSync(folder, { bigint: true }), 'egress.json');
  });
});

describe('stateOf()', () => {
  /** What it gives at a time that is so many milliseconds after the last change. */
  async function stateAfter(path: string, ms: number): Promise<string | undefined> {
    const { now } = Date;
    const time = Number(statSync(path, { bigint: true }).ctimeMs) + ms;
    Date.now = () => time;
    try {
      return await stateOf(path, 'egress.json');
    } finally {
      Date.now = now;
    }
  }

  it('is undefined when the file was changed in the last two seconds and a half', async () => {
    const path = join(folder, 'state.json');
    writeFileSync(path, '{}');
    assert.equal(await stateAfter(path, 0), undefined);
    assert.equal(await stateAfter(path, 2499), undefined);
  });

  it('has device, inode, size and both times when the file is older', async () => {
    const path = join(folder, 'older.json');
    writeFileSync(path, '{}');
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    assert.equal(await stateAfter(path, 2500), `${dev},${ino},${size},${mtimeNs},${ctimeNs}`);
  });

  it('is undefined when it is a folder, however old', async () => {
    assert.equal(await stateAfter(folder, 1_000_000), undefined);
  });

  it('throws when it is a pipe', async () => {
    await assert.rejects(() => stateOf(pipe(), 'egress.json'), {
      code: 'ERR_NETJAIL_INVALID_POLICY',
      message: /^Cannot read policy "egress\.json": it is a pipe/,
    });
  });
});
