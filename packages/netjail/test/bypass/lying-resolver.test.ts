// A resolver that says one thing when asked and another when read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
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
});
