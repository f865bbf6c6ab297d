// A polluted Object.prototype becomes an option.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DENIED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

describe('every adapter in a process whose', () => {
  for (const [name, value] of Object.entries({
    // It is a listener to emitters as well: prototypes reach far.
    lookup: `(host, options, callback) => typeof callback !== 'function' ? undefined : options.all ? callback(null, [{ address: '${DENIED}', family: 4 }]) : callback(null, '${DENIED}', 4)`,
    socketPath: `'/var/run/docker.sock'`,
    path: `'/var/run/docker.sock'`,
    host: `'${DENIED}'`,
    allow: `['0.0.0.0/0']`,
    rules: 'null',
    mode: `'report'`,
    agent: 'false',
    factory: '() => { throw new Error() }',
    blockList: 'null',
  })) {
    it(`Object.prototype has ${name} reaches nothing that is denied`, async (t) => {
      const lab = await startLab(t);
      const code = `Object.defineProperty(Object.prototype, '${name}', { value: ${value}, configurable: true, writable: true });
        const results = await call(process.env.DENIED); delete Object.prototype['${name}']; console.log(JSON.stringify(results))`;
      const results = (await run(lab, code)) as unknown[];
      assert.ok(
        results.every((result) => result !== 200),
        JSON.stringify(results),
      );
      assert.equal(lab.denied.connections, 0);
    });
  }
});
