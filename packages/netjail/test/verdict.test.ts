import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowed, cut, denied, explainDenial, isDenial, type Denial, type Reason } from '../src/verdict.ts';

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

describe('cut()', () => {
  it('gives the first 256 UTF-16 units of text', () => {
    assert.equal(cut('x'.repeat(256)), 'x'.repeat(256));
    assert.equal(cut(`${'x'.repeat(256)}y`), 'x'.repeat(256));
  });
});

describe('isDenial()', () => {
  it('is true for a denial, frozen or not, with any of the reasons', () => {
    const reasons: Record<Reason, true> = {
      'no-rules': true,
      'not-allowed': true,
      blocked: true,
      'carried-address-blocked': true,
      'carried-address-not-allowed': true,
      'loopback-blocked': true,
      'host-not-allowed': true,
      'host-blocked': true,
      'port-not-allowed': true,
      'port-blocked': true,
      'path-not-allowed': true,
      'path-blocked': true,
      'not-an-address': true,
      zone: true,
      'mixed-answer': true,
      'proxied-name': true,
      'not-judged': true,
    };
    for (const reason of Object.keys(reasons) as Reason[]) {
      assert.equal(isDenial(denied(undefined, reason)), true, reason);
      assert.equal(isDenial({ ...denied('::1', reason, '::/0', '10.0.0.1') }), true, reason);
    }
  });

  const others: [name: string, value: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'blocked'],
    ['an array', [denied(undefined, 'blocked')]],
    ['an allowed verdict', allowed('::1', '::1')],
    ['a reason that there is not', { allowed: false, reason: 'zz' }],
    ['a reason of Object', { allowed: false, reason: 'toString' }],
    ['a reason that is no text', { allowed: false, reason: { toString: () => 'blocked' } }],
    ['what allows, with a reason', { ...denied('::1', 'blocked', '::1'), allowed: true }],
    ['what does not say whether it allows', { reason: 'blocked' }],
    ['an address that is no text', { ...denied('::1', 'blocked'), address: 1 }],
    ['an entry that is no text', { ...denied('::1', 'blocked'), entry: null }],
    ['a carried address that is no text', { ...denied('::1', 'blocked'), carried: {} }],
  ];
  for (const [name, value] of others) {
    it(`is false for ${name}`, () => assert.equal(isDenial(value), false));
  }
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
