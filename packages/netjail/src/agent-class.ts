import type { Connector } from './connector.ts';
import { isError, misuse } from './errors.ts';
import { show } from './internal/assert.ts';
import { invalidOption } from './options.ts';
import type { AgentLike } from './pooled-agent.ts';

/** undici's Agent class, of any version from 6 to 8. */
export type AgentClass<A extends AgentLike = AgentLike> = new (options?: never) => A;

/** Agents of undici that connect in ways of their own, past a connector; a bundler gives them other names. */
const UNGUARDABLE =
  /^(?:Env(?:Http)?ProxyAgent|ProxyAgent|Socks5(?:Proxy)?Agent|RetryAgent|MockAgent|SnapshotAgent|BalancedPool|RoundRobinPool|Pool|Client|H2CClient)$/;

/**
 * Makes sure that this class asks our connector for its connections, before it is trusted: a
 * stand-in (Bun's `undici`) or an agent that goes through a proxy never does. Gives the agent it was tried
 * out with, which is for nothing else.
 */
export function probe(Agent: AgentClass, build: (connector: Connector) => AgentLike): AgentLike {
  if (
    typeof Agent !== 'function' ||
    typeof (Agent as { prototype?: { dispatch?: unknown } }).prototype?.dispatch !== 'function'
  ) {
    const hint =
      process.versions['bun'] === undefined
        ? ''
        : '; Bun puts a stand-in in the place of undici, but not under another name ("undici8": "npm:undici@8")';
    throw invalidOption('Agent', `it is undici's Agent class, not ${show(Agent)}${hint}`);
  }
  if (UNGUARDABLE.test(Agent.name))
    throw invalidOption('Agent', `${Agent.name} connects in ways of its own; it is undici's Agent class`);
  // A proxy may be for one of them only.
  const [agent] = ['http://probe.invalid', 'https://probe.invalid'].map((origin) => tryOut(build, origin));
  return agent!;
}

/**
 * The agent's one connection never comes, and it is not destroyed: nothing is open in it. In processes in
 * which one had failed, V8 compiled code of undici more often (Node 22, undici 7.30, by `--trace-opt`), and
 * that is for requests to bring about.
 */
function tryOut(build: (connector: Connector) => AgentLike, origin: string): AgentLike {
  let reached: string | undefined;
  let failure: unknown;
  const agent = build(({ protocol, hostname }) => {
    reached = `${protocol}//${hostname}`;
    return undefined;
  });
  if (isMock(agent))
    throw invalidOption('Agent', "it is a mock that stands in for connections; it is undici's Agent class");
  agent.dispatch(
    { origin, path: '/', method: 'GET' },
    // Some options undici looks at with the first request only.
    handler((error) => (failure ??= error)),
  );
  const isProxied = knowsProxies(agent);
  if (reached === origin && !isProxied) return agent;
  // It may have opened something else. That it is destroyed is an error, too.
  const refusal = failure;
  agent.destroy().catch(() => {});
  if (isProxied) throw invalidOption('Agent', 'it goes through a proxy where the environment names one');
  if (isError(refusal)) throw refusal;
  throw misuse(
    TypeError,
    'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
    'Cannot guard this Agent class: it does not use the connector that it is given',
  );
}

/**
 * Whether an agent of undici has agents for proxies, which it may use when none was named while it was tried
 * out: that is in its symbols, whatever its class is called.
 */
function knowsProxies(agent: object): boolean {
  return descriptionsOf(agent).some((text) => text.includes('proxy'));
}

/** Whether an agent answers instead of a server, which a bundler may have hidden behind another name. */
function isMock(agent: object): boolean {
  return descriptionsOf(agent).some((text) => text.includes('mock'));
}

/** What the symbols of an object say that they are. */
export function descriptionsOf(agent: object): string[] {
  return Object.getOwnPropertySymbols(agent).map(({ description = '' }) => description);
}

const nothing = (): void => {};

/** A handler for the interfaces of all undici versions. */
const handler = (onError: (error: unknown) => void): object => ({
  onConnect: nothing,
  onError,
  onHeaders: () => true,
  onData: () => true,
  onComplete: nothing,
  onRequestStart: nothing,
  onResponseStart: nothing,
  onResponseData: nothing,
  onResponseEnd: nothing,
  onResponseError: (_controller: unknown, error: unknown) => onError(error),
});
