// The contract of a client that is not of HTTP: the real package, through its recipe, against the
// real server. The server is there at the allowed and at the denied address, and both are counted.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it, type TestContext } from 'node:test';
import { deniedError } from '../../src/errors.ts';
import type { VerdictMessage } from '../../src/events.ts';
import type { Resolver } from '../../src/resolver.ts';
import type { Reason } from '../../src/verdict.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe, netjail, type Recipe } from '../helpers/recipes.ts';
import { notRun, startService, type Service } from '../helpers/services.ts';

export const rules: InstanceType<typeof netjail.Rules> = new netjail.Rules({
  allow: ['127.0.0.0/8', '::/0'],
  block: [DENIED],
});

const MAPPED = `::ffff:${DENIED}`;

export const never: Resolver = () => assert.fail('the resolver was asked');

export interface TestResolver extends Resolver {
  asked: string[];
  answer: string[];
}

/** Answers this until told otherwise. */
export function answering(answer: string[]): TestResolver {
  const resolver: TestResolver = Object.assign(
    async (host: string) => (resolver.asked.push(host), resolver.answer),
    { asked: [], answer },
  );
  return resolver;
}

export interface Contract {
  /** A file of examples/clients. */
  file: string;
  /** What `use()` must answer. */
  says: RegExp;
  /** Whether the recipe is run over TLS too, and at which port. */
  tls?: (service: Service) => number;
  /** What more the recipe takes. */
  more?: object;
  /** How the client hands on the host `::ffff:127.0.0.1`; false where it takes no IPv6 address. */
  mapped?: string | false;
  /** What the client makes of the denial's code, where it writes its own over it. */
  code?: string;
}

interface Denied {
  host: string;
  reason: Reason;
  address?: string;
  code?: string | undefined;
}

/**
 * Starts the server around the tests: one of scripts/services, or one of the test's own. Without the
 * server they are skipped by name.
 */
export function withService(
  name: string,
  tests: (service: () => Service) => void,
  start?: () => Promise<Service>,
): void {
  const missing = start === undefined ? notRun(name) : undefined;
  describe(`${name}${missing === undefined ? '' : `: ${missing}`}`, { skip: missing ?? false }, () => {
    let service: Service | undefined;
    before(async () => {
      service = await (start?.() ?? startService(name));
    });
    after(() => service?.stop());
    tests(() => service!);
  });
}

/** How many connections came to each address while the call ran. */
export async function counted<T>(
  service: Service,
  call: () => Promise<T>,
): Promise<{ result: T; allowed: number; denied: number }> {
  const first = await service.connections();
  const result = await call();
  const second = await service.connections();
  return { result, allowed: second.allowed - first.allowed, denied: second.denied - first.denied };
}

/** Opens the client, uses it once and closes it. */
export async function useOnce(
  t: TestContext,
  recipe: Recipe,
  guard: object,
  target: object,
): Promise<string> {
  const handle = await recipe.open(guard, target);
  t.after(() => handle.close());
  return handle.use();
}

/** Asserts that the call is denied, as the client shows it and as it is published. */
export async function assertDeniedBy(
  recipe: Recipe,
  call: () => Promise<unknown>,
  expected: Denied,
): Promise<void> {
  const published: VerdictMessage[] = [];
  const listen = (message: unknown): void => void published.push(message as VerdictMessage);
  subscribe('netjail:verdict', listen);
  const error: unknown = await call()
    .then(
      (text) => assert.fail(`it was let through: ${String(text)}`),
      (reason: unknown) => reason,
    )
    .finally(() => unsubscribe('netjail:verdict', listen));
  const { code = 'ERR_NETJAIL_DENIED', ...told } = expected;
  const facts = { address: undefined, ...told };
  const verdict = published.find(({ allowed }) => !allowed);
  assert.deepEqual(
    { host: verdict?.host, reason: verdict?.reason, address: verdict?.address },
    facts,
    String((error as Error).stack),
  );
  const denied = deniedError(error);
  if (recipe.meta.denial === 'error') {
    assert.deepEqual(
      {
        code: denied?.code,
        host: denied?.host,
        reason: denied?.reason,
        address: denied?.denials[0]?.address,
      },
      { code, ...facts },
      String((error as Error).stack),
    );
  } else if (recipe.meta.denial === 'message') {
    assert.equal(denied, undefined, 'the error has the denial: meta.denial is "error"');
    assert.match((error as Error).message, /Cannot connect to ".*" port \d+: /);
  }
}

/** Every test that a guarded client must pass. */
export function contract(
  service: () => Service,
  { file, says, tls, more, mapped = MAPPED, code }: Contract,
): void {
  describe(file, async () => {
    const recipe = await loadRecipe(file);
    const target = (host: string, port = service().port): object => ({
      ...service(),
      ...more,
      tls: undefined,
      host,
      port,
    });

    const reaches = async (t: TestContext, guard: object, to: object): Promise<void> => {
      const { result, allowed, denied } = await counted(service(), () => useOnce(t, recipe, guard, to));
      assert.match(result, says);
      assert.ok(allowed > 0, 'the server saw no connection');
      assert.equal(denied, 0);
    };
    const denies = async (t: TestContext, guard: object, to: object, expected: Denied): Promise<void> => {
      const { allowed, denied } = await counted(service(), () =>
        assertDeniedBy(recipe, () => useOnce(t, recipe, guard, to), { ...expected, code }),
      );
      assert.deepEqual({ allowed, denied }, { allowed: 0, denied: 0 });
    };

    it('reaches the server when the literal is allowed', async (t) => {
      await reaches(t, { rules, resolver: never }, target(ALLOWED));
    });

    it('reaches the server when the name is allowed', async (t) => {
      const resolver = answering([ALLOWED]);
      await reaches(t, { rules, resolver }, target('name.test'));
      assert.ok(resolver.asked.length > 0 && resolver.asked.every((host) => host === 'name.test'));
    });

    it('is denied when the literal is blocked', async (t) => {
      await denies(t, { rules, resolver: never }, target(DENIED), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
      });
    });

    if (mapped !== false) {
      it('is denied when the literal is the mapped form of a blocked address', async (t) => {
        await denies(t, { rules, resolver: never }, target(MAPPED), {
          host: mapped,
          reason: 'blocked',
          address: DENIED,
        });
      });
    }

    it('is denied when the name has a blocked address', async (t) => {
      await denies(t, { rules, resolver: answering([DENIED]) }, target('name.test'), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
      });
    });

    it('is denied when the name rebinds to a blocked address', async (t) => {
      const resolver = answering([ALLOWED]);
      await reaches(t, { rules, resolver }, target('name.test'));
      resolver.answer = [DENIED];
      await denies(t, { rules, resolver }, target('name.test'), {
        host: 'name.test',
        reason: 'blocked',
        address: DENIED,
      });
    });

    it('reaches the allowed address when the answer is mixed', async (t) => {
      await reaches(t, { rules, resolver: answering([DENIED, ALLOWED]) }, target('name.test'));
    });

    it('is denied when the answer is mixed and all must be allowed', async (t) => {
      await denies(
        t,
        { rules, answers: 'all', resolver: answering([ALLOWED, DENIED]) },
        target('name.test'),
        {
          host: 'name.test',
          reason: 'blocked',
          address: DENIED,
        },
      );
    });

    it('is denied without a look-up when no rules are in effect', async (t) => {
      await denies(t, { resolver: never }, target('name.test'), { host: 'name.test', reason: 'no-rules' });
    });

    it('uses the rules in effect when it is given none', async (t) => {
      await netjail.withRules(rules, () =>
        reaches(t, { resolver: answering([ALLOWED]) }, target('name.test')),
      );
    });

    if (tls !== undefined) {
      it('checks the name in the certificate while connected to the judged address', async (t) => {
        const secure = (host: string): object => ({
          ...target(host, tls(service())),
          tls: { ca: service().cert },
        });
        const resolver = answering([ALLOWED]);
        await reaches(t, { rules, resolver }, secure('name.test'));
        await assert.rejects(useOnce(t, recipe, { rules, resolver }, secure('other.test')), (error) =>
          /altnames|ERR_TLS_CERT_ALTNAME_INVALID/.test(everything(error)),
        );
        assert.equal(await service().sites[0]!.denied.connections(), (await service().connections()).denied);
      });
    }
  });
}

/** The text of an error and of what is behind it. */
function everything(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 8) return String(error);
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  const errors = error instanceof AggregateError ? error.errors : [];
  return [error.message, String(code), ...[cause, ...errors].map((each) => everything(each, depth + 1))].join(
    '\n',
  );
}

/**
 * The server's own count agrees with that of its doors: nobody came around them. `uncounted`: the
 * handshakes broken off by us that the server does not count as connections.
 */
export function agrees(service: () => Service, uncounted = 0): void {
  it('was not reached around its counted doors', async () => {
    const { serverSaw } = service();
    assert.ok(serverSaw, 'the server has no count of its own');
    const { allowed, denied } = await service().connections();
    const expected = allowed + denied - uncounted;
    const limit = Date.now() + 10_000;
    let saw = await serverSaw();
    while (saw !== expected && Date.now() < limit) saw = await serverSaw();
    assert.equal(saw, expected);
  });
}
