// Classes on HttpAgent that hand on less than they were given: no request may lose its rules.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { withRules } from '../../src/context.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, release, startLab, type Lab } from '../helpers/lab.ts';

const wide = new Rules({ allow: ['127.0.0.0/8'] });
const strict = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });

/** Ends in the status, or in the denied address with the reason. */
function get(agent: http.Agent, url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', (error) => {
      const denial = deniedError(error)?.denials[0];
      if (denial === undefined) reject(error);
      else resolve(`${denial.address} ${denial.reason}`);
    });
  });
}

type Target = http.ClientRequestArgs & { timeout?: number };

class OwnOptions extends HttpAgent {
  override createConnection(options: Target, callback?: unknown): ReturnType<HttpAgent['createConnection']> {
    const { host, port } = options;
    return super.createConnection({ host, port }, callback);
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
      assert.equal(await idle(), 1);
      agent.close();
      assert.equal(await idle(), 0);
      await inTime(lab.drained(), 'the connections');
      assert.equal(lab.allowed.connections, 2);
    });
  });
}
