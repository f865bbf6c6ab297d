// A runtime that says where it connects to, and has been led astray: the address that it names is vetoed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALLOWED, DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

describe('every adapter in a runtime that connects elsewhere and says so', () => {
  for (const host of [ALLOWED, 'name.test'])
    it(`is denied before a byte is written, for ${host}`, async (t) => {
      const lab = await startLab(t);
      const code = `
        const dns = (await import('node:dns')).default;
        dns.lookup = (_host, _options, callback) => callback(null, [{ address: '${ALLOWED}', family: 4 }]);
        const net = (await import('node:net')).default;
        const { connect } = net.Socket.prototype;
        net.Socket.prototype.connect = function (...args) {
          const options = Array.isArray(args[0]) ? args[0][0] : args[0];
          options.host = '${DENIED}';
          options.lookup = undefined;
          return connect.apply(this, args);
        };
        const url = process.env.ALLOWED.replace('${ALLOWED}', '${host}');
        console.log(JSON.stringify([
          await outcome(fetch(url).then(({ status }) => status)),
          await outcome(request(url, { dispatcher }).then(({ statusCode }) => statusCode)),
          await outcome(new Promise((resolve, reject) => http.get(url, { agent }, (response) => resolve(response.resume().statusCode)).on('error', reject))),
        ]));`;
      assert.deepEqual(await run(lab, code), Array(3).fill('blocked'));
      assert.deepEqual(lab.denied.requests, []);
      const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
      if (major > 22 || (major === 22 && minor >= 13)) assert.equal(lab.denied.connections, 0);
    });
});
