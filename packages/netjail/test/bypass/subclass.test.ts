// Classes on HttpAgent that hand on less than they were given: no request may lose its rules.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import type net from 'node:net';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { get } from '../helpers/attack.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, release, startLab, type Lab } from '../helpers/lab.ts';

const wide = new Rules({ allow: ['127.0.0.0/8'] });
const strict = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });

type Target = http.ClientRequestArgs & { timeout?: number };

class OwnOptions extends HttpAgent {
  override createConnection(options: Target, callback?: unknown): ReturnType<HttpAgent['createConnection']> {
    const { host, port } = options;
    return super.createConnection({ host, port }, callback);
  }
}
class Later extends HttpAgent {
  override createConnection({ host, port }: Target, callback?: unknown): never {
    setImmediate(() =>
      (callback as (error: null, socket: unknown) => void)(null, super.createConnection({ host, port })),
    );
    return undefined as never;
  }
}
class NameInAField extends HttpAgent {
  override getName = (options?: http.ClientRequestArgs): string =>
    `${HttpAgent.prototype.getName.call(this, { ...options } as never)}:mine`;
}
class OwnSocket extends HttpAgent {
  override createSocket(request: http.ClientRequest, options: Target, callback: unknown): void {
    super.createSocket(request, { host: options.host, port: options.port }, callback);
  }
}
class NameOfACopy extends HttpAgent {
  override getName(options?: http.ClientRequestArgs): string {
    return super.getName({ ...options, localAddress: undefined } as never);
  }
}
class LongerName extends HttpAgent {
  override getName(options?: http.ClientRequestArgs): string {
    return `${super.getName(options)}:mine`;
  }
}

for (const [name, Agent] of [
  ['opens connections with options of its own', OwnOptions],
  ['opens them later', Later],
  ['makes sockets with options of its own', OwnSocket],
  ['names connections by a function in a field', NameInAField],
  ['asks for the name of a copy of the options', NameOfACopy],
  ['adds to the name of connections', LongerName],
] as const) {
  describe(`a class on HttpAgent that ${name}`, () => {
    const queued = async (lab: Lab, agent: http.Agent): Promise<unknown[]> => {
      const calls = [withRules(wide, () => get(agent, lab.url(ALLOWED, '/hang')))];
      while (lab.allowed.requests.length === 0) await new Promise(setImmediate);
      calls.push(
        withRules(strict, () => get(agent, lab.url(DENIED))),
        withRules(strict, () => get(agent, lab.url(ALLOWED))),
        withRules(undefined, () => get(agent, lab.url(ALLOWED))),
        withRules(wide, () => get(agent, lab.url(ALLOWED))),
      );
      release(lab.allowed);
      return inTime(Promise.all(calls), 'the queue');
    };

    for (const keepAlive of [false, true]) {
      it(`has a queue whose requests keep their rules when keepAlive is ${keepAlive}`, async (t) => {
        const lab = await startLab(t);
        const agent = new Agent({ maxTotalSockets: 1, keepAlive });
        t.after(() => agent.destroy());
        assert.deepEqual(await queued(lab, agent), [
          200,
          `${DENIED} blocked`,
          200,
          `${ALLOWED} not-allowed`,
          200,
        ]);
        assert.equal(lab.denied.connections, 0);
        assert.equal(lab.allowed.requests.length, 3);
      });
    }

    it('closes the idle connections of rule sets that have no pool any more', async (t) => {
      const lab = await startLab(t);
      const agent = new Agent({ keepAlive: true, maxPools: 1 });
      t.after(() => agent.destroy());
      for (const rules of [wide, strict]) {
        const free = once(agent, 'free');
        assert.equal(await withRules(rules, () => get(agent, lab.url(ALLOWED))), 200);
        await free;
      }
      const idle = async (): Promise<number> => {
        for (let i = 0; i < 10; i++) await new Promise(setImmediate);
        return Object.values(agent.freeSockets).flat().length;
      };
      // What is opened later is nobody's, and is not kept.
      assert.equal(await idle(), Agent === Later ? 0 : 1);
      agent.close();
      assert.equal(await idle(), 0);
      await inTime(lab.drained(), 'the connections');
      assert.equal(lab.allowed.connections, 2);
    });
  });
}

describe('a class on HttpAgent that opens connections under narrower rules', () => {
  class Narrow extends HttpAgent {
    override createConnection({ host, port }: Target): ReturnType<HttpAgent['createConnection']> {
      return withRules(strict, () => super.createConnection({ host, port }));
    }
  }

  it('has those rules', async (t) => {
    const lab = await startLab(t);
    const agent = new Narrow({ keepAlive: true });
    t.after(() => agent.destroy());
    const ask = (host: string): Promise<unknown> => withRules(wide, () => get(agent, lab.url(host)));
    assert.deepEqual([await ask(ALLOWED), await ask(DENIED)], [200, `${DENIED} blocked`]);
    assert.equal(lab.denied.connections, 0);
  });
});

describe('a class on HttpAgent that opens connections with a callback of its own', () => {
  class Called extends HttpAgent {
    override createConnection({ host, port }: Target, callback?: unknown): never {
      super.createConnection({ host, port }, (error: Error | null, socket: unknown) =>
        (callback as (...result: unknown[]) => void)(error, socket),
      );
      return undefined as never;
    }
  }

  it('is called back with the socket, or the denial', async (t) => {
    const lab = await startLab(t);
    const agent = new Called({ keepAlive: true });
    t.after(() => agent.destroy());
    const ask = (host: string): Promise<unknown> =>
      inTime(
        withRules(strict, () => get(agent, lab.url(host))),
        'the request',
      );
    assert.deepEqual([await ask(ALLOWED), await ask(DENIED)], [200, `${DENIED} blocked`]);
    assert.equal(lab.denied.connections, 0);
  });
});

describe('options of its own that a class on HttpAgent opens a connection with', () => {
  it('are read as those of any client', async (t) => {
    const lab = await startLab(t);
    const tried: [make: (port: unknown) => object, result: unknown][] = [
      [(port) => ({ hostname: ALLOWED, port }), 200],
      [(port) => Object.freeze({ host: ALLOWED, port }), 200],
      [(port) => ({ host: ALLOWED, port, lookup: () => {} }), 'ERR_NETJAIL_INVALID_OPTION'],
      [(port) => ({ host: DENIED, port }), `${DENIED} blocked`],
    ];
    for (const [make, result] of tried) {
      class Own extends HttpAgent {
        override createConnection({ port }: Target): ReturnType<HttpAgent['createConnection']> {
          return super.createConnection(make(port));
        }
      }
      const agent = new Own({ rules: strict });
      const got = (async () => get(agent, lab.url(ALLOWED)))().catch(({ code }: { code: unknown }) => code);
      assert.deepEqual(await inTime(got, 'the request'), result);
    }
    assert.equal(lab.denied.connections, 0);
  });
});

/** Rules that allow what others do not, in every way in which an agent has them. */
const nowhere = new Rules({ allow: ['10.0.0.0/8'] });

describe('a class on HttpAgent that opens a connection under other rules than those of the request', () => {
  /** Opens what is queued when it is told to, in the context of whoever does that. */
  class Limited extends HttpAgent {
    readonly queued: (() => void)[] = [];
    override createConnection({ host, port }: Target, callback?: unknown): never {
      this.queued.push(() =>
        (callback as (error: null, socket: unknown) => void)(null, super.createConnection({ host, port })),
      );
      return undefined as never;
    }
  }
  const refused = { code: 'ERR_NETJAIL_UNSUPPORTED_RUNTIME', message: /under other rules/ };

  it('fails the request when the rules are others by then', async (t) => {
    const lab = await startLab(t);
    let rules = nowhere;
    const agent = new Limited({ rules: () => rules, keepAlive: true });
    t.after(() => agent.destroy());
    const sent = get(agent, lab.url(ALLOWED));
    rules = wide;
    agent.queued.pop()!();
    await assert.rejects(inTime(sent, 'the request'), refused);
    assert.equal(lab.allowed.requests.length, 0);
  });

  it('fails the request when other rules are in effect where it is opened', async (t) => {
    const lab = await startLab(t);
    const agent = new Limited({ keepAlive: true });
    t.after(() => agent.destroy());
    for (const own of [nowhere, undefined]) {
      const sent = withRules(own, () => get(agent, lab.url(ALLOWED)));
      withRules(wide, () => agent.queued.pop()!());
      await assert.rejects(inTime(sent, 'the request'), refused);
    }
    assert.equal(lab.allowed.requests.length, 0);
  });

  it('fails a queued request, and the others have their connections', async (t) => {
    const lab = await startLab(t);
    let rules = wide;
    const agent = new Limited({ rules: () => rules, maxTotalSockets: 1 });
    t.after(() => agent.destroy());
    const ask = (own: Rules, path?: string): Promise<unknown> => {
      rules = own;
      const sent = get(agent, lab.url(ALLOWED, path)).catch(({ code }: { code: unknown }) => code);
      rules = wide;
      return sent;
    };
    const all = Promise.all([ask(wide, '/hang'), ask(nowhere), ask(strict), ask(nowhere), ask(wide)]);
    const state = { isSettled: false };
    void all.then(() => (state.isSettled = true));
    const openAll = async (): Promise<void> => {
      while (!state.isSettled) {
        agent.queued.shift()?.();
        if (lab.allowed.requests.length > 0) release(lab.allowed);
        await new Promise(setImmediate);
      }
    };
    await inTime(openAll(), 'the requests');
    const code = 'ERR_NETJAIL_UNSUPPORTED_RUNTIME';
    // Those of `strict` were opened under rules that allow more.
    assert.deepEqual(await all, [200, code, code, code, 200]);
  });

  it('fails the request over TLS as well', async (t) => {
    const lab = await startLab(t, 'https');
    let open: (() => void) | undefined;
    class LimitedTls extends HttpsAgent {
      override createConnection({ host, port }: Target, callback?: unknown): never {
        open = () =>
          (callback as (error: null, socket: unknown) => void)(
            null,
            super.createConnection({ host, port, rejectUnauthorized: false } as Target),
          );
        return undefined as never;
      }
    }
    const agent = new LimitedTls({ rejectUnauthorized: false });
    t.after(() => agent.destroy());
    const sent = withRules(nowhere, () => get(agent, lab.url(ALLOWED)));
    withRules(wide, () => open!());
    await assert.rejects(inTime(sent, 'the request'), refused);
    const served = withRules(wide, () => get(agent, lab.url(ALLOWED)));
    withRules(wide, () => open!());
    assert.equal(await inTime(served, 'the request'), 200);
    assert.equal(lab.allowed.requests.length, 1);
  });

  it('tells a request that is handed its connection later', async (t) => {
    const lab = await startLab(t);
    class HandedLater extends Limited {
      override createSocket(request: http.ClientRequest, options: Target, callback: unknown): void {
        super.createSocket(request, options, (error: unknown, socket: net.Socket) =>
          socket.once('close', () => (callback as (...result: unknown[]) => void)(error, socket)),
        );
      }
    }
    const agent = new HandedLater();
    t.after(() => agent.destroy());
    const sent = withRules(nowhere, () => get(agent, lab.url(ALLOWED)));
    withRules(wide, () => agent.queued.pop()!());
    await assert.rejects(inTime(sent, 'the request'), refused);
    assert.equal(lab.allowed.requests.length, 0);
  });

  it('serves the request where denials are only reported', async (t) => {
    const lab = await startLab(t);
    const agent = new Limited({ mode: 'report' });
    t.after(() => agent.destroy());
    const sent = withRules(nowhere, () => get(agent, lab.url(ALLOWED)));
    withRules(wide, () => agent.queued.pop()!());
    assert.equal(await inTime(sent, 'the request'), 200);
  });

  it('tells of a denial where the connection was denied', async (t) => {
    const lab = await startLab(t);
    const agent = new Limited();
    t.after(() => agent.destroy());
    const other = new Rules({ allow: ['127.0.0.0/8'], block: [ALLOWED] });
    for (const [rules, result] of [
      [other, `${ALLOWED} blocked`],
      [undefined, `${ALLOWED} not-allowed`],
    ] as const) {
      const sent = withRules(wide, () => get(agent, lab.url(ALLOWED)));
      withRules(rules, () => agent.queued.pop()!());
      assert.equal(await inTime(sent, 'the request'), result);
    }
    const sent = withRules(wide, () => get(agent, lab.url(ALLOWED)));
    agent.queued.pop()!();
    assert.equal(await inTime(sent, 'the request'), 'undefined no-rules');
    assert.equal(lab.allowed.connections, 0);
  });

  it('serves the request when these contain those of the request, or are the same written anew', async (t) => {
    const lab = await startLab(t);
    const agent = new Limited();
    t.after(() => agent.destroy());
    for (const own of [wide, new Rules({ allow: ['127.0.0.0/8'] })]) {
      const sent = withRules(own, () => get(agent, lab.url(ALLOWED)));
      withRules(wide, () => withRules(strict, () => agent.queued.pop()!()));
      assert.equal(await inTime(sent, 'the request'), 200);
    }
    const sent = withRules(new Rules({ allow: ['127.0.0.0/8'] }), () => get(agent, lab.url(ALLOWED)));
    withRules(wide, () => agent.queued.pop()!());
    assert.equal(await inTime(sent, 'the request'), 200);
  });
});

describe('a class on HttpAgent that keeps the options of one request for others', () => {
  class InConnection extends HttpAgent {
    #first: Target | undefined;
    override createConnection(options: Target): ReturnType<HttpAgent['createConnection']> {
      this.#first ??= { ...options };
      return super.createConnection({ ...this.#first, host: options.host, port: options.port });
    }
  }
  class InSocket extends HttpAgent {
    #first: Target | undefined;
    override createSocket(request: http.ClientRequest, options: Target, callback: unknown): void {
      this.#first ??= { ...options };
      super.createSocket(request, { ...this.#first, host: options.host, port: options.port }, callback);
    }
  }

  for (const [where, Agent] of Object.entries({ InConnection, InSocket })) {
    it(`has the rules of each request (${where})`, async (t) => {
      const lab = await startLab(t);
      const agent = new Agent({ keepAlive: true });
      t.after(() => agent.destroy());
      const ask = (rules: Rules | undefined, host: string): Promise<unknown> =>
        withRules(rules, () => get(agent, lab.url(host)));
      assert.equal(await ask(wide, ALLOWED), 200);
      assert.equal(await ask(strict, DENIED), `${DENIED} blocked`);
      assert.equal(await ask(undefined, DENIED), `${DENIED} not-allowed`);
      assert.equal(lab.denied.connections, 0);
    });
  }
});

describe('a class on HttpAgent that makes sockets for some requests with options of their own', () => {
  it('has connections of each kind under a name of their own, as in Node', async (t) => {
    const lab = await startLab(t);
    const seen: unknown[][] = [];
    for (const Base of [http.Agent, HttpAgent]) {
      class Sharded extends (Base as typeof HttpAgent) {
        override createSocket(request: http.ClientRequest, options: Target, callback: unknown): void {
          const localAddress = request.getHeader('x-shard') as string;
          super.createSocket(request, { ...options, localAddress }, callback);
        }
      }
      const agent = new Sharded({ keepAlive: true, ...(Base === HttpAgent ? { rules: wide } : {}) });
      t.after(() => agent.destroy());
      const from: unknown[] = [];
      for (const shard of ['127.0.0.8', '127.0.0.9', '127.0.0.8']) {
        const free = once(agent, 'free');
        const request = http.get(lab.url(ALLOWED), { agent, headers: { 'x-shard': shard } });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        from.push(response.socket.localAddress);
        response.resume();
        await free;
      }
      seen.push(from);
    }
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[1], ['127.0.0.8', '127.0.0.9', '127.0.0.8']);
  });
});

describe('a class on HttpAgent that asks another agent for its sockets', () => {
  it('has them judged by the rules of that one', async (t) => {
    const lab = await startLab(t);
    const other = new HttpAgent({ rules: strict });
    class Front extends HttpAgent {
      override createConnection(
        options: Target,
        callback?: unknown,
      ): ReturnType<HttpAgent['createConnection']> {
        return other.createConnection(options, callback);
      }
    }
    const agent = new Front({ rules: wide });
    assert.deepEqual(
      [await get(agent, lab.url(ALLOWED)), await get(agent, lab.url(DENIED))],
      [200, `${DENIED} blocked`],
    );
    assert.equal(lab.denied.connections, 0);
  });
});
