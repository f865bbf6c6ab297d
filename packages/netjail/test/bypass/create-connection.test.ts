// A connection that the agent did not open, or that nobody asked it for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { describe, it } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { failure, rules } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

describe('HttpAgent and HttpsAgent', () => {
  it('do not use createConnection of a request, and judge hostname before host', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const request = http.get({
      host: ALLOWED,
      hostname: DENIED,
      port: String(lab.port),
      agent,
      createConnection: () => net.connect(lab.port, DENIED),
    });
    assert.equal(deniedError(await failure(request))?.reason, 'blocked');
    assert.equal(lab.denied.connections, 0);
  });

  it('guard the sockets that a client asks the agent for itself', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules }) as unknown as {
      createConnection(
        options: object,
        callback?: (error: Error | null, socket?: net.Socket) => void,
      ): net.Socket;
    };
    const [error] = (await once(agent.createConnection({ host: DENIED, port: lab.port }), 'error')) as [
      Error,
    ];
    assert.equal(deniedError(error)?.reason, 'blocked');
    let returned = false;
    const given = new Promise<Error | null>((resolve) =>
      agent.createConnection({ hostname: DENIED, port: lab.port }, (denial) => {
        assert.equal(returned, true, 'it is called later');
        resolve(denial);
      }),
    );
    returned = true;
    assert.equal(deniedError(await given)?.reason, 'blocked');
    const path = await new Promise((resolve) => agent.createConnection({ path: '/x.sock' }, resolve));
    assert.equal(deniedError(path)?.reason, 'path-not-allowed');
    const secure = new HttpsAgent({ rules }) as unknown as typeof agent;
    const [tlsError] = (await once(secure.createConnection({ host: DENIED, port: lab.port }), 'error')) as [
      Error,
    ];
    assert.equal(deniedError(tlsError)?.reason, 'blocked');
    const socket = agent.createConnection({ host: ALLOWED, port: lab.port });
    await once(socket, 'connect');
    socket.destroy();
    const args = await new Promise<unknown[]>((resolve) => {
      const opened = agent.createConnection({ host: ALLOWED, port: lab.port }, (...all) =>
        resolve([...all, opened]),
      );
    });
    assert.deepEqual([args[0], args[1]], [null, args[2]]);
    (args[1] as net.Socket).destroy();
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [2, 0]);
  });

  it('open no socket for a client once they are closed', async (t) => {
    const lab = await startLab(t);
    for (const Agent of [HttpAgent, HttpsAgent]) {
      const agent = new Agent({ rules });
      agent.close();
      const open = agent.createConnection.bind(agent) as (
        options: object,
        callback?: (error: Error) => void,
      ) => net.Socket;
      const target = { host: ALLOWED, port: lab.port };
      // Whatever comes first: a socket that opens would emit no error.
      const outcome = (hasCallback: boolean): Promise<unknown> =>
        new Promise((resolve) => {
          const socket: net.Socket | undefined = open(target, hasCallback ? resolve : undefined);
          socket?.on('error', resolve).on('connect', () => resolve(socket.destroy()));
        });
      for (const hasCallback of [false, true]) {
        const error = (await inTime(outcome(hasCallback), Agent.name)) as { code?: string };
        assert.equal(error.code, 'ERR_NETJAIL_CLOSED');
      }
    }
    assert.equal(lab.allowed.connections, 0);
  });
});
