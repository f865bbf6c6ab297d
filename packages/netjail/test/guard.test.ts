// What a guard decides and publishes beside the verdicts of its rules.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it, type TestContext } from 'node:test';
import { createDial } from '../src/dial.ts';
import { deniedError } from '../src/errors.ts';
import { Guard } from '../src/guard.ts';
import { readOptions } from '../src/options.ts';
import { proxiedDenial } from '../src/proxied.ts';
import { LookUp } from '../src/resolver.ts';
import { Rules } from '../src/rules.ts';
import { readTarget } from '../src/target.ts';
import { rules } from './helpers/attack.ts';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';
import { inTime } from './helpers/in-time.ts';

function heard(t: TestContext): { reason?: string; host: string; address?: string; mode: string }[] {
  const verdicts: never[] = [];
  const listen = (message: unknown): void => void verdicts.push(message as never);
  subscribe('netjail:verdict', listen);
  t.after(() => unsubscribe('netjail:verdict', listen));
  return verdicts;
}
const outcome = async (socket: import('node:net').Socket): Promise<unknown> => {
  const [error] = await inTime(
    Promise.race([once(socket, 'connect').then(() => []), once(socket, 'error')]).catch((e) => [e]),
    'the socket',
  );
  socket.destroy();
  return error === undefined
    ? 'connected'
    : (deniedError(error)?.reason ?? (error as { code?: string }).code);
};

describe('guard', () => {
  it('answers: "all" lets a name through of which all addresses are allowed', async (t) => {
    const lab = await startLab(t);
    const dial = createDial({ rules, answers: 'all', resolver: async () => [ALLOWED, '127.0.0.3'] });
    assert.equal(await outcome(dial({ host: 'name.test', port: lab.port })), 'connected');
  });
  it('denies a name whose addresses of the wanted family are denied, though others are allowed', async () => {
    const both = new Rules({ allow: ['127.0.0.0/8', '::1'], block: [DENIED] });
    const dial = createDial({ rules: both, resolver: async () => [DENIED, '::1'] });
    assert.equal(await outcome(dial({ host: 'name.test', port: 1, family: 4 })), 'blocked');
  });
  it('lets everything through in mode report where there are no rules, and publishes it once', async (t) => {
    const lab = await startLab(t);
    const verdicts = heard(t);
    const dial = createDial({ mode: 'report', resolver: async () => [ALLOWED] });
    assert.equal(await outcome(dial({ host: 'name.test', port: lab.port })), 'connected');
    assert.deepEqual(
      verdicts.map(({ reason, host, mode }) => [reason, host, mode]),
      [['no-rules', 'name.test', 'report']],
    );
    assert.equal(await outcome(dial({ host: ALLOWED, port: lab.port })), 'connected');
    assert.deepEqual(
      verdicts.slice(1).map(({ reason, mode }) => [reason, mode]),
      [['no-rules', 'report']],
    );
  });
  it('publishes what it refuses without a verdict of the rules', (t) => {
    const verdicts = heard(t);
    const guard = new Guard(rules, readOptions({ rules }).settings);
    assert.equal(
      proxiedDenial(guard, 'GET', 'http://inner.test/', { host: ALLOWED, port: 80 })?.reason,
      'proxied-name',
    );
    const none = new Guard(undefined, readOptions({}).settings);
    assert.equal(
      proxiedDenial(none, 'GET', 'http://inner.test/', { host: ALLOWED, port: 80 })?.reason,
      'no-rules',
    );
    assert.deepEqual(
      verdicts.map(({ reason, host }) => [reason, host]),
      [
        ['proxied-name', 'inner.test'],
        ['no-rules', 'inner.test'],
      ],
    );
  });
  it('asks no resolver for a look-up that was given up', () => {
    const guard = new Guard(
      rules,
      readOptions({ rules, resolver: () => assert.fail('it was asked') }).settings,
    );
    const lookUp = new LookUp();
    lookUp.abandon();
    assert.throws(() => guard.ask(readTarget('name.test', 1), 0, lookUp), { name: 'AbortError' });
  });
  it('says which address was not judged', () => {
    const guard = new Guard(rules, readOptions({ rules }).settings);
    for (const [address, said] of [
      [undefined, 'an unknown address'],
      ['nonsense', 'nonsense'],
    ] as const)
      assert.throws(
        () => guard.confirm(address, readTarget(ALLOWED, 1)),
        (error) => (assert.equal(deniedError(error)?.denials[0]?.address, said), true),
      );
  });
});
