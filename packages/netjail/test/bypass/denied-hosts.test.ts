// Ever new hosts that are denied: whoever can name them must not fill the memory with them.
import { adapters } from '../helpers/adapters.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: [ALLOWED] });

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

async function heapUsed(): Promise<number> {
  // What was let go of in callbacks is garbage only when they have run.
  for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** A name of which the resolver answers the denied address, or a literal. */
const hostOf = (i: number): string =>
  i % 2 === 0 ? `host-${i}.test` : `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

const HOSTS = 20_000;
/** Between two looks at the memory: no divisor of the number at which agents are replaced. */
const STEP = 650;
/** The options of a request take three times as much, a client of undici a hundred times. */
const BYTES_PER_HOST = 200;

for (const adapter of adapters.filter(({ pools }) => pools)) {
  describe(`${adapter.name} that is asked for ${HOSTS} denied hosts`, () => {
    it('keeps nothing for each of them and connects to none', { timeout: 60_000 }, async (t) => {
      const lab = await startLab(t);
      const client = adapter.create({ rules, resolver: async () => [DENIED] });
      let asked = 0;
      const ask = async (count: number): Promise<void> => {
        for (let sent = 0; sent < count; sent += 50) {
          const calls = Array.from({ length: 50 }, async () => {
            const host = hostOf(asked++);
            const error: unknown = await client.request(lab.url(host)).then(
              () => assert.fail(`${host} was not denied`),
              (reason: unknown) => reason,
            );
            const wanted = host.endsWith('.test') ? DENIED : host;
            const denial = deniedError(error)?.denials[0];
            if (denial?.reason !== 'not-allowed' || denial?.address !== wanted)
              assert.fail(`${host}: ${String(error)}`);
          });
          await Promise.all(calls);
        }
      };
      // What is made once is there after the first ones.
      await ask(2_000);
      client.closeIdle();
      const before = await heapUsed();
      const growth: number[] = [];
      for (let hosts = STEP; hosts <= HOSTS; hosts += STEP) {
        await ask(STEP);
        // Before, what is left over from the start weighs as much.
        if (hosts > HOSTS / 2) growth.push(Math.round(((await heapUsed()) - before) / hosts));
      }
      // An agent of undici 6 keeps its origins until it is replaced, which is after a thousand or so:
      // most of the looks are between two replacements, so it is the least that tells.
      assert.ok(Math.min(...growth) < BYTES_PER_HOST, `bytes for each host: ${growth.join(', ')}`);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
      await client.destroy();
    });
  });
}
