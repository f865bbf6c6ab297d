// A resolver that says one thing when asked and another when read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import type { Resolver } from '../../src/resolver.ts';
import { deferred } from '../helpers/deferred.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { rules } from '../helpers/attack.ts';

describe('a resolver that lies', () => {
  it('dial() judges what the resolver answered when its array changes', async (t) => {
    const lab = await startLab(t);
    let reads = 0;
    const answers = new Proxy([ALLOWED], {
      get: (target, key) => (key === '0' ? (reads++ === 0 ? ALLOWED : DENIED) : Reflect.get(target, key)),
    });
    const socket = createDial({ rules, resolver: async () => answers })({
      host: 'name.test',
      port: lab.port,
    });
    await once(socket, 'connect');
    assert.deepEqual([socket.remoteAddress, lab.denied.connections], [ALLOWED, 0]);
    socket.destroy();
  });

  // oxlint-disable-next-line unicorn/no-thenable -- a resolver of somebody else may answer with one
  const thenable = (calls: (resolve: (answer: unknown) => void) => void): unknown => ({ then: calls });
  const answers: [name: string, answer: () => unknown, code: string | undefined][] = [
    ['is no array', () => ({ 0: ALLOWED, length: 1 }), 'EBADRESP'],
    [
      'has no length',
      () => new Proxy([ALLOWED], { get: (list, key) => (key === 'length' ? NaN : Reflect.get(list, key)) }),
      'EBADRESP',
    ],
    [
      'says another length each time',
      () =>
        new Proxy([ALLOWED], {
          get: (list, key) => (key === 'length' ? { valueOf: () => 1 } : Reflect.get(list, key)),
        }),
      'EBADRESP',
    ],
    ['is endless', () => Array.from({ length: 1e6 }, () => ALLOWED), 'EBADRESP'],
    ['is empty', () => [], 'ENOTFOUND'],
    [
      'comes first with the denied address, then with the allowed one',
      () => thenable((resolve) => (resolve([DENIED]), resolve([ALLOWED]))),
      'ERR_NETJAIL_DENIED',
    ],
    [
      'is thrown before there is a promise',
      () => {
        throw Object.assign(new Error('broken'), { code: 'EBROKEN' });
      },
      'EBROKEN',
    ],
    [
      'is an error whose message cannot be read',
      () =>
        Promise.reject(
          Object.defineProperty(new Error('x'), 'message', {
            get() {
              throw new Error('unreadable');
            },
          }),
        ),
      undefined,
    ],
    ['is a rejection without an error', () => Promise.reject(null), undefined], // oxlint-disable-line prefer-promise-reject-errors
  ];
  for (const [name, answer, code] of answers) {
    it(`dial() fails and connects to nothing when the answer ${name}`, async (t) => {
      const lab = await startLab(t);
      const resolver = answer as unknown as Resolver;
      const socket = createDial({ rules, resolver })({ host: 'name.test', port: lab.port });
      const [error] = (await once(socket, 'error')) as [Error & { code?: string }];
      assert.ok(error instanceof Error);
      assert.equal(error.code, code);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  }

  it('dial() connects to nothing when the answer comes after the socket has ended', async (t) => {
    const lab = await startLab(t);
    const asked = deferred<AbortSignal>();
    const answer = deferred<string[]>();
    const resolver: Resolver = (_host, { signal }) => (asked.resolve(signal), answer.promise);
    const socket = createDial({ rules, resolver })({ host: 'name.test', port: lab.port });
    const signal = await asked.promise;
    socket.destroy();
    await once(socket, 'close');
    assert.equal(signal.aborted, true);
    answer.resolve([ALLOWED]);
    // A request after it, at the same server, is seen: the late answer would have been, too.
    const later = createDial({ rules })({ host: ALLOWED, port: lab.port });
    await once(later, 'connect');
    later.destroy();
    await lab.drained();
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });
});
