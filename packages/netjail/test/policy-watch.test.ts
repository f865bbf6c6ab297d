// First: on Node 20 an undici that is loaded earlier hides the built-in one.
import { createFetch } from '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import * as undici from 'undici';
import { HttpAgent } from '../src/http/index.ts';
import { onWithdrawn } from '../src/withdrawn.ts';
import { Dispatcher, type AgentClass } from '../src/undici/index.ts';
import {
  createDial,
  currentRules,
  Rules,
  watchPolicy,
  withRules,
  type PolicyMessage,
  type PolicyWatch,
  type WatchOptions,
} from '../src/index.ts';
import { assertDenied } from './helpers/denial.ts';
import { ALLOWED, DENIED, startLab, type Lab } from './helpers/lab.ts';

const noFifo = process.platform === 'win32' && 'Windows has no named pipes in folders';
const OPEN = '{ "allow": ["127.0.0.0/8"] }';
const OTHER = '{ "allow": ["127.0.0.0/9"] }';
const CLOSED = '{ "allow": ["10.0.0.0/8"] }';

interface Watched {
  path: string;
  policy: PolicyWatch;
  messages: PolicyMessage[];
  /** The next message that is published, whether it has been already or not. */
  next(): Promise<PolicyMessage>;
}

/** A watch does not keep the process alive: a test that waits for its notice does. */
function stayAlive(t: TestContext): void {
  const timer = setInterval(() => {}, 60_000);
  t.after(() => clearInterval(timer));
}

/** A policy file in a folder of its own, watched. */
function watched(t: TestContext, text: string, options?: WatchOptions): Watched {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-watch-'));
  const path = join(folder, 'egress.json');
  writeFileSync(path, text);
  const followed = follow(t, path, options);
  t.after(() => rmSync(folder, { recursive: true }));
  return followed;
}

/** A link to an open policy. The link stays; what it leads to is in a folder that is not watched. */
function linked(t: TestContext): { target: string; link: string } {
  const elsewhere = mkdtempSync(join(tmpdir(), 'netjail-elsewhere-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  const target = join(elsewhere, 'target.json');
  const link = join(mkdtempSync(join(elsewhere, 'watched-')), 'egress.json');
  writeFileSync(target, OPEN);
  symlinkSync(target, link);
  return { target, link };
}

/** Watches a file until the test ends; the messages since the start. */
function follow(t: TestContext, path: string, options?: WatchOptions): Watched {
  const messages: PolicyMessage[] = [];
  let wake = (): void => {};
  const listen = (message: unknown): void => {
    if ((message as PolicyMessage).source !== path) return;
    messages.push(message as PolicyMessage);
    wake();
  };
  subscribe('netjail:policy', listen);
  const policy = watchPolicy(path, options);
  stayAlive(t);
  let taken = messages.length;
  t.after(() => {
    policy.close();
    unsubscribe('netjail:policy', listen);
  });
  const next = async (): Promise<PolicyMessage> => {
    while (messages.length === taken) await new Promise<void>((resolve) => (wake = resolve));
    return messages[taken++]!;
  };
  return { path, policy, messages, next };
}

describe('watchPolicy()', () => {
  it('has the rules of the file from the start, and says so', (t) => {
    const { policy, messages, path } = watched(t, OPEN);
    assert.equal(String(policy.rules), 'ALLOW 127.0.0.0/8');
    assert.deepEqual(messages, [
      { outcome: 'loaded', source: path, id: policy.rules.id, previous: undefined, error: undefined },
    ]);
    assert.ok(Object.isFrozen(messages[0]));
  });

  it(
    'refuses a pipe, which cannot be read twice, and leaves no reading open',
    { skip: noFifo },
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'netjail-watch-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const path = join(folder, 'egress.json');
      execFileSync('mkfifo', [path]);
      const refused = {
        code: 'ERR_NETJAIL_INVALID_POLICY',
        message: `Cannot read policy ${JSON.stringify(path)}: it is a pipe, a socket or a device, which cannot be watched`,
      };
      assert.throws(() => watchPolicy(path), refused);
      unlinkSync(path);

      const seen: Error[] = [];
      writeFileSync(path, OPEN);
      const policy = watchPolicy(path, { interval: 0, onError: (error) => seen.push(error) });
      t.after(() => policy.close());
      unlinkSync(path);
      execFileSync('mkfifo', [path]);
      await policy.reload();
      await Promise.resolve();
      assert.equal(String(policy.rules), 'ALLOW 127.0.0.0/8');
      assert.deepEqual(
        seen.map(({ message }) => message),
        [refused.message],
      );
    },
  );

  const changes: [name: string, change: (path: string) => void][] = [
    ['written in place', (path) => writeFileSync(path, CLOSED)],
    [
      'replaced by another by rename',
      (path) => {
        writeFileSync(`${path}.new`, CLOSED);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'removed and made again',
      (path) => {
        unlinkSync(path);
        writeFileSync(path, CLOSED);
      },
    ],
    [
      'replaced by a link to another folder',
      (path) => {
        const other = mkdtempSync(join(path, '..', 'data-'));
        writeFileSync(join(other, 'egress.json'), CLOSED);
        symlinkSync(join(other, 'egress.json'), `${path}.link`);
        renameSync(`${path}.link`, path);
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`replaces the rules by the notice of the system when the file is ${name}`, async (t) => {
      const { policy, path, next } = watched(t, OPEN, { interval: 0 });
      const before = policy.rules;
      change(path);
      const message = await next();
      assert.deepEqual(
        [message.outcome, message.previous, message.id, message.error],
        ['loaded', before.id, policy.rules.id, undefined],
      );
      assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
      assert.equal(before.accept('127.0.0.1'), true, 'the rules themselves never change');
    });
  }

  it('follows the file that it was given when the program changes its current folder', async (t) => {
    const { path } = watched(t, OPEN);
    const elsewhere = mkdtempSync(join(tmpdir(), 'netjail-watch-'));
    writeFileSync(join(elsewhere, 'egress.json'), '{ "allow": ["0.0.0.0/0"] }');
    const here = process.cwd();
    t.after(() => {
      process.chdir(here);
      rmSync(elsewhere, { recursive: true });
    });
    process.chdir(join(path, '..'));
    const { policy, next, messages } = follow(t, 'egress.json', { interval: 0 });
    process.chdir(elsewhere);
    await policy.reload();
    assert.equal(String(policy.rules), 'ALLOW 127.0.0.0/8');
    writeFileSync(path, CLOSED);
    assert.deepEqual([(await next()).outcome, String(policy.rules)], ['loaded', 'ALLOW 10.0.0.0/8']);
    writeFileSync(path, 'broken');
    await policy.reload();
    const { error, source } = messages.at(-1)!;
    assert.match(error!.message, /^Cannot read policy "egress\.json": line 1 column 1/);
    assert.equal(source, 'egress.json');
  });

  it('keeps the ".." of a relative path, which may be behind a link', (t) => {
    const { path } = watched(t, OPEN);
    const folder = join(path, '..');
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    writeFileSync(join(folder, 'a', 'egress.json'), CLOSED);
    symlinkSync(join(folder, 'a', 'b'), join(folder, 'link'));
    const here = process.cwd();
    t.after(() => process.chdir(here));
    process.chdir(folder);
    assert.equal(String(follow(t, 'link/../egress.json').policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('notices that a link to the same file is there again, each time', async (t) => {
    const { path } = watched(t, OPEN);
    const folder = mkdtempSync(join(tmpdir(), 'netjail-watch-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const link = join(folder, 'link.json');
    symlinkSync(path, link);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
    const { policy, next } = follow(t, link, { interval: 0 });
    await policy.reload();
    for (let i = 0; i < 2; i++) {
      unlinkSync(link);
      assert.equal((await next()).outcome, 'kept');
      symlinkSync(path, link);
      assert.equal((await next()).outcome, 'loaded');
    }
  });

  it('does not read the file again when something else in its folder changes', async (t) => {
    if (process.platform !== 'linux') return t.skip('not run: only Linux says how much a process has read');
    const bytesRead = (): number =>
      Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))![1]);
    const size = 2 ** 20;
    const { policy, path, next } = watched(t, `${OPEN}${' '.repeat(size)}`, { interval: 0 });
    // Its last change is long ago: another one would show.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
    await policy.reload();
    const log = join(path, '..', 'app.log');
    const notices = watch(join(path, '..'));
    t.after(() => notices.close());
    const before = bytesRead();
    for (let i = 0; i < 200; i++) {
      const noticed = once(notices, 'change');
      writeFileSync(log, `line ${i}\n`);
      await noticed;
      await stat(path);
    }
    const read = bytesRead() - before;
    assert.ok(read < size, `${read} bytes read`);
    // A change of the policy is noticed all the same.
    writeFileSync(path, CLOSED);
    assert.equal((await next()).outcome, 'loaded');
    assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('ends with the last of many quick changes, and never has rules that no file had', async (t) => {
    const { policy, path, messages, next } = watched(t, OPEN, { interval: 0 });
    const written = new Set([policy.rules.id]);
    const last = new Rules({ allow: ['10.0.0.199'] }).id;
    for (let i = 0; i < 200; i++) {
      const text = JSON.stringify({ allow: [`10.0.0.${i}`] }, undefined, 2);
      written.add(new Rules({ allow: [`10.0.0.${i}`] }).id);
      if (i % 2 === 0) {
        writeFileSync(path, text);
      } else {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (policy.rules.id !== last) await next();
    assert.ok(messages.every(({ id }) => written.has(id)));
  });

  it('replaces the rules by the notice of the system when a link beside the file is moved, as Kubernetes does', async (t) => {
    const mount = mkdtempSync(join(tmpdir(), 'netjail-mount-'));
    t.after(() => rmSync(mount, { recursive: true }));
    for (const [version, text] of [
      ['..1', OPEN],
      ['..2', CLOSED],
    ] as const) {
      mkdirSync(join(mount, version));
      writeFileSync(join(mount, version, 'egress.json'), text);
    }
    symlinkSync('..1', join(mount, '..data'));
    symlinkSync('..data/egress.json', join(mount, 'egress.json'));
    const path = join(mount, 'egress.json');
    const { policy, next } = follow(t, path, { interval: 0 });
    assert.equal(String(policy.rules), 'ALLOW 127.0.0.0/8');
    symlinkSync('..2', join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    assert.equal((await next()).outcome, 'loaded');
    assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('replaces the rules by looking when the system notices nothing', async (t) => {
    const { target, link } = linked(t);
    const { policy, next } = follow(t, link, { interval: 10 });
    writeFileSync(target, CLOSED);
    assert.equal((await next()).outcome, 'loaded');
    assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('keeps the last good rules when the file is broken or missing, and tells each state once', async (t) => {
    const errors: Error[] = [];
    const { policy, path, messages } = watched(t, OPEN, {
      interval: 0,
      onError: (error) => errors.push(error),
    });
    const { rules } = policy;
    for (const [state, code] of [
      ['{ "allow": ["127.0.0.0/40"] }', 'ERR_NETJAIL_INVALID_POLICY'],
      ['', 'ERR_NETJAIL_INVALID_POLICY'],
      [undefined, 'ENOENT'],
    ] as const) {
      errors.length = 0;
      messages.length = 0;
      if (state === undefined) unlinkSync(path);
      else writeFileSync(path, state);
      await policy.reload();
      await policy.reload();
      assert.equal(policy.rules, rules);
      assert.deepEqual(
        messages.map(({ outcome, id, previous, error }) => [
          outcome,
          id,
          previous,
          (error as { code?: unknown }).code,
        ]),
        [['kept', rules.id, rules.id, code]],
      );
      assert.deepEqual(errors, [messages[0]!.error]);
    }
    messages.length = 0;
    writeFileSync(path, OPEN);
    await policy.reload();
    assert.deepEqual([messages[0]!.outcome, policy.rules === rules], ['loaded', true]);
  });

  it('tells a broken file by the notice of the system as well', async (t) => {
    const { policy, path, next } = watched(t, OPEN, { interval: 0 });
    writeFileSync(path, '{ "allow": [');
    const message = await next();
    assert.deepEqual([message.outcome, message.id], ['kept', policy.rules.id]);
    assert.equal((message.error as { code?: unknown } | undefined)?.code, 'ERR_NETJAIL_INVALID_POLICY');
    writeFileSync(path, CLOSED);
    assert.equal((await next()).outcome, 'loaded');
    assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('keeps the same rules when no entry changed', async (t) => {
    const { policy, path } = watched(t, OPEN, { interval: 0 });
    const { rules } = policy;
    writeFileSync(path, `// the same\n${OPEN}`);
    await policy.reload();
    assert.equal(policy.rules, rules);
  });

  it('has the entries of the file when it says the same policy in other words', async (t) => {
    const { policy, path, messages } = watched(t, OPEN, { interval: 0 });
    const { id } = policy.rules;
    writeFileSync(path, '{ "allow": ["127.1.2.3/8"] }');
    messages.length = 0;
    await policy.reload();
    assert.equal(String(policy.rules), 'ALLOW 127.1.2.3/8');
    assert.deepEqual(
      messages.map(({ outcome, id: its, previous }) => [outcome, its, previous]),
      [['loaded', id, id]],
    );
  });

  it('tells every adapter of a change, and the channel, when one of them throws', async (t) => {
    // Only reload() reads it.
    const { target, link } = linked(t);
    const { policy, messages } = follow(t, link, { interval: 0 });
    const told: string[] = [];
    // Held by the test: adapters are held weakly.
    const adapters = ['first', 'second'].map((name) => ({
      withdrawn(rules: Rules): void {
        told.push(`${name} ${String(rules)}`);
        throw new Error(name);
      },
    }));
    for (const adapter of adapters) onWithdrawn(adapter);
    // Not for the tests that follow.
    t.after(() => adapters.forEach((adapter) => (adapter.withdrawn = () => {})));
    writeFileSync(target, CLOSED);
    messages.length = 0;
    await assert.rejects(policy.reload(), { message: 'first' });
    assert.deepEqual(told, ['first ALLOW 127.0.0.0/8', 'second ALLOW 127.0.0.0/8']);
    assert.deepEqual(
      messages.map(({ outcome }) => outcome),
      ['loaded'],
    );
    assert.equal(String(policy.rules), 'ALLOW 10.0.0.0/8');
  });

  it('reload() reads again when it is called while another one ends', async (t) => {
    for (let turns = 0; turns < 5; turns++) {
      const reloaded = new Promise<string>((resolve) => {
        const { policy, path } = watched(t, OPEN, {
          interval: 0,
          onError: () => {
            let later = Promise.resolve();
            for (let i = 0; i < turns; i++) later = later.then(() => {});
            later
              .then(() => writeFileSync(path, OTHER))
              .then(() => policy.reload())
              .then(() => resolve(String(policy.rules)));
          },
        });
        writeFileSync(path, '{');
        void policy.reload();
      });
      assert.equal(await reloaded, 'ALLOW 127.0.0.0/9', `after ${turns} turns`);
    }
  });

  it('leaves no listener on its signal', (t) => {
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) watched(t, OPEN, { signal }).policy.close();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('changes nothing after close(), and after its signal', async (t) => {
    const controller = new AbortController();
    for (const end of [(policy: PolicyWatch) => policy.close(), () => controller.abort()]) {
      const { policy, path } = watched(t, OPEN, { signal: controller.signal });
      const { rules } = policy;
      end(policy);
      writeFileSync(path, CLOSED);
      await policy.reload();
      assert.equal(policy.rules, rules);
    }
    assert.throws(() => watchPolicy('x', { signal: controller.signal }), { name: 'AbortError' });
  });

  for (const [what, text] of [
    ['other rules', OTHER],
    ['a broken file', '{'],
  ] as const) {
    it(`changes and tells nothing when it is closed while it reads ${what}`, async (t) => {
      const { policy, path } = watched(t, OPEN, {
        interval: 0,
        onError: () => assert.fail('onError was called'),
      });
      const { rules } = policy;
      writeFileSync(path, text);
      const reading = policy.reload();
      policy.close();
      await reading;
      assert.equal(policy.rules, rules);
    });
  }

  it('throws at the start when the file is broken or missing, for there are no good rules', (t) => {
    const { path } = watched(t, OPEN);
    writeFileSync(path, '{}');
    assert.throws(() => watchPolicy(path), {
      code: 'ERR_NETJAIL_INVALID_POLICY',
      source: path,
      field: 'allow',
    });
    assert.throws(() => watchPolicy(`${path}.none`), { code: 'ENOENT' });
    assert.throws(() => watchPolicy(join(path, '..', 'none', 'egress.json')), { code: 'ENOENT' });
  });

  const malformed: [args: unknown[], code: string][] = [
    [[1], 'ERR_NETJAIL_INVALID_ARGUMENT'],
    [['x', null], 'ERR_NETJAIL_INVALID_ARGUMENT'],
    [['x', { onError: 1 }], 'ERR_NETJAIL_INVALID_OPTION'],
    [['x', { signal: {} }], 'ERR_NETJAIL_INVALID_OPTION'],
    [['x', { interval: -1 }], 'ERR_NETJAIL_INVALID_OPTION'],
    [['x', { interval: 0.5 }], 'ERR_NETJAIL_INVALID_OPTION'],
    [['x', { interval: 2 ** 31 }], 'ERR_NETJAIL_INVALID_OPTION'],
    [['x', { intervall: 1 }], 'ERR_NETJAIL_INVALID_OPTION'],
  ];
  for (const [args, code] of malformed) {
    it(`throws ${code} for ${JSON.stringify(args)}`, () => {
      assert.throws(() => (watchPolicy as (...args: unknown[]) => unknown)(...args), {
        name: 'TypeError',
        code,
      });
    });
  }
});

type Send = (url: string) => Promise<string>;

/** Each client that pools connections, with its rules from a function. */
const clients: [
  name: string,
  create: (rules: () => Rules | null | undefined) => { send: Send; close(): unknown },
][] = [
  [
    'createFetch()',
    (rules) => {
      const fetch = createFetch({ rules, connections: 1 });
      return { send: async (url) => (await fetch(url)).text(), close: () => fetch.destroy() };
    },
  ],
  [
    'HttpAgent',
    (rules) => {
      const agent = new HttpAgent({ rules, keepAlive: true });
      return { send: (url) => get(url, agent), close: () => agent.destroy() };
    },
  ],
  [
    'Dispatcher',
    (rules) => {
      const dispatcher = new Dispatcher({
        Agent: undici.Agent as unknown as AgentClass,
        rules,
        connections: 1,
      } as never);
      const send: Send = async (url) => {
        const { body } = await undici.request(url, { dispatcher: dispatcher as never });
        return body.text();
      };
      return { send, close: () => dispatcher.destroy() };
    },
  ],
];

function get(url: string, agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve(body)).on('error', reject);
      })
      .on('error', reject);
  });
}

/** Waits until a site has this many open connections. */
async function open(site: Lab['allowed'], count: number): Promise<void> {
  while (site.open.size > count) {
    const [socket] = site.open;
    await new Promise((resolve) => socket!.once('close', resolve));
  }
  assert.equal(site.open.size, count);
}

describe('rules from a function', () => {
  for (const [name, create] of clients) {
    it(`${name} closes idle connections of replaced rules, and opens another under the new ones`, async (t) => {
      const lab = await startLab(t);
      const { policy, path } = watched(t, OPEN, { interval: 0 });
      const client = create(() => policy.rules);
      t.after(() => client.close());
      await client.send(lab.url(ALLOWED));
      await client.send(lab.url(ALLOWED));
      assert.deepEqual(
        [lab.allowed.connections, lab.allowed.open.size],
        [1, 1],
        'the connection is kept alive',
      );

      writeFileSync(path, OTHER);
      await policy.reload();
      await open(lab.allowed, 0);
      assert.equal(await client.send(lab.url(ALLOWED)), `hello from ${ALLOWED}`);
      assert.equal(lab.allowed.connections, 2);
    });

    it(`${name} denies the next request when the new rules do not allow it`, async (t) => {
      const lab = await startLab(t);
      const { policy, path } = watched(t, OPEN, { interval: 0 });
      const client = create(() => policy.rules);
      t.after(() => client.close());
      await client.send(lab.url(ALLOWED));
      writeFileSync(path, CLOSED);
      await policy.reload();
      await assertDenied(client.send(lab.url(ALLOWED)), {
        host: ALLOWED,
        reason: 'not-allowed',
        address: ALLOWED,
      });
      await open(lab.allowed, 0);
      assert.deepEqual([lab.allowed.connections, lab.allowed.requests.length], [1, 1]);
    });

    it(`${name} names the entry as the file has it now when it says the same policy in other words`, async (t) => {
      const lab = await startLab(t);
      const saying = (entry: string): string => `{ "allow": ["127.0.0.0/8"], "block": ["${entry}"] }`;
      const { policy, path } = watched(t, saying('127.0.0.1/32'), { interval: 0 });
      const client = create(() => policy.rules);
      t.after(() => client.close());
      for (const entry of ['127.0.0.1/32', '127.0.0.1']) {
        writeFileSync(path, saying(entry));
        await policy.reload();
        await client.send(lab.url(ALLOWED));
        await assertDenied(client.send(lab.url(DENIED)), {
          host: DENIED,
          reason: 'blocked',
          address: DENIED,
          entry,
        });
      }
      assert.deepEqual([lab.allowed.requests.length, lab.denied.connections], [2, 0]);
    });

    it(`${name} keeps its connections when the file is broken`, async (t) => {
      const lab = await startLab(t);
      const { policy, path } = watched(t, OPEN, { interval: 0 });
      const client = create(() => policy.rules);
      t.after(() => client.close());
      await client.send(lab.url(ALLOWED));
      writeFileSync(path, '{');
      await policy.reload();
      await client.send(lab.url(ALLOWED));
      assert.deepEqual([lab.allowed.connections, lab.allowed.requests.length], [1, 2]);
    });

    it(`${name} denies when the function answers nothing, and never falls back to the rules in effect`, async (t) => {
      const lab = await startLab(t);
      for (const nothing of [null, undefined]) {
        const client = create(() => nothing);
        await withRules(new Rules({ allow: ['127.0.0.0/8'] }), () =>
          assertDenied(client.send(lab.url(ALLOWED)), {
            host: ALLOWED,
            reason: 'not-allowed',
            address: ALLOWED,
          }),
        );
        await client.close();
      }
      assert.equal(lab.allowed.connections, 0);
    });

    it(`${name} asks the function when the call is made, in its context`, async (t) => {
      const lab = await startLab(t);
      const seen: (string | undefined)[] = [];
      const client = create(() => {
        seen.push(currentRules()?.id);
        return currentRules();
      });
      t.after(() => client.close());
      const rules = new Rules({ allow: ['127.0.0.0/8'] });
      await withRules(rules, () => client.send(lab.url(ALLOWED)));
      assert.ok(seen.length > 0 && seen.every((id) => id === rules.id), String(seen));
    });
  }

  it('rules from the context are withdrawn as well when they were those of a policy', async (t) => {
    const lab = await startLab(t);
    const { policy, path } = watched(t, OPEN, { interval: 0 });
    const agent = new HttpAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    await withRules(policy.rules, () => get(lab.url(ALLOWED), agent));
    assert.equal(lab.allowed.open.size, 1);
    writeFileSync(path, OTHER);
    await policy.reload();
    await open(lab.allowed, 0);
  });

  it('are withdrawn with the scopes that they are a part of, inside or outside', async (t) => {
    const lab = await startLab(t);
    const tenant = new Rules({ allow: ['127.0.0.0/16'] });
    for (const scopes of [(policy: Rules) => [tenant, policy], (policy: Rules) => [policy, tenant]]) {
      const { policy, path } = watched(t, OPEN, { interval: 0 });
      const agent = new HttpAgent({ keepAlive: true });
      t.after(() => agent.destroy());
      const [outer, inner] = scopes(policy.rules) as [Rules, Rules];
      await withRules(outer, () => withRules(inner, () => get(lab.url(ALLOWED), agent)));
      await withRules(tenant, () => get(lab.url(ALLOWED), agent));
      assert.equal(lab.allowed.open.size, 2);
      writeFileSync(path, OTHER);
      await policy.reload();
      // That of the tenant alone stays.
      await open(lab.allowed, 1);
      agent.destroy();
      await open(lab.allowed, 0);
    }
  });

  it('are read at each dial', (t) => {
    const { policy, path } = watched(t, OPEN, { interval: 0 });
    const calls: string[] = [];
    const dial = createDial({
      rules: () => {
        calls.push(String(policy.rules));
        return policy.rules;
      },
    });
    assert.deepEqual(calls, []);
    const denied = new Promise((resolve) => dial({ host: '10.0.0.1', port: 9 }).on('error', resolve));
    writeFileSync(path, CLOSED);
    assert.deepEqual(calls, ['ALLOW 127.0.0.0/8']);
    return denied.then(async (error) => {
      assert.equal((error as { reason?: unknown }).reason, 'not-allowed');
      await policy.reload();
      const socket = dial({ host: '127.0.0.1', port: 9 });
      const reason = await new Promise((resolve) => socket.on('error', resolve));
      assert.equal((reason as { reason?: unknown }).reason, 'not-allowed');
    });
  });

  it('throw ERR_NETJAIL_INVALID_RULES at the call when the function answers something else', async () => {
    const wrong = (() => ({ allow: ['127.0.0.0/8'] })) as never;
    await assert.rejects(createFetch({ rules: wrong })('http://127.0.0.1:9/'), {
      name: 'TypeError',
      code: 'ERR_NETJAIL_INVALID_RULES',
    });
    assert.throws(() => createDial({ rules: wrong })({ host: '127.0.0.1', port: 9 }), {
      code: 'ERR_NETJAIL_INVALID_RULES',
    });
  });
});
