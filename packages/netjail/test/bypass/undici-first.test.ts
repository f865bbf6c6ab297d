// Another undici is loaded before ours.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DENIED, startLab } from '../helpers/lab.ts';
import { BOTH, build, GUARDED, run } from '../helpers/process.ts';

/** undici 8 loads on Node 22.19 and later only. */
const MAJOR = Number(process.versions.node.split('.')[0]);
const UNDICIS = MAJOR >= 22 ? ['undici6', 'undici', 'undici8'] : ['undici6', 'undici'];

describe('every adapter in a process that', () => {
  for (const name of UNDICIS) {
    it(`${name} was loaded in first is guarded`, async (t) => {
      const lab = await startLab(t);
      assert.deepEqual(await run(lab, `await import('${name}');BEFORE${BOTH}`), GUARDED);
      assert.equal(lab.denied.connections, 0);
    });
  }
});

describe('fetch in a process that', () => {
  for (const name of UNDICIS) {
    it(`${name} was loaded in first judges redirects and has the rules in effect`, async (t) => {
      const lab = await startLab(t);
      const target = encodeURIComponent(lab.url(DENIED));
      const code = `await import('${name}');BEFORE
        const own = createFetch();
        const get = (path) => outcome(own(process.env.ALLOWED + path).then(({ status }) => status));
        console.log(JSON.stringify([
          await withRules(rules, () => get('')),
          await withRules(rules, () => get('redirect?${target}')),
          await withRules(new Rules({ allow: ['public'] }), () => get('')),
          await get(''),
        ]));`;
      assert.deepEqual(await run(lab, code), [200, 'blocked', 'not-allowed', 'no-rules']);
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    });
  }

  for (const name of UNDICIS) {
    // A bundler gives the classes other names, and the runtime makes no dispatcher where there is one.
    it(`${name} was loaded in first, its classes renamed and fetch used, is guarded`, async (t) => {
      const lab = await startLab(t);
      const code = `const { Agent: First } = await import('${name}');
        await globalThis.fetch('data:,');
        const rename = (type, value) => Object.defineProperty(type, 'name', { value });
        rename(First, '_a');
        for (const version of [1, 2]) {
          const planted = globalThis[Symbol.for('undici.globalDispatcher.' + version)];
          if (planted !== undefined && planted.constructor !== First) rename(planted.constructor, '_b');
        }BEFORE
        const get = (url) => outcome(fetch(url).then(({ status }) => status));
        console.log(JSON.stringify([await get(process.env.ALLOWED), await get(process.env.DENIED)]));`;
      assert.deepEqual(await run(lab, code), [200, 'blocked']);
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [1, 0]);
    });

    // undici 6 puts its dispatcher where the undici 8 of a runtime does not look.
    if (name === 'undici6' && MAJOR >= 26) continue;
    it(`an agent that inherits from that of ${name} is in the place of the runtime's refuses the import`, async (t) => {
      const lab = await startLab(t);
      const code = `const first = await import('${name}');
        await globalThis.fetch('data:,');
        first.setGlobalDispatcher(new (class Agent extends first.Agent {})());BEFORE
        console.log(JSON.stringify((await call(process.env.ALLOWED))[0]));`;
      assert.equal(await run(lab, code), 'ERR_NETJAIL_UNSUPPORTED_RUNTIME');
    });
  }

  // Node 20 has no WebSocket, and the undici inside it no such limits.
  for (const name of UNDICIS.length < 3 ? [] : UNDICIS) {
    it(`${name} was loaded in first has the limits of messages that its options say`, async (t) => {
      const lab = await startLab(t);
      const code = `await import('${name}');BEFORE
        const { createDispatcher } = await import('${build}/fetch/index.js');
        const options = { webSocket: { maxPayloadSize: 1000 }, eventSource: { maxEventSize: 2000 } };
        const { webSocketOptions, eventSourceOptions } = createDispatcher(options);
        console.log(JSON.stringify([webSocketOptions?.maxPayloadSize, eventSourceOptions?.maxEventSize]));`;
      assert.deepEqual(await run(lab, code), [1000, 2000]);
    });
  }

  it("throws on import when a dispatcher that is no Agent is in the place of the runtime's", async (t) => {
    const lab = await startLab(t);
    const code = `const { MockAgent, setGlobalDispatcher } = await import('undici');
      const mock = new MockAgent();
      setGlobalDispatcher(mock);
      Object.defineProperty(globalThis, Symbol.for('undici.globalDispatcher.2'), { value: mock, writable: true });
      new Request('data:,');BEFORE
      console.log(JSON.stringify(await call(process.env.ALLOWED)));`;
    assert.deepEqual(await run(lab, code), ['ERR_NETJAIL_UNSUPPORTED_RUNTIME', 200, 200, 200]);
  });
});
