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

  const failures: [name: string, options: object, code: string][] = [
    ['a denied literal', { host: DENIED }, 'ERR_NETJAIL_DENIED'],
    ['a name whose address is denied', { host: 'denied.test' }, 'ERR_NETJAIL_DENIED'],
    ['a name that nobody knows', { host: 'unknown.test' }, 'ENOTFOUND'],
    ['a port where nobody listens', { host: '127.0.0.3' }, 'ECONNREFUSED'],
  ];
  for (const Agent of [HttpAgent, HttpsAgent]) {
    const resolver = async (host: string): Promise<string[]> => (host === 'denied.test' ? [DENIED] : []);
    const opening = (
      options: object,
    ): { calls: unknown[][]; called: Promise<unknown>; socket: net.Socket | undefined } => {
      const agent = new Agent({ rules, resolver });
      const calls: unknown[][] = [];
      let socket: net.Socket | undefined;
      const called = new Promise<void>((resolve) => {
        const open = agent.createConnection.bind(agent) as (
          options: object,
          callback: (...args: unknown[]) => void,
        ) => net.Socket | undefined;
        socket = open(options, (...args) => {
          calls.push(args);
          resolve();
        });
      });
      return { calls, called: inTime(called, Agent.name), socket };
    };
    for (const [name, options, code] of failures) {
      // Interceptors (msw, nock) use the socket that they are given at once, as one of Node's agents gives it.
      it(`${Agent.name} gives a socket and calls a client back once with the error when it asks for ${name}`, async (t) => {
        const lab = await startLab(t, Agent === HttpAgent ? 'http' : 'https');
        const { calls, called, socket } = opening({ ...options, port: lab.port });
        assert.ok(socket instanceof net.Socket);
        await called;
        if (!socket.closed) await once(socket, 'close');
        assert.deepEqual(
          calls.map(([error, opened]) => [(error as { code?: string }).code, opened]),
          [[code, undefined]],
        );
        assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
      });
    }

    it(`${Agent.name} leaves the errors of an open socket to the client that has it`, async (t) => {
      const secure = Agent === HttpsAgent;
      const lab = await startLab(t, secure ? 'https' : 'http');
      const { calls, called, socket } = opening({ host: ALLOWED, port: lab.port, rejectUnauthorized: false });
      await called;
      assert.deepEqual(calls, [[null, socket]]);
      const error = new Error('later');
      assert.throws(() => socket!.emit('error', error), error);
      socket!.destroy();
      await once(socket!, 'close');
      assert.equal(calls.length, 1);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
    });

    it(`${Agent.name} leaves no connection open when the signal was aborted before`, async (t) => {
      const lab = await startLab(t, Agent === HttpAgent ? 'http' : 'https');
      const signal = AbortSignal.abort();
      const { calls, called } = opening({ host: ALLOWED, port: lab.port, signal, rejectUnauthorized: false });
      await called;
      assert.deepEqual(
        calls.map(([error, socket]) => [(error as Error).name, socket]),
        [['AbortError', undefined]],
      );
      // Node connects all the same: what comes after it was in time.
      const next = opening({ host: ALLOWED, port: lab.port, rejectUnauthorized: false });
      await next.called;
      next.socket!.destroy();
      await inTime(lab.drained(), 'the connections');
    });

    it(`${Agent.name} leaves none open without a callback either`, async (t) => {
      const lab = await startLab(t, Agent === HttpAgent ? 'http' : 'https');
      const target = { host: ALLOWED, port: lab.port, rejectUnauthorized: false };
      const agent = new Agent({ rules });
      const socket = agent.createConnection({ ...target, signal: AbortSignal.abort() }) as net.Socket;
      await assert.rejects(once(socket, 'connect'), { name: 'AbortError' });
      const next = agent.createConnection(target) as net.Socket;
      await once(next, Agent === HttpAgent ? 'connect' : 'secureConnect');
      next.destroy();
      await inTime(lab.drained(), 'the connections');
    });

    it(`${Agent.name} calls a client back when its socket is closed before it is open`, async (t) => {
      const lab = await startLab(t);
      const { calls, called, socket } = opening({ host: 'name.test', port: lab.port });
      socket!.destroy();
      await called;
      assert.deepEqual(
        calls.map(([error]) => (error as { code?: string }).code),
        ['ERR_NETJAIL_CLOSED'],
      );
    });
  }

  it('open no socket for a client once they are closed', async (t) => {
    const lab = await startLab(t);
    for (const Agent of [HttpAgent, HttpsAgent]) {
      const agent = new Agent({ rules });
      agent.close();
      const open = (options: object, callback?: (error: Error) => void): net.Socket =>
        agent.createConnection(options, callback) as net.Socket;
      const target = { host: ALLOWED, port: lab.port };
      // Whatever comes first: a socket that opens would emit no error.
      const outcome = (hasCallback: boolean): Promise<unknown> =>
        new Promise((resolve) => {
          const socket = open(target, hasCallback ? resolve : undefined);
          socket.on('error', resolve).on('connect', () => resolve(socket.destroy()));
        });
      for (const hasCallback of [false, true]) {
        const error = (await inTime(outcome(hasCallback), Agent.name)) as { code?: string };
        assert.equal(error.code, 'ERR_NETJAIL_CLOSED');
      }
    }
    assert.equal(lab.allowed.connections, 0);
  });
});
