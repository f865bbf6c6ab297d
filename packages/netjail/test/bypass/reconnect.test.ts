// A socket that was judged for one address connects to another.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { rules } from '../helpers/attack.ts';

describe('dial()', () => {
  const dial = createDial({ rules });
  it('dial() returns a socket that cannot be connected again', async (t) => {
    const lab = await startLab(t);
    const sockets = [
      dial({ host: ALLOWED, port: lab.port }),
      dial.tls({ host: ALLOWED, port: lab.port }),
      dial.socket().connect(lab.port, ALLOWED),
      dial({ host: DENIED, port: lab.port }),
    ];
    for (const socket of sockets) {
      socket.on('error', () => {});
      assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' });
      socket.destroy();
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      assert.throws(() => socket.connect(lab.port, DENIED), { code: 'ERR_NETJAIL_SOCKET_USED' });
    }
    assert.equal(lab.denied.connections, 0);
  });

  it('dial.socket() is not used up by a call that throws, and connects once when a call is made inside another', async (t) => {
    const lab = await startLab(t);
    const socket = dial.socket();
    for (const target of [
      { host: '', port: 1 },
      { host: ALLOWED, port: 0 },
      { host: ALLOWED, port: 1, fd: 1 },
    ])
      assert.throws(() => socket.connect(target as never), { code: /^ERR_NETJAIL_INVALID_/ });
    const inside = {
      host: DENIED,
      get port() {
        socket.connect(lab.port, ALLOWED);
        return lab.port;
      },
    };
    assert.throws(() => socket.connect(inside), { code: 'ERR_NETJAIL_SOCKET_USED' });
    await once(socket, 'connect');
    assert.equal(socket.remoteAddress, ALLOWED);
    socket.destroy();
    await lab.drained();
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('HttpAgent gives out sockets that cannot be connected again, to a path neither', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const socket = agent.createConnection({ host: ALLOWED, port: lab.port } as never) as Socket;
    await once(socket, 'connect');
    for (const target of [{ host: DENIED, port: lab.port }, { path: '/x.sock' }])
      assert.throws(() => socket.connect(target), { code: 'ERR_NETJAIL_SOCKET_USED' });
    socket.destroy();
    assert.equal(lab.denied.connections, 0);
  });
});
