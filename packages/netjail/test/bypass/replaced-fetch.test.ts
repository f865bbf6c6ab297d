// Something has taken the place of the runtime's fetch before ours is loaded.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLab } from '../helpers/lab.ts';
import { build, run } from '../helpers/process.ts';

const REFUSED = 'ERR_NETJAIL_UNSUPPORTED_RUNTIME';
/**
 * An Agent of undici 8, as inside Node 26, does not take the handlers of undici 6; that of 7 takes the place of
 * the runtime's. undici 8 loads on Node 22 and later.
 */
const MAJOR = Number.parseInt(process.versions.node, 10);
const UNFITTING = MAJOR >= 26 ? ['undici6'] : [];
const FITTING = ['undici6', 'undici', 'undici8'].filter(
  (name) => !UNFITTING.includes(name) && (name !== 'undici8' || MAJOR >= 22),
);
const fetchOf = (name: string): [string, string] => [
  `the fetch of ${name}`,
  `globalThis.fetch = (await import('${name}')).fetch`,
];

/** Each is a statement that replaces `globalThis.fetch`; `own` is what was there. */
const UNGUARDABLE: readonly (readonly [name: string, code: string])[] = [
  [
    'a fetch that knows no dispatcher (node-fetch)',
    "globalThis.fetch = (await import('node-fetch')).default",
  ],
  [
    'a wrapper that passes on what it knows of an init',
    'globalThis.fetch = (url, { method, headers, body, signal } = {}) => own(url, { method, headers, body, signal })',
  ],
  ['a wrapper that does so later', 'globalThis.fetch = async (url) => (await null, own(url))'],
  ['a mock that answers itself', "globalThis.fetch = async () => new Response('mocked')"],
  ['a mock that gives no promise', 'globalThis.fetch = () => undefined'],
  ['a mock that throws', "globalThis.fetch = () => { throw new Error('no network in tests') }"],
  ...UNFITTING.map(fetchOf),
];

/** They hand the dispatcher on. */
const GUARDABLE: readonly (readonly [name: string, code: string])[] = [
  ['a wrapper', 'globalThis.fetch = (...args) => own(...args)'],
  [
    'a wrapper that calls it later',
    'globalThis.fetch = async (url, init) => (await null, own(new Request(url), init))',
  ],
  ...FITTING.map(fetchOf),
];

describe('createFetch() where the place of the built-in fetch is taken before the import', () => {
  for (const [name, code] of UNGUARDABLE) {
    it(`refuses each request by ${name}`, async (t) => {
      const lab = await startLab(t);
      const attack = `const own = globalThis.fetch; ${code};BEFORE
        const get = (url) => outcome(fetch(url).then(({ status }) => status));
        console.log(JSON.stringify([await get(process.env.DENIED), await get(process.env.ALLOWED), await get(process.env.DENIED)]));`;
      assert.deepEqual(await run(lab, attack), [REFUSED, REFUSED, REFUSED]);
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });
  }

  for (const [name, code] of GUARDABLE) {
    it(`guards ${name} under the rules in effect at the call`, async (t) => {
      const lab = await startLab(t);
      const attack = `const own = globalThis.fetch; ${code};BEFORE
        const inEffect = createFetch();
        const get = (url) => outcome(inEffect(url).then(({ status }) => status));
        // Together: all wait for one trial, and each has the rules of its own call.
        const first = [withRules(rules, () => get(process.env.ALLOWED)), get(process.env.ALLOWED), withRules(rules, () => get(process.env.DENIED))];
        console.log(JSON.stringify([...(await Promise.all(first)), await withRules(rules, () => get(process.env.DENIED))]));`;
      assert.deepEqual(await run(lab, attack), [200, 'no-rules', 'blocked', 'blocked']);
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [1, 0]);
    });
  }

  it('looks nothing up while it tries out what is there', async (t) => {
    const lab = await startLab(t);
    const attack = `const own = globalThis.fetch; globalThis.fetch = (...args) => own(...args);
      const dns = (await import('node:dns')).default; const { lookup } = dns; const asked = [];
      dns.lookup = (host, ...rest) => (asked.push(host), lookup(host, ...rest));BEFORE
      const status = await outcome(fetch(process.env.ALLOWED).then(({ status }) => status));
      console.log(JSON.stringify([status, asked]));`;
    assert.deepEqual(await run(lab, attack), [200, []]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
  });

  it('says what was found, and what to do', async (t) => {
    const lab = await startLab(t);
    const attack = `globalThis.fetch = async () => { throw new TypeError('fetch failed') };BEFORE
      const error = await fetch(process.env.ALLOWED).catch((error) => error);
      console.log(JSON.stringify([error.message, error.cause.message]));`;
    assert.deepEqual(await run(lab, attack), [
      'Cannot guard fetch: what has taken the place of the built-in one does not use the dispatcher that it is given; import netjail/fetch before it',
      'fetch failed',
    ]);
    assert.equal(lab.allowed.connections, 0);
  });

  it('refuses each request by the guarded fetch of another copy', async (t) => {
    const lab = await startLab(t);
    const attack = `globalThis.fetch = fetch;
      const { cpSync, mkdirSync, mkdtempSync, rmSync } = await import('node:fs'); mkdirSync('.cache', { recursive: true });
      const folder = mkdtempSync('.cache/copy-'); cpSync('${build}', folder, { recursive: true });
      const copy = await import(process.cwd() + '/' + folder + '/fetch/index.js');
      rmSync(folder, { recursive: true });
      const theirs = copy.createFetch({ rules });
      console.log(JSON.stringify([await outcome(theirs(process.env.ALLOWED)), await outcome(theirs(process.env.DENIED))]));`;
    assert.deepEqual(await run(lab, attack), [REFUSED, REFUSED]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });

  it('refuses the import, or each request, when that of Request is taken as well', async (t) => {
    const lab = await startLab(t);
    const attack = `globalThis.fetch = async () => new Response(); globalThis.Request = class {};BEFORE
      const said = async (url) => fetch(url).catch(({ code, message }) => [code, message.endsWith('import netjail/fetch before it')]);
      console.log(JSON.stringify([await said(process.env.ALLOWED), await said(process.env.DENIED)]));`;
    assert.deepEqual(await run(lab, attack), [
      [REFUSED, true],
      [REFUSED, true],
    ]);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
  });
});
