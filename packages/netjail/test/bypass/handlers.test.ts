// What a Dispatcher does with the handlers and callbacks of its callers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { currentRules, withRules } from '../../src/context.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';

describe('Dispatcher', () => {
  it('has its handlers called under the rules of the call, whoever calls back', () => {
    const kept: Record<string, (...args: unknown[]) => unknown>[] = [];
    class Keeping extends undici.Agent {
      override dispatch(options: never, handler: never): boolean {
        if (String((options as { origin: unknown }).origin).includes('probe'))
          return super.dispatch(options, handler);
        return kept.push(handler) > 0;
      }
    }
    const dispatcher = new Dispatcher({ Agent: Keeping });
    const seen: unknown[] = [];
    const note = (): void => void seen.push(currentRules());
    const handler = {
      onRequestStart() {},
      onResponseStart: note,
      onResponseEnd: note,
      onResponseError: note,
    };
    withRules(rules, () =>
      dispatcher.dispatch(
        { origin: 'http://name.test', path: '/', method: 'GET' } as never,
        handler as never,
      ),
    );
    const wide = new Rules({ allow: ['0.0.0.0/0'] });
    withRules(wide, () => {
      for (const name of ['onResponseStart', 'onResponseEnd', 'onResponseError']) kept[0]![name]!();
    });
    assert.deepEqual(
      seen.map((one) => one === rules),
      [true, true, true],
    );
  });
  it('says that it is closed, and takes a callback as undici does', async () => {
    for (const end of ['close', 'destroy'] as const) {
      const dispatcher = new Dispatcher({ Agent: undici.Agent, rules });
      const ended = new Promise<void>((resolve) =>
        assert.equal((dispatcher[end] as (callback: () => void) => unknown)(resolve), undefined),
      );
      assert.deepEqual([dispatcher.closed, dispatcher.destroyed], [true, end === 'destroy']);
      await inTime(ended, end);
    }
  });
});
