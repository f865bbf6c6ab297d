import type { AgentClass } from '../dispatcher-pools.ts';
import { misuse } from '../errors.ts';

const GLOBAL_DISPATCHERS = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];

type Globals = Record<PropertyKey, unknown>;

/**
 * The Agent class of the undici inside this runtime: the only one whose version always fits the
 * built-in fetch. It is the class of the runtime's own global dispatcher.
 *
 * @throws {Error} `ERR_NETJAIL_UNSUPPORTED_RUNTIME` where there is none, as in Bun and Deno, or
 * where another undici has taken its place before it could be seen.
 */
export function runtimeAgent(): AgentClass {
  const { versions } = process;
  if (versions['bun'] !== undefined || versions['deno'] !== undefined || versions['undici'] === undefined) {
    throw unsupported('this runtime has a fetch of its own that cannot be guarded; use netjail/http');
  }
  const found =
    find() ??
    withoutOthers(() => {
      wakeFetch();
      return find();
    });
  if (found === undefined) {
    throw unsupported(
      'another undici has taken the place of the built-in one; import netjail/fetch before it',
    );
  }
  return found;
}

/** Node 20 loads its undici only when it is used. */
function wakeFetch(): void {
  new Request('data:,');
}

function find(): AgentClass | undefined {
  for (const key of GLOBAL_DISPATCHERS) {
    const dispatcher = (globalThis as Globals)[key];
    if (typeof dispatcher !== 'object' || dispatcher === null) continue;
    // With NODE_USE_ENV_PROXY it is an EnvHttpProxyAgent that holds a plain Agent.
    const held = Object.getOwnPropertySymbols(dispatcher).map((symbol) => (dispatcher as Globals)[symbol]);
    for (const candidate of [dispatcher, ...held]) {
      const type = (candidate as { constructor?: unknown } | null | undefined)?.constructor;
      if (typeof type === 'function' && type.name === 'Agent' && isBuiltIn(type as AgentClass))
        return type as AgentClass;
    }
  }
  return undefined;
}

/**
 * The built-in undici only plants its dispatcher where none is: take the other one away while it
 * loads, and put it back.
 */
function withoutOthers<T>(look: () => T): T {
  const globals = globalThis as Globals;
  const planted = GLOBAL_DISPATCHERS.map((key) => [key, globals[key]] as const).filter(
    ([, value]) => value !== undefined,
  );
  for (const [key] of planted) globals[key] = undefined;
  try {
    return look();
  } finally {
    for (const [key, value] of planted) globals[key] = value;
  }
}

/** True when the class comes from inside Node: its own complaint shows where its code stands. */
function isBuiltIn(Agent: AgentClass): boolean {
  try {
    new Agent({ factory: 'not a function' } as never);
    return false;
  } catch (error) {
    const frame = /^ *at .*$/m.exec(String((error as Error).stack))?.[0] ?? '';
    return frame.includes('node:internal/deps/undici/');
  }
}

function unsupported(reason: string): Error {
  return misuse(Error, 'ERR_NETJAIL_UNSUPPORTED_RUNTIME', `Cannot guard fetch: ${reason}`);
}
