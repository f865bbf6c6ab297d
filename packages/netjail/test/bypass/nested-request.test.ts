// A request that is made while another one is being sent, and an agent that names connections its own way.
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { get as ask } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const wide = new Rules({ allow: ['127.0.0.0/8'] });
const strict = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
const nowhere = new Rules({ allow: ['10.0.0.0/8'] });

async function get(agent: http.Agent, url: string): Promise<number | undefined> {
  const [response] = await once(http.get(url, { agent }), 'response');
  await once(response.resume(), 'end');
  return response.statusCode;
}

/** Calls back when a socket is made, which is in the middle of the request that it is for. */
function onNextSocket<T>(call: () => T): Promise<Awaited<T>> {
  return new Promise((resolve, reject) => {
    diagnostics.subscribe('net.client.socket', function made() {
      diagnostics.unsubscribe('net.client.socket', made);
      Promise.resolve(call()).then(resolve, reject);
    });
  });
}

describe('HttpAgent, a request in the middle of another one,', () => {
  it('is judged under the rules of its own call', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const inner = onNextSocket(() => withRules(strict, () => get(agent, lab.url(DENIED))));
    const outer = withRules(wide, () => get(agent, lab.url(ALLOWED)));
    await assertDenied(inner, { host: DENIED, reason: 'blocked', address: DENIED, entry: DENIED });
    assert.equal(await outer, 200);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('has a connection of its own rules, which later requests of these use again', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const inner = onNextSocket(() => withRules(strict, () => get(agent, lab.url(ALLOWED, '/strict'))));
    const outer = withRules(wide, () => get(agent, lab.url(ALLOWED, '/wide')));
    assert.deepEqual(await Promise.all([inner, outer]), [200, 200]);
    // Inside the scope of the outer one, as before.
    await withRules(wide, () => withRules(strict, () => get(agent, lab.url(ALLOWED, '/strict'))));
    await withRules(wide, () => get(agent, lab.url(ALLOWED, '/wide')));
    assert.equal(lab.allowed.connections, 2);
    assert.deepEqual(
      lab.allowed.requests.map(({ url }) => url),
      ['/strict', '/wide', '/strict', '/wide'],
    );
  });
});

describe('HttpAgent, options that Node has made for a request,', () => {
  it('are judged under the rules in effect when somebody makes another request of them', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const free = once(agent, 'free');
    await withRules(wide, () => get(agent, lab.url(ALLOWED)));
    const [, options] = await free;
    const again = withRules(nowhere, () => once(http.get({ ...options, agent }), 'response'));
    await assertDenied(again, { host: ALLOWED, reason: 'not-allowed', address: ALLOWED });
    assert.deepEqual([lab.allowed.connections, lab.allowed.requests.length], [1, 1]);
  });
});

describe('HttpAgent, a request that Node refuses,', () => {
  it('throws what Node throws and leaves nothing behind', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules: wide });
    t.after(() => agent.destroy());
    const uncaught: unknown[] = [];
    const keep = (error: unknown): unknown => uncaught.push(error);
    process.on('uncaughtException', keep);
    t.after(() => process.off('uncaughtException', keep));
    assert.throws(() => http.get(lab.url(ALLOWED), { agent, headers: { host: ['a', 'b'] } as never }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    // A name that is asked for later is nobody's request.
    assert.equal(agent.getName({ host: ALLOWED, port: lab.port }), `${ALLOWED}:${lab.port}:`);
    assert.equal(await get(agent, lab.url(ALLOWED)), 200);
    assert.deepEqual(uncaught, []);
  });
});

describe('a class on HttpAgent or HttpsAgent that names connections without asking it', () => {
  for (const [kind, client, Agent] of [
    ['http', http, HttpAgent],
    ['https', https, HttpsAgent],
  ] as const) {
    it(`fails its ${kind} requests, since rule sets would share connections`, async (t) => {
      const lab = await startLab(t, kind);
      const agent = new Agent({ keepAlive: true, rejectUnauthorized: false } as object);
      Object.defineProperty(agent, 'getName', { value: () => 'one for all' });
      t.after(() => agent.destroy());
      const request = withRules(wide, () => client.get(lab.url(ALLOWED), { agent }));
      await assert.rejects(once(request, 'response'), { code: 'ERR_NETJAIL_UNSUPPORTED_RUNTIME' });
      assert.deepEqual(lab.allowed.requests, []);
    });
  }

  it('can add to the name', async (t) => {
    class Named extends HttpAgent {
      override getName(options?: http.ClientRequestArgs): string {
        return `mine:${super.getName(options)}`;
      }
    }
    const lab = await startLab(t);
    const agent = new Named({ keepAlive: true });
    t.after(() => agent.destroy());
    for (const rules of [wide, strict, wide]) await withRules(rules, () => get(agent, lab.url(ALLOWED)));
    assert.equal(lab.allowed.connections, 2);
  });
});

for (const [kind, client, Base] of [
  ['http', http, HttpAgent],
  ['https', https, HttpsAgent],
] as const) {
  describe(`${Base.name}, a request in the middle of another one`, () => {
    it('has a connection of its own rules, and so has the other one', async (t) => {
      const lab = await startLab(t, kind);
      let inner: Promise<unknown> | undefined;
      let send: (() => void) | undefined = () => {
        send = undefined;
        inner = withRules(strict, () => ask(agent, lab.url(ALLOWED, '/strict')));
      };
      class Hooked extends (Base as typeof HttpAgent) {
        override createConnection(options: unknown, callback?: unknown): never {
          send?.();
          return super.createConnection(options, callback) as never;
        }
      }
      const agent: http.Agent = new Hooked({ keepAlive: true, rejectUnauthorized: false } as object);
      t.after(() => agent.destroy());
      const outer = withRules(wide, () => ask(agent, lab.url(ALLOWED, '/wide')));
      assert.deepEqual([await outer, await inner], [200, 200]);
      assert.equal(lab.allowed.connections, 2);
    });

    it('leaves the name of what is no request as it is in Node', () => {
      const options = { host: 'name.test', port: 1, localAddress: '127.0.0.1', servername: 'other.test' };
      const node = new client.Agent();
      const own = new Base();
      assert.deepEqual([own.getName(options), own.getName()], [node.getName(options), node.getName()]);
    });
  });
}
