import { runInThisContext } from 'node:vm';
import { descriptionsOf, type AgentClass } from '../agent-class.ts';
import type { AgentLike } from '../pooled-agent.ts';
import { misuse } from '../errors.ts';

const GLOBAL_DISPATCHERS = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];

type Globals = Record<PropertyKey, unknown>;

/** The global object of Node itself: a test runner may run us in a context of its own (jest, vm). */
const globals = runInThisContext('globalThis') as Globals;

/** The built-in fetch, or what has taken its place there before (msw, not inside a vm context): `trial.ts` asks. */
export const runtimeFetch = globals['fetch'] as typeof fetch;

/**
 * The Agent class of the undici inside this runtime, whose version always fits the built-in fetch: the
 * class of the runtime's own global dispatcher. Where another undici was loaded first the runtime has
 * made none, and its fetch works with the dispatcher of that one: then it is the class of this.
 *
 * @throws {Error} `ERR_NETJAIL_UNSUPPORTED_RUNTIME` where there is none, as in Bun and Deno, or
 * where the dispatcher in its place is no plain Agent (`setGlobalDispatcher(new ProxyAgent(...))`).
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
    }) ??
    standIn();
  if (found !== undefined) return found;
  const what = GLOBAL_DISPATCHERS.some((key) => globals[key] !== undefined)
    ? 'a dispatcher that is no Agent has taken the place of the built-in one'
    : 'others have taken the places of the built-in fetch and Request, so that it does not load';
  throw unsupported(`${what}; import netjail/fetch before it`);
}

/**
 * What the built-in fetch uses in the place of an Agent of its own. That its connections are ours is
 * tried out with every Agent class (`DispatcherPools`); one that does not fit fails every request.
 */
function standIn(): AgentClass | undefined {
  const [current, legacy] = GLOBAL_DISPATCHERS.map((key) => globals[key]);
  const used = Number.parseInt(process.versions['undici']!, 10) >= 8 ? current : legacy;
  if (isPlainAgent(used)) return classOf(used);
  const Wrapper = classOf(used);
  // undici 8 wraps its Agent for the undici 6 or 7 of the runtime.
  if (isPlainAgent(current) && typeof (Wrapper as { wrapHandler?: unknown })?.wrapHandler === 'function')
    return wrapped(classOf(current)!, Wrapper!);
  return undefined;
}

/** Whether it is an Agent of undici and nothing that inherits from it, by what it has: a bundler renames classes. */
function isPlainAgent(dispatcher: unknown): boolean {
  const type = classOf(dispatcher);
  if (type === undefined) return false;
  const has = descriptionsOf(dispatcher as object);
  const isAgent = has.includes('factory') && has.includes('clients') && !has.includes('url');
  return isAgent && descriptionsOf(type.prototype as object).includes('dispatch');
}

function classOf(dispatcher: unknown): AgentClass | undefined {
  const type = (dispatcher as { constructor?: unknown } | null | undefined)?.constructor;
  return typeof type === 'function' ? (type as AgentClass) : undefined;
}

function wrapped(Agent: AgentClass, Wrapper: AgentClass): AgentClass {
  return class {
    readonly #agent: AgentLike;
    readonly #wrapper: AgentLike;

    constructor(options?: never) {
      this.#agent = new Agent(options);
      this.#wrapper = new Wrapper(this.#agent as never);
    }

    dispatch(options: object, handler: object): boolean {
      return this.#wrapper.dispatch(options, handler);
    }

    get webSocketOptions(): unknown {
      return this.#agent.webSocketOptions;
    }

    get eventSourceOptions(): unknown {
      return this.#agent.eventSourceOptions;
    }

    close(): Promise<void> {
      return this.#agent.close();
    }

    destroy(error?: Error | null): Promise<void> {
      return this.#agent.destroy(error);
    }
  };
}

/** Node 20 loads its undici only when it is used. */
function wakeFetch(): void {
  new (globals['Request'] as typeof Request)('data:,');
}

function find(): AgentClass | undefined {
  for (const key of GLOBAL_DISPATCHERS) {
    const dispatcher = globals[key];
    if (typeof dispatcher !== 'object' || dispatcher === null) continue;
    // With NODE_USE_ENV_PROXY it is an EnvHttpProxyAgent that holds a plain Agent.
    const held = Object.getOwnPropertySymbols(dispatcher).map((symbol) => (dispatcher as Globals)[symbol]);
    for (const candidate of [dispatcher, ...held]) {
      const type = classOf(candidate);
      if (type?.name === 'Agent' && isBuiltIn(type)) return type;
    }
  }
  return undefined;
}

/**
 * The built-in undici only plants its dispatcher where none is: take the other one away while it
 * loads, and put it back.
 */
function withoutOthers<T>(look: () => T): T {
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
  // A process may keep no frames, or show them in a form of its own; where Error is frozen it cannot.
  const errors = globals['Error'] as ErrorConstructor;
  const { stackTraceLimit, prepareStackTrace } = errors;
  Reflect.set(errors, 'stackTraceLimit', 10);
  Reflect.set(errors, 'prepareStackTrace', undefined);
  try {
    new Agent({ factory: 'not a function' } as never);
    return false;
  } catch (error) {
    const frame = /^ *at .*$/m.exec(String((error as Error).stack))?.[0] ?? '';
    return frame.includes('node:internal/deps/undici/');
  } finally {
    Reflect.set(errors, 'stackTraceLimit', stackTraceLimit);
    Reflect.set(errors, 'prepareStackTrace', prepareStackTrace);
  }
}

export function unsupported(reason: string, cause?: unknown): Error {
  const error = misuse(Error, 'ERR_NETJAIL_UNSUPPORTED_RUNTIME', `Cannot guard fetch: ${reason}`);
  if (cause !== undefined)
    Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return error;
}
