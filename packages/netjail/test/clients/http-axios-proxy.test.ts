// What is left to itself, axios asks the proxy that the environment names, through the agents.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import axios from 'axios';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { DENIED, startLab } from '../helpers/lab.ts';

const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
const httpAgent = new HttpAgent({ rules });

describe('axios without `proxy: false`', () => {
  it('is denied what it asks of an environment proxy that is allowed', async (t) => {
    const lab = await startLab(t);
    let forwarded = 0;
    const proxy = http
      .createServer((_request, response) => (forwarded++, response.end('proxied')))
      .listen(0, '127.0.0.4');
    await once(proxy, 'listening');
    t.after(() => (delete process.env['http_proxy'], proxy.close(), proxy.closeAllConnections()));
    process.env['http_proxy'] = `http://127.0.0.4:${(proxy.address() as AddressInfo).port}`;
    for (const host of [DENIED, 'inner.test']) {
      const error: unknown = await axios.get(lab.url(host), { httpAgent }).then(
        () => assert.fail(host),
        (reason: unknown) => reason,
      );
      assert.equal(deniedError(error)?.host, host);
    }
    assert.deepEqual([forwarded, lab.denied.connections], [0, 0]);
  });
});
