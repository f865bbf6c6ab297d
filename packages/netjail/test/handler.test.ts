import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentRules, withRules } from '../src/context.ts';
import { Rules } from '../src/rules.ts';
import { bindHandler } from '../src/undici/handler.ts';

/** The callbacks of both kinds of handlers, with the arguments that undici 6, 7 and 8 give them. */
const CALLBACKS: Record<string, unknown[]> = {
  onConnect: ['abort', 'context'],
  onUpgrade: [101, ['headers'], 'socket'],
  onResponseStarted: [],
  onHeaders: [200, ['headers'], 'resume', 'OK'],
  onData: ['chunk'],
  onComplete: [['trailers']],
  onError: ['error'],
  onBodySent: [1, 2],
  onRequestSent: [],
  onRequestStart: ['controller', 'context'],
  onRequestUpgrade: ['controller', 101, { header: '' }, 'socket'],
  onResponseStart: ['controller', 200, { header: '' }, 'OK'],
  onResponseData: ['controller', 'chunk'],
  onResponseEnd: ['controller', { trailer: '' }],
  onResponseError: ['controller', 'error'],
};

/** Those from which a retry or a redirect dispatches again. */
const DECIDING = new Set([
  'onHeaders',
  'onComplete',
  'onError',
  'onResponseStart',
  'onResponseEnd',
  'onResponseError',
]);

const ofCall = new Rules({ allow: ['10.0.0.0/8'] });
const ofPool = new Rules({ allow: ['192.168.0.0/16'] });

type Bound = Record<string, ((...args: unknown[]) => unknown) | undefined>;

describe('bindHandler()', () => {
  for (const [name, args] of Object.entries(CALLBACKS)) {
    it(`has ${name} and no other callback when the handler has only this one`, () => {
      const bound = bindHandler({ [name]: () => {} }, ofCall) as Bound;
      const present = Object.keys(CALLBACKS).filter((one) => typeof bound[one] === 'function');
      assert.deepEqual(present, [name]);
    });

    for (const inEffect of [undefined, ofCall, ofPool]) {
      it(`calls ${name} with what it was given when ${inEffect ?? 'nothing'} is in effect`, () => {
        const calls: unknown[] = [];
        const handler = {
          [name](this: unknown, ...given: unknown[]) {
            calls.push([this, given, currentRules()]);
            return 'answer';
          },
        };
        const bound = bindHandler(handler, ofCall) as Bound;
        const call = (): unknown => bound[name]!(...args);
        assert.equal(inEffect === undefined ? call() : withRules(inEffect, call), 'answer');
        assert.deepEqual(calls, [[handler, args, DECIDING.has(name) ? ofCall : inEffect]]);
      });
    }
  }

  it('gives back what is no handler, which undici refuses itself', () => {
    for (const nothing of [undefined, null, 'handler', 1]) {
      assert.equal(bindHandler(nothing as never, ofCall), nothing);
    }
  });
});
