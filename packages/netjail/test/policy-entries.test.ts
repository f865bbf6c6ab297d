// Policies whose entries are objects: what the engine reads of them is read from a file as well, the
// schema agrees, and what is wrong has its line and field.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { parsePolicy, Rules } from '../src/index.ts';
import { packageRoot } from './helpers/data.ts';

const schema = JSON.parse(readFileSync(join(packageRoot, 'schema/policy.json'), 'utf8')) as object;
const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(schema);

const valid: [name: string, entry: object][] = [
  ['a prefix', { prefix: '10.0.0.0/8' }],
  ['a range', { prefix: 'public' }],
  ['a host', { host: 'api.example.com' }],
  ['a suffix', { host: '*.example.com' }],
  ['a host in another alphabet', { host: 'bücher.example' }],
  ['a port', { port: 443 }],
  ['a range of ports', { port: [8000, 8999] }],
  ['a list of ports', { port: [80, [8000, 8999], 443] }],
  ['a path', { path: '/run/app.sock' }],
  ['a prefix and a port', { prefix: '10.0.0.0/8', port: 5432 }],
  ['a host, a prefix and a port', { host: 'db.example.com', prefix: '10.0.0.0/8', port: [5432, 5433] }],
];

/** The entry begins in line 4, its first field stands in line 5. */
const invalid: [name: string, entry: object, line: number, inSchema?: false][] = [
  ['no field', {}, 4],
  ['an unknown field', { prefix: '10.0.0.0/8', ports: 443 }, 6],
  ['a field of Object', { __proto__: null, constructor: 1 }, 5],
  ['a prefix that is none', { prefix: '10.0.0.0/33' }, 5, false],
  ['a prefix that is a number', { prefix: 10 }, 5],
  ['an empty host', { host: '' }, 5],
  ['a host that is an address', { host: '10.0.0.1' }, 5, false],
  ['a host with a star inside', { host: 'a.*.example.com' }, 5, false],
  ['a host with a port', { host: 'example.com:80' }, 5, false],
  ['a port too large', { port: 65_536 }, 5],
  ['a negative port', { port: -1 }, 5],
  ['half a port', { port: 0.5 }, 5],
  ['a port that is text', { port: '443' }, 5],
  ['no ports', { port: [] }, 5],
  ['ports the wrong way round', { port: [9000, 8000] }, 5, false],
  ['an empty path', { path: '' }, 5],
  ['a path that is null', { path: null }, 5],
  ['a second field that is wrong', { prefix: '10.0.0.0/8', port: 65_536 }, 6],
  ['a path and a port', { port: 1, path: '/x' }, 4],
];

describe('parsePolicy() with entries that are objects', () => {
  for (const [name, entry] of valid) {
    it(`reads ${name} as new Rules() does, and so does the schema`, () => {
      for (const lists of [{ allow: [entry] }, { allow: [], block: [entry] }]) {
        assert.equal(parsePolicy(JSON.stringify(lists)).id, new Rules(lists as object).id);
        assert.equal(Rules.from(lists).id, new Rules(lists as object).id);
        assert.equal(validate(lists), true, JSON.stringify(validate.errors));
      }
      const named = { lists: { a: [entry] }, allow: ['@a'] };
      assert.equal(parsePolicy(JSON.stringify(named)).id, new Rules({ allow: [entry] } as object).id);
    });
  }

  for (const [name, entry, line, inSchema = true] of invalid) {
    it(`throws ERR_NETJAIL_INVALID_POLICY with line and field for ${name}`, () => {
      const policy = { allow: ['::1', entry] };
      assert.throws(
        () => parsePolicy(JSON.stringify(policy, undefined, 1)),
        (error: { code?: unknown; field?: string; line?: number; cause?: { code?: string } }) => {
          assert.equal(error.code, 'ERR_NETJAIL_INVALID_POLICY');
          assert.match(error.field!, /^allow\[1\]/);
          assert.equal(error.line, line);
          assert.match(error.cause!.code!, /^ERR_NETJAIL_INVALID_/);
          return true;
        },
      );
      assert.equal(validate(policy), !inSchema);
    });
  }

  it('reads a field named __proto__ as a field that is not known', () => {
    assert.throws(() => parsePolicy('{"allow":[{"prefix":"::1","__proto__":{"port":1}}]}'), {
      code: 'ERR_NETJAIL_INVALID_POLICY',
    });
  });

  it('throws nothing but ERR_NETJAIL_INVALID_POLICY for any object', () => {
    const entry = fc.record(
      {
        prefix: fc.anything(),
        host: fc.anything(),
        port: fc.anything(),
        path: fc.anything(),
        other: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(entry, (one) => {
        try {
          Rules.from({ allow: [one] });
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'ERR_NETJAIL_INVALID_POLICY');
        }
      }),
    );
  });
});
