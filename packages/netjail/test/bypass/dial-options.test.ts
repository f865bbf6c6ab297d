// Options of the dial that lead around the gate, and targets that are none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDial } from '../../src/dial.ts';
import { ALLOWED } from '../helpers/lab.ts';
import { evilLookup, rules } from '../helpers/attack.ts';

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
    ...[
      'lookup',
      'fd',
      'handle',
      '_handle',
      'socket',
      'socketPath',
      'blockList',
      'createConnection',
      'proxy',
    ].map((name): [string, unknown, string, string] => [
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
});
