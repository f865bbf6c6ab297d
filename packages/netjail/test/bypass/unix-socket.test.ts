// A Unix socket in the place of a host.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { deniedError } from '../../src/errors.ts';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { failure, rules } from '../helpers/attack.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { unixServer } from '../helpers/unix.ts';

describe('every adapter', () => {
  it('deny a Unix socket', async (t) => {
    const unix = await unixServer(t);
    for (const [agent, make] of [
      [new HttpAgent({ rules }), http],
      [new HttpsAgent({ rules }), https],
    ] as const) {
      const error = deniedError(await failure(make.get({ socketPath: unix.path, path: '/', agent })));
      assert.deepEqual([error?.reason, error?.host, error?.port], ['path-not-allowed', unix.path, undefined]);
    }
    assert.equal(unix.seen(), 0);
  });

  it('take an empty socketPath for none, as Node does, and judge the host', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const to = { port: lab.port, socketPath: '', agent };
    const [response] = (await once(http.get({ ...to, host: ALLOWED }), 'response')) as [http.IncomingMessage];
    assert.equal(response.resume().statusCode, 200);
    assert.equal(deniedError(await failure(http.get({ ...to, host: DENIED })))?.reason, 'blocked');
    // The path of the request names its host.
    const own = { ...to, host: ALLOWED, path: lab.url(ALLOWED) };
    const [proxied] = (await once(http.get(own), 'response')) as [http.IncomingMessage];
    assert.equal(proxied.resume().statusCode, 200);
    assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    agent.destroy();
  });

  const dial = createDial({ rules });
  it('dial() denies a path', async (t) => {
    const unix = await unixServer(t);
    const calls = [
      () => dial({ path: unix.path } as never),
      () => dial.tls({ path: unix.path } as never),
      () => dial.socket().connect(unix.path),
      () => dial.socket().connect({ path: unix.path }),
    ];
    for (const call of calls) {
      const [error] = (await once(call(), 'error')) as [Error];
      assert.equal(deniedError(error)?.reason, 'path-not-allowed');
    }
    assert.equal(unix.seen(), 0);
  });
});
