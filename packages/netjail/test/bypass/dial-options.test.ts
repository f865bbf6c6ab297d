// Options of the dial that lead around the gate, and targets that are none.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { Rules } from '../../src/rules.ts';
import { inTime } from '../helpers/in-time.ts';
import { ALLOWED, startLab } from '../helpers/lab.ts';
import { evilLookup, REFUSED_OF_A_SOCKET, rules } from '../helpers/attack.ts';

describe('createDial() options', () => {
  const cases: [name: string, options: unknown, errorName: string, code: string][] = [
    ['no object', null, 'TypeError', 'ERR_NETJAIL_INVALID_ARGUMENT'],
    ['an unknown option', { rule: rules }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['rules that are none', { rules: { allow: [] } }, 'TypeError', 'ERR_NETJAIL_INVALID_RULES'],
    ['null rules', { rules: null }, 'TypeError', 'ERR_NETJAIL_INVALID_RULES'],
    [
      'rules made of the prototype',
      { rules: Object.create({ [Symbol.for('netjail.Rules')]: true, toString: () => 'nonsense' }) },
      'SyntaxError',
      'ERR_NETJAIL_INVALID_RULES',
    ],
    ['a resolver that is none', { resolver: 'dns' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['answers it does not know', { answers: 'some' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['a mode it does not know', { mode: 'off' }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['connect that is none', { connect: {} }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['a time of zero', { connectTimeout: 0 }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
    ['a time that no timer can wait', { connectTimeout: 2 ** 31 }, 'TypeError', 'ERR_NETJAIL_INVALID_OPTION'],
  ];
  for (const [name, options, errorName, code] of cases) {
    it(`throws ${code} when given ${name}`, () => {
      assert.throws(() => createDial(options as never), { name: errorName, code });
    });
  }

  const dial = createDial({ rules });
  const targets: [name: string, target: unknown, errorName: string, code: string][] = [
    ['nothing', undefined, 'TypeError', 'ERR_NETJAIL_INVALID_ARGUMENT'],
    ['no host', { port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['an empty host', { host: '', port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['a String object', { host: new String(ALLOWED), port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    [
      'an object with toString',
      { host: { toString: () => ALLOWED }, port: 1 },
      'TypeError',
      'ERR_NETJAIL_INVALID_HOST',
    ],
    ['a NUL', { host: `${ALLOWED}\0.test`, port: 1 }, 'TypeError', 'ERR_NETJAIL_INVALID_HOST'],
    ['no port', { host: ALLOWED }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 0', { host: ALLOWED, port: 0 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 65536', { host: ALLOWED, port: 65536 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port 1.5', { host: ALLOWED, port: 1.5 }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ['port " 80"', { host: ALLOWED, port: ' 80' }, 'RangeError', 'ERR_NETJAIL_INVALID_PORT'],
    ...REFUSED_OF_A_SOCKET.map((name): [string, unknown, string, string] => [
      name,
      { host: ALLOWED, port: 1, [name]: evilLookup },
      'TypeError',
      'ERR_NETJAIL_INVALID_OPTION',
    ]),
  ];
  for (const [name, target, errorName, code] of targets) {
    it(`dial() and dial.tls() throw ${code} when given ${name}`, () => {
      assert.throws(() => dial(target as never), { name: errorName, code });
      assert.throws(() => dial.tls(target as never), { name: errorName, code });
    });
  }

  it('dial.socket() leaves no timer when connect throws', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const socket = createDial({ rules, connectTimeout: 10 }).socket();
    socket.on('error', (error) => assert.fail(error));
    assert.throws(() => socket.connect(80, ''), { code: 'ERR_NETJAIL_INVALID_HOST' });
    t.mock.timers.tick(20);
    assert.equal(socket.destroyed, false);
  });

  for (const form of ['dial()', 'dial.tls()', 'dial.socket()'] as const) {
    const secure = form === 'dial.tls()';
    const opened = secure ? 'secureConnect' : 'connect';
    const open = (port: number): net.Socket => {
      const dial = createDial({ rules, connectTimeout: 10 });
      const target = { host: ALLOWED, port };
      if (form === 'dial()') return dial(target);
      return secure ? dial.tls({ ...target, rejectUnauthorized: false }) : dial.socket().connect(target);
    };

    it(`${form} leaves a connected socket alone whose listeners its owner has taken off`, async (t) => {
      const lab = await startLab(t, secure ? 'https' : 'http');
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const socket = open(lab.port);
      socket.on('error', (error) => assert.fail(error));
      // Node's own have to stay.
      const ours = socket.listeners(opened).at(-1) as () => void;
      socket.off(opened, ours);
      await once(socket, opened);
      t.mock.timers.tick(20);
      assert.equal(socket.destroyed, false);
      socket.destroy();
      await lab.drained();
    });

    it(`${form} ends one that is not connected when its time is up`, (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const socket = open(1);
      socket.on('error', () => {});
      t.mock.timers.tick(20);
      assert.equal(socket.destroyed, true);
    });
  }

  for (const form of [
    'dial()',
    'dial.tls()',
    'dial.socket()',
    'a path',
    'a path of dial.socket()',
  ] as const) {
    it(`${form} leaves no connection open when the signal was aborted before`, async (t) => {
      const lab = await startLab(t, form === 'dial.tls()' ? 'https' : 'http');
      const { path, server } = await echoPath(t);
      const dial = createDial({ rules: new Rules({ allow: ['127.0.0.0/8', { path }] }) });
      const signal = AbortSignal.abort();
      const target = { host: ALLOWED, port: lab.port };
      const open = {
        'dial()': () => dial({ ...target, signal }),
        'dial.tls()': () => dial.tls({ ...target, signal, rejectUnauthorized: false }),
        'dial.socket()': () => dial.socket({ signal }).connect(target),
        'a path': () => dial({ path, signal } as never),
        'a path of dial.socket()': () => dial.socket({ signal }).connect(path),
      }[form];
      await assert.rejects(once(open(), 'connect'), { name: 'AbortError' });
      // Node connects all the same: what comes after it was in time.
      const next = dial(form.startsWith('a path') ? ({ path } as never) : target);
      await once(next, 'connect');
      next.destroy();
      await inTime(lab.drained(), 'the connections');
      server.close();
      await inTime(once(server, 'close'), 'those to the path');
    });
  }
});

/** A Unix socket that keeps what connects to it open. */
async function echoPath(t: TestContext): Promise<{ path: string; server: net.Server }> {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'x.sock');
  const server = net.createServer((socket) => socket.pipe(socket)).listen(path);
  await once(server, 'listening');
  return { path, server };
}
