import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { currentRules, withRules } from '../src/context.ts';
import { createDial } from '../src/dial.ts';
import { Rules } from '../src/rules.ts';

const rules = new Rules({ allow: ['10.0.0.0/8'] });
const others = new Rules({ allow: ['10.0.0.0/16', '11.0.0.0/8'] });

describe('withRules()', () => {
  it('returns what the function returns, and passes arguments on', () => {
    assert.equal(
      withRules(rules, (a: number, b: number) => a + b, 1, 2),
      3,
    );
    assert.equal(currentRules(), undefined);
  });

  it('keeps the rules in effect over promises, timers, streams and bound emitters', async () => {
    const emitter = new EventEmitter();
    const seen = await withRules(rules, async () => {
      await Promise.resolve();
      const list = [currentRules()];
      await new Promise<void>((resolve) => setTimeout(() => (list.push(currentRules()), resolve()), 1));
      for await (const _chunk of Readable.from(['x'])) list.push(currentRules());
      process.nextTick(() => list.push(currentRules()));
      emitter.once(
        'event',
        AsyncResource.bind(() => list.push(currentRules())),
      );
      return list;
    });
    emitter.emit('event');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(seen.length, 5);
    assert.ok(seen.every((one) => one === rules));
  });

  it('is not in effect in the body of a generator, which runs where next() is called', () => {
    const seen = function* (): Generator<unknown> {
      yield currentRules();
    };
    const outer = new Rules({ allow: ['0.0.0.0/0'] });
    const made = withRules(new Rules({ allow: ['10.0.0.0/8'] }), seen);
    assert.equal(
      withRules(outer, () => made.next().value),
      outer,
    );
  });

  it('is not in effect for what begins when it is awaited, unless that is done inside', async () => {
    // As superagent and knex do.
    const lazy = (): PromiseLike<Rules | undefined> => ({
      // eslint-disable-next-line unicorn/no-thenable -- it is what is tried
      then: (resolve, reject) => Promise.resolve(currentRules()).then(resolve, reject),
    });
    const outer = new Rules({ allow: ['0.0.0.0/0'] });
    const inner = new Rules({ allow: ['10.0.0.0/8'] });
    await withRules(outer, async () => {
      assert.equal(await withRules(inner, lazy), outer);
      const inside = await withRules(inner, async () => await lazy());
      assert.equal(inside, Rules.intersect(inner, outer));
    });
  });

  for (const [name, value] of [
    ['a proxy of rules', new Proxy(rules, {})],
    ['what inherits from Rules only', Object.create(Rules.prototype)],
    ['what inherits from rules', Object.create(rules)],
  ] as [string, unknown][]) {
    it(`throws when given ${name}`, () => {
      const expected = {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_RULES',
        message: 'Cannot use an object as rules: it is a proxy of Rules, or only inherits from them',
      };
      assert.throws(() => withRules(value as Rules, () => assert.fail('it was called')), expected);
      assert.throws(() => createDial({ rules: value as Rules }), expected);
      assert.throws(() => Rules.intersect(value as Rules, rules), expected);
    });
  }

  it('throws when given rules of another copy that have no text', () => {
    const other = { [Symbol.for('netjail.Rules')]: true, toString: () => assert.fail('of the proxy') };
    assert.throws(() => withRules(other as never, () => assert.fail('it was called')), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_RULES',
      message: 'Cannot use an object as rules: they have no text',
    });
  });

  it('ends with the function when it throws', () => {
    assert.throws(
      () =>
        withRules(rules, () => {
          throw new RangeError('mine');
        }),
      RangeError,
    );
    assert.equal(currentRules(), undefined);
  });

  it('only narrows when nested, and does not grow when the same rules are nested again', () => {
    withRules(rules, () => {
      withRules(others, () => {
        const both = currentRules()!;
        assert.deepEqual(
          ['10.0.0.1', '10.1.0.1', '11.0.0.1'].map((address) => both.accept(address)),
          [true, false, false],
        );
        withRules(rules, () => withRules(others, () => assert.equal(currentRules(), both)));
      });
      assert.equal(currentRules(), rules);
    });
  });

  it('is the empty rule set when given undefined or null, inside other rules too', () => {
    for (const none of [undefined, null]) {
      withRules(none, () => assert.equal(currentRules()!.accept('10.0.0.1'), false));
      withRules(rules, () => withRules(none, () => assert.equal(currentRules()!.accept('10.0.0.1'), false)));
    }
  });

  it('throws when given anything else, and calls nothing', () => {
    for (const value of [
      [],
      {},
      'public',
      1,
      true,
      Object.create(Rules.prototype, { toString: { value: () => 'nonsense' } }),
    ]) {
      if (value instanceof Rules) continue;
      assert.throws(() => withRules(value as never, () => assert.fail('called')), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_RULES',
      });
    }
    assert.throws(() => withRules(rules, 'x' as never), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_ARGUMENT',
    });
  });

  it('keeps interleaved calls apart', async () => {
    const ask = async (): Promise<Rules | undefined> => (
      await once(process.nextTick(() => bell.emit('ring')) ?? bell, 'ring'),
      currentRules()
    );
    const bell = new EventEmitter();
    assert.deepEqual(await Promise.all([withRules(rules, ask), withRules(others, ask), ask()]), [
      rules,
      others,
      undefined,
    ]);
  });
});
