// No host, which is localhost.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { failure } from '../helpers/attack.ts';

describe('HttpAgent and HttpsAgent', () => {
  it('deny when the host is left out, since that is localhost', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({
      rules: new Rules({ allow: [ALLOWED] }),
      resolver: async () => [DENIED, '::1'],
    });
    const error = deniedError(await failure(http.get({ port: lab.port, agent })));
    assert.deepEqual([error?.host, error?.reason], ['localhost', 'not-allowed']);
    assert.equal(lab.denied.connections, 0);
  });
});
