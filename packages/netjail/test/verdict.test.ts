import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowed, denied, explainDenial, type Denial } from '../src/verdict.ts';

describe('allowed() and denied()', () => {
  it('give frozen verdicts with every fact, absent ones undefined', () => {
    const yes = allowed('10.0.0.1', '10.0.0.0/8');
    assert.deepEqual(yes, {
      allowed: true,
      address: '10.0.0.1',
      reason: undefined,
      entry: '10.0.0.0/8',
      carried: undefined,
    });
    const no = denied('64:ff9b::a00:1', 'carried-address-blocked', 'private', '10.0.0.1');
    assert.deepEqual(no, {
      allowed: false,
      address: '64:ff9b::a00:1',
      reason: 'carried-address-blocked',
      entry: 'private',
      carried: '10.0.0.1',
    });
    assert.deepEqual(denied(undefined, 'no-rules'), {
      allowed: false,
      address: undefined,
      reason: 'no-rules',
      entry: undefined,
      carried: undefined,
    });
    assert.ok(Object.isFrozen(yes) && Object.isFrozen(no));
  });
});

describe('explainDenial()', () => {
  const clauses: [denial: Denial, clause: string][] = [
    [denied(undefined, 'no-rules'), 'no rules are in effect'],
    [denied('10.0.0.1', 'not-allowed'), '10.0.0.1 is not allowed by any entry'],
    [denied(undefined, 'not-allowed'), 'it is not allowed by any entry'],
    [denied('10.0.0.1', 'blocked', '10.0.0.0/8'), '10.0.0.1 is blocked by 10.0.0.0/8'],
    [
      denied('64:ff9b::a00:1', 'carried-address-blocked', 'private', '10.0.0.1'),
      '64:ff9b::a00:1 carries 10.0.0.1, which is blocked by private',
    ],
    [
      denied('64:ff9b::a00:1', 'carried-address-not-allowed', undefined, '10.0.0.1'),
      '64:ff9b::a00:1 carries 10.0.0.1, which is not allowed by any entry',
    ],
    [denied('::', 'loopback-blocked', '::1'), ':: reaches the local host, which is blocked by ::1'],
    [denied(undefined, 'host-not-allowed'), 'no entry allows this host'],
    [denied(undefined, 'host-blocked', 'E'), 'the host is blocked by E'],
    [denied(undefined, 'port-not-allowed'), 'no entry allows this host on this port'],
    [denied('10.0.0.1', 'port-not-allowed'), '10.0.0.1 is allowed on other ports only'],
    [denied(undefined, 'port-blocked', 'E'), 'the port is blocked by E'],
    [denied(undefined, 'path-not-allowed'), 'no entry allows this path'],
    [denied(undefined, 'path-blocked', 'E'), 'the path is blocked by E'],
    [denied('127.1', 'not-an-address'), 'the resolver answered 127.1, which is not an address'],
    [denied('fe80::1%lo', 'zone'), 'fe80::1%lo has a zone, and no prefix contains a zone'],
    [
      denied('10.0.0.1', 'mixed-answer'),
      '10.0.0.1 came with a denied address, and all answers must be allowed',
    ],
    [
      denied(undefined, 'proxied-name'),
      'a proxy would resolve this name, so its address cannot be judged here',
    ],
    [denied('10.0.0.1', 'not-judged'), 'the socket is connected to 10.0.0.1, which was not judged'],
  ];
  for (const [denial, clause] of clauses) {
    it(`says "${clause}" when the reason is ${denial.reason}`, () => {
      assert.equal(explainDenial(denial), clause);
    });
  }

  it('throws when given a reason that does not exist', () => {
    assert.throws(() => explainDenial(denied(undefined, 'none' as never)), {
      message: 'netjail: unreachable reason none',
    });
  });
});
