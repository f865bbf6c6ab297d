// Options of fetch that lead around the gate.
import { createFetch } from '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evilLookup } from '../helpers/attack.ts';

describe('createFetch() options', () => {
  it('throw when one leads around the rules', () => {
    for (const options of [
      { connect: () => {} },
      { factory: () => {} },
      { dispatcher: {} },
      { socketPath: '/x' },
      { lookup: evilLookup },
      { connect: { lookup: evilLookup } },
      { proxy: 'http://127.0.0.1' },
      { uri: 'http://127.0.0.1' },
    ]) {
      assert.throws(() => createFetch(options as never), {
        name: 'TypeError',
        code: 'ERR_NETJAIL_INVALID_OPTION',
      });
    }
  });
});
