// A host that is put into a URL and is another one there: for an address no look-up is asked.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { inTime } from '../helpers/in-time.ts';
import { rules } from '../helpers/attack.ts';

interface Recipe {
  open(
    guard: object,
    target: { host: string; port: number },
  ): Promise<{ use(): Promise<unknown>; close(): Promise<unknown> }>;
}

describe('the recipe of mongodb', () => {
  const file = join(packageRoot, '../../examples/clients/mongodb.js');
  const guard = { rules, resolver: async (): Promise<string[]> => [ALLOWED] };
  const use = async (host: string, port: number): Promise<unknown> => {
    const { open } = (await import(pathToFileURL(file).href)) as Recipe;
    const client = await open(guard, { host, port });
    try {
      return await client.use();
    } finally {
      await client.close();
    }
  };

  it('connects to the allowed server by its name', async (t) => {
    const lab = await startLab(t);
    // It is no MongoDB: what it answers is an error, over a connection that was opened.
    await assert.rejects(inTime(use('name.test', lab.port), 'the client'));
    assert.ok(lab.allowed.connections > 0);
    assert.equal(lab.denied.connections, 0);
  });

  for (const host of ['%31%32%37.0.0.1', `x@${DENIED}`, `${DENIED}/?appName=`, '%2Ftmp%2Fm.sock/?appName=']) {
    it(`opens no connection for the host ${host}`, async (t) => {
      const lab = await startLab(t);
      await assert.rejects(inTime(use(host, lab.port), 'the client'), {
        message: `Cannot connect to host ${JSON.stringify(host)}: it is neither a name nor an address`,
      });
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  }
});
