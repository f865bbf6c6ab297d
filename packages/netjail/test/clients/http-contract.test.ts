// The contract, through each HTTP recipe with the real package. NETJAIL_CLIENTS names one recipe.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it, type TestContext } from 'node:test';
import type { VerdictMessage } from '../../src/events.ts';
import { deniedError } from '../../src/errors.ts';
import type { Resolver } from '../../src/resolver.ts';
import type { Reason } from '../../src/verdict.ts';
import { ALLOWED, DENIED, startLab, type Lab } from '../helpers/lab.ts';
import { netjail, notRun, recipes, type Handle } from '../helpers/recipes.ts';
import { webService, type WebServiceOptions } from '../helpers/web-service.ts';

const rules = new netjail.Rules({ allow: ['127.0.0.0/8', '::/0'], block: [DENIED] });
/** Clients that are for one session: the second call is another client's. */
const ONE_SESSION = ['node-http2.js', 'mcp.js', 'mcp-sse.js'];
const never: Resolver = () => assert.fail('the resolver was asked');

function answering(answer: string[]): Resolver & { asked: string[] } {
  const asked: string[] = [];
  return Object.assign(async (host: string) => (asked.push(host), answer), { asked });
}

interface Source {
  close(): void;
}

interface Denied {
  host: string;
  reason: Reason;
  address?: string | undefined;
}

for (const { file, meta, open } of await recipes('http')) {
  if (process.env['NETJAIL_CLIENTS'] !== undefined && process.env['NETJAIL_CLIENTS'] !== file) continue;
  const skip = notRun(meta);

  const start = (t: TestContext, options: Omit<WebServiceOptions, 'file'> = {}): Promise<Lab> =>
    startLab(t, file === 'node-http2.js' ? 'h2c' : 'http', webService({ file, ...options }));

  const client = async (t: TestContext, guard: object, url: string): Promise<Handle> => {
    const handle = await open(guard, url.replace(/\/$/, ''));
    t.after(() => handle.close());
    return handle;
  };

  /** Asserts the denial as the client shows it, and as it is published. */
  const denies = async (
    t: TestContext,
    guard: object,
    url: string,
    expected: Denied,
    given?: Handle,
  ): Promise<void> => {
    const published: VerdictMessage[] = [];
    const listen = (message: unknown): void => void published.push(message as VerdictMessage);
    subscribe('netjail:verdict', listen);
    const error: unknown = await (async () => (given ?? (await client(t, guard, url))).use())()
      .then(
        (text) => assert.fail(`it was let through: ${text}`),
        (reason: unknown) => reason,
      )
      .finally(() => unsubscribe('netjail:verdict', listen));
    const verdict = published.find(({ allowed }) => !allowed);
    assert.deepEqual(
      { host: verdict?.host, reason: verdict?.reason, address: verdict?.address },
      { address: undefined, ...expected },
      String((error as Error).stack),
    );
    if (meta.denial === 'error') {
      const denied = deniedError(error);
      assert.deepEqual(
        {
          code: denied?.code,
          host: denied?.host,
          reason: denied?.reason,
          address: denied?.denials[0]!.address,
        },
        { code: 'ERR_NETJAIL_DENIED', address: undefined, ...expected },
        String((error as Error).stack),
      );
    } else if (meta.denial === 'message') {
      assert.match((error as Error).message, /Cannot connect to ".*" port \d+: /);
      assert.equal(deniedError(error), undefined, 'the error has the denial: meta.denial is "error"');
    } else {
      assert.equal(deniedError(error), undefined, 'the error has the denial: meta.denial is "error"');
    }
  };

  describe(`${meta.client}${skip === undefined ? '' : `: ${skip}`}`, { skip: skip ?? false }, () => {
    it('reaches the server when the literal is allowed', async (t) => {
      const lab = await start(t);
      const handle = await client(t, { rules, resolver: never }, lab.url(ALLOWED));
      assert.equal(await handle.use(), `hello from ${ALLOWED}`);
      assert.ok(lab.allowed.requests.length > 0 || /WebSocket|ws/.test(meta.client));
      assert.ok(lab.allowed.connections > 0);
    });

    it('reaches the server under its name when the name is allowed', async (t) => {
      const lab = await start(t);
      const resolver = answering([ALLOWED]);
      const handle = await client(t, { rules, resolver }, lab.url('name.test'));
      assert.equal(await handle.use(), `hello from ${ALLOWED}`);
      assert.ok(lab.allowed.requests.every(({ host }) => host === `name.test:${lab.port}`));
      assert.ok(resolver.asked.length > 0 && resolver.asked.every((host) => host === 'name.test'));
    });

    it('is denied when the literal is blocked, mapped too', async (t) => {
      const lab = await start(t);
      await denies(t, { rules, resolver: never }, lab.url(DENIED), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
      });
      await denies(t, { rules, resolver: never }, lab.url('[::ffff:127.0.0.1]'), {
        // socket.io-client takes URLs apart by itself, and writes no address anew.
        host: file === 'socket-io.js' ? `::ffff:${DENIED}` : '::ffff:7f00:1',
        reason: 'blocked',
        address: DENIED,
      });
      assert.equal(lab.denied.connections, 0);
    });

    it('is denied when the name has a blocked address', async (t) => {
      const lab = await start(t);
      await denies(t, { rules, resolver: answering([DENIED]) }, lab.url('name.test'), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
      });
      assert.equal(lab.denied.connections, 0);
    });

    it('is denied when the name is bound again', async (t) => {
      const lab = await start(t, { once: true });
      let answer = ALLOWED;
      const guard = { rules, resolver: async () => [answer] };
      const first = await client(t, guard, lab.url('name.test'));
      assert.equal(await first.use(), `hello from ${ALLOWED}`);
      const again = ONE_SESSION.includes(file) ? undefined : first;
      if (again === undefined) await first.close();
      for (const socket of lab.allowed.open) socket.end();
      answer = DENIED;
      await lab.drained();
      await denies(
        t,
        guard,
        lab.url('name.test'),
        { host: 'name.test', reason: 'blocked', address: DENIED },
        again,
      );
      assert.equal(lab.denied.connections, 0);
    });

    it('dials the allowed ones of a mixed answer, and is denied when all must be allowed', async (t) => {
      const lab = await start(t);
      for (const list of [
        [DENIED, ALLOWED],
        [ALLOWED, DENIED],
      ]) {
        const any = await client(t, { rules, resolver: answering(list) }, lab.url('name.test'));
        assert.equal(await any.use(), `hello from ${ALLOWED}`);
        const connections = lab.allowed.connections;
        await denies(t, { rules, resolver: answering(list), answers: 'all' }, lab.url('name.test'), {
          host: 'name.test',
          reason: 'blocked',
          address: DENIED,
        });
        assert.equal(lab.allowed.connections, connections);
      }
      assert.equal(lab.denied.connections, 0);
    });

    it('is denied without a look-up when no rules are in effect', async (t) => {
      const lab = await start(t);
      await denies(t, { resolver: never }, lab.url('name.test'), { host: 'name.test', reason: 'no-rules' });
      await denies(t, { resolver: never }, lab.url(ALLOWED), { host: ALLOWED, reason: 'no-rules' });
      assert.deepEqual([lab.allowed.connections, lab.denied.connections], [0, 0]);
    });

    it('uses the rules in effect at the call', async (t) => {
      const lab = await start(t);
      const guard = { resolver: answering([ALLOWED]) };
      const text = await netjail.withRules(rules, async () =>
        (await client(t, guard, lab.url('name.test'))).use(),
      );
      assert.equal(text, `hello from ${ALLOWED}`);
      await netjail.withRules(new netjail.Rules({ allow: ['10.0.0.0/8'] }), () =>
        denies(t, guard, lab.url('name.test'), {
          host: 'name.test',
          reason: 'not-allowed',
          address: ALLOWED,
        }),
      );
    });

    if (meta.hop.startsWith('redirects are judged')) {
      it('is denied when it is redirected to a blocked address, by literal and by name', async (t) => {
        for (const host of [DENIED, 'inner.test']) {
          let redirect = '';
          const lab = await startLab(t, 'http', {
            request: (...args) => webService({ file, redirect }).request!(...args),
            upgrade: (...args) => webService({ file, redirect }).upgrade!(...args),
          });
          redirect = lab.url(host).replace(/\/$/, '');
          await denies(t, { rules, resolver: answering([DENIED]) }, lab.url(ALLOWED), {
            host,
            reason: 'blocked',
            address: DENIED,
          });
          assert.ok(lab.allowed.connections > 0);
          assert.equal(lab.denied.connections, 0);
        }
      });
    } else {
      it('does not follow a redirect', async (t) => {
        assert.match(meta.hop, /^redirects are not followed/);
        const lab = await start(t, { redirect: 'http://127.0.0.1:1' });
        const asked: string[] = [];
        const published = (message: unknown): void => void asked.push((message as VerdictMessage).host);
        subscribe('netjail:verdict', published);
        await (await client(t, { rules, resolver: never }, lab.url(ALLOWED))).use().catch(() => {});
        unsubscribe('netjail:verdict', published);
        assert.ok(asked.length > 0 && asked.every((host) => host === ALLOWED), String(asked));
        assert.deepEqual([lab.allowed.connections > 0, lab.denied.connections], [true, 0]);
      });
    }

    if (file.startsWith('eventsource')) {
      it('is denied when it connects again and the name is bound again', async (t) => {
        let answer = ALLOWED;
        const lab = await startLab(t, 'http', {
          request: (_request, response) => {
            answer = DENIED;
            response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
            response.end(`retry: 10\ndata: hello\n\n`);
            return true;
          },
        });
        const guard = { rules, resolver: async () => [answer] };
        const handle = (await client(t, guard, lab.url('name.test'))) as Handle & { connect(): Source };
        const source = handle.connect();
        const addresses: (string | undefined)[] = [];
        await new Promise<void>((resolve) => {
          const listen = (message: unknown): void => {
            const { address, allowed } = message as VerdictMessage;
            addresses.push(address);
            if (allowed) return;
            unsubscribe('netjail:verdict', listen);
            resolve();
          };
          subscribe('netjail:verdict', listen);
        });
        source.close();
        assert.deepEqual(addresses, [ALLOWED, DENIED]);
        assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 0]);
      });
    }

    it('connects nowhere else when the server offers an alternative service', async (t) => {
      const headers: Record<string, string> = {};
      const lab = await start(t, { headers, once: true });
      headers['alt-svc'] = `h2="${DENIED}:${lab.port}"; ma=3600, http/1.1="${DENIED}:${lab.port}"; persist=1`;
      for (let i = 0; i < 2; i++) {
        const handle = await client(t, { rules, resolver: answering([ALLOWED]) }, lab.url('name.test'));
        assert.equal(await handle.use(), `hello from ${ALLOWED}`);
        if (!ONE_SESSION.includes(file)) assert.equal(await handle.use(), `hello from ${ALLOWED}`);
      }
      assert.equal(lab.denied.connections, 0);
    });
  });
}
