// Requests that name their target themselves (absolute form, CONNECT), and options of others.
import '../../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { HttpAgent, HttpsAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { Dispatcher } from '../../src/undici/index.ts';
import { Guard } from '../../src/guard.ts';
import { readOptions } from '../../src/options.ts';
import { proxiedDenial } from '../../src/proxied.ts';
import { rules } from '../helpers/attack.ts';
import { assertDenied } from '../helpers/denial.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';

describe('a request that names its target', () => {
  const guard = (given: Rules, mode?: string): Guard =>
    new Guard(given, readOptions({ rules: given, mode }).settings);
  const own = { host: ALLOWED, port: 8080 };
  const verdict = (given: Rules, method: string, path: string, mode?: string) =>
    proxiedDenial(guard(given, mode), method, path, own)?.reason;
  it('is its own when host and port are, and not when one of them is', () => {
    assert.equal(verdict(rules, 'GET', `http://${ALLOWED}:8080/`), undefined);
    assert.equal(verdict(rules, 'GET', `http://${DENIED}:8080/`), 'blocked');
    assert.equal(
      verdict(new Rules({ allow: [{ prefix: ALLOWED, port: 8080 }] }), 'GET', `http://${ALLOWED}:81/`),
      'port-not-allowed',
    );
    assert.equal(verdict(rules, 'CONNECT', `${DENIED}:8080`), 'blocked');
  });
  it('own names are compared without case', () => {
    assert.equal(
      proxiedDenial(guard(rules), 'GET', 'http://NAME.test:81/', { host: 'name.TEST', port: '81' }),
      undefined,
    );
    assert.equal(
      proxiedDenial(guard(rules), 'GET', 'http://name.test/', { host: 'name.test', port: 80 }),
      undefined,
    );
    assert.equal(
      proxiedDenial(guard(rules), 'CONNECT', 'NAME.test:81', { host: 'name.TEST', port: 81 }),
      undefined,
    );
  });
  it('is judged by the port that it names, or that of its scheme', () => {
    const only = (port: number): Rules => new Rules({ allow: [{ prefix: '10.0.0.1', port }] });
    for (const [method, path, port] of [
      ['GET', 'http://10.0.0.1/', 80],
      ['GET', 'https://10.0.0.1/', 443],
      ['GET', 'HTTPS://10.0.0.1', 443],
      ['GET', 'http://10.0.0.1?x', 80],
      ['GET', 'http://10.0.0.1:81#x', 81],
      ['GET', 'http://10.0.0.1:81/', 81],
      ['CONNECT', '10.0.0.1:22', 22],
    ] as const) {
      assert.equal(verdict(only(port), method, path), undefined, path);
      assert.equal(verdict(only(port + 1), method, path), 'port-not-allowed', path);
    }
  });
  it('is judged when it is an IPv6 address in brackets', () => {
    const given = new Rules({ allow: ['2001:db8::/32'], block: ['2001:db8::1'] });
    for (const [method, form] of [
      ['GET', (address: string) => `http://[${address}]/`],
      ['CONNECT', (address: string) => `[${address}]:443`],
    ] as const) {
      assert.equal(verdict(given, method, form('2001:db8::2')), undefined);
      assert.equal(verdict(given, method, form('2001:DB8::1')), 'blocked');
    }
  });
  it('is denied where readers may differ', () => {
    for (const path of [
      'http://user@10.0.0.1/',
      'ftp://10.0.0.1/',
      'http:10.0.0.1',
      'http://10.0.0.1\\@x/',
      'xhttp://10.0.0.1/',
      'http://10.0.0.1:/',
      'http://10.0.0.1:000080/',
      '//',
      'x',
    ].filter((p) => p[0] !== '/'))
      assert.equal(verdict(rules, 'GET', path), 'proxied-name', path);
    for (const path of ['/x', '/10.0.0.1:22', '10.0.0.1:22/', '10.0.0.1:', '10.0.0.1:000022', '10.0.0.1', ''])
      assert.equal(verdict(new Rules({ allow: ['10.0.0.1'] }), 'CONNECT', path), 'proxied-name', path);
    const { reason, host } = proxiedDenial(guard(rules), 'CONNECT', undefined, own)!;
    assert.deepEqual([reason, host], ['proxied-name', '']);
  });
  it('is none of these', () => {
    for (const path of ['', '*', '/', '/http://x/', '?x'])
      assert.equal(verdict(new Rules({}), 'GET', path), undefined, path);
  });
  it('is only reported in mode report', () => {
    assert.equal(verdict(rules, 'GET', `http://${DENIED}/`, 'report'), undefined);
    assert.equal(verdict(rules, 'GET', 'http://inner.test/', 'report'), undefined);
  });
  it('to a denied host at the port of the connection is denied by every client', async (t) => {
    const lab = await startLab(t);
    const agent = new HttpAgent({ rules });
    const dispatcher = new Dispatcher({ Agent: undici.Agent, rules });
    const path = `http://${DENIED}:${lab.port}/`;
    const [error] = await once(http.get({ agent, host: ALLOWED, port: lab.port, path }), 'error');
    await assertDenied(Promise.reject(error), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    await assertDenied(dispatcher.request({ origin: lab.url(ALLOWED, ''), path, method: 'GET' }), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    assert.equal(lab.allowed.connections, 0);
    agent.destroy();
    await dispatcher.destroy();
  });
});

describe('HttpAgent', () => {
  it('judges options that carry the pass of another agent by its own rules', async (t) => {
    const lab = await startLab(t);
    const wide = new HttpAgent({ rules: new Rules({ allow: ['127.0.0.0/8'] }), keepAlive: true });
    const strict = new HttpAgent({ rules });
    t.after(() => {
      wide.destroy();
      strict.destroy();
    });
    const free = once(wide, 'free');
    http.get(lab.url(DENIED), { agent: wide }, (response) => response.resume());
    const [, options] = await free;
    // Node's own options of the other agent's request.
    const socket = strict.createConnection(options, undefined) as import('node:net').Socket;
    const [error] = await inTime(once(socket, 'error'), 'the socket');
    await assertDenied(Promise.reject(error), {
      host: DENIED,
      reason: 'blocked',
      address: DENIED,
      entry: '127.0.0.1',
    });
    assert.equal(lab.denied.connections, 1);
  });
  it('HttpsAgent calls a client back with the error of the certificate, never with the socket', async (t) => {
    const lab = await startLab(t, 'https');
    const agent = new HttpsAgent({ rules });
    const args = await inTime(
      new Promise<unknown[]>((resolve) =>
        agent.createConnection({ host: ALLOWED, port: lab.port }, (...all: unknown[]) => resolve(all)),
      ),
      'the callback',
    );
    assert.deepEqual(
      [(args[0] as { code?: string } | null)?.code, args[1]],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined],
    );
    await inTime(lab.drained(), 'the connections');
  });
});
