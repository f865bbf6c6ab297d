// The types as a contract: this file compiles, and each line under @ts-expect-error does not.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import * as undici from 'undici';
import * as undici6 from 'undici6';
import {
  Address,
  createDial,
  currentRules,
  DeniedError,
  deniedError,
  loadPolicy,
  parsePolicy,
  Prefix,
  ranges,
  Rules,
  watchPolicy,
  withRules,
  type GuardOptions,
  type PolicyMessage,
  type PolicyWatch,
  type Explanation,
  type LintWarning,
  type Reason,
  type Resolver,
  type RulesJson,
  type Step,
  type Verdict,
} from '../dist/index.js';
import { createDispatcher, createFetch } from '../dist/fetch/index.js';
import { HttpAgent, HttpsAgent } from '../dist/http/index.js';
import { Dispatcher } from '../dist/undici/index.js';

const rules: Rules = new Rules({
  allow: ['public', Prefix.parse('10.0.0.0/8'), Address.parse('::1')],
  block: ['loopback'],
});
new Rules({
  allow: [
    { host: '*.example.com', port: 443 },
    { prefix: Prefix.parse('10.0.0.0/8'), port: [8000, 8999] },
    { prefix: 'private', port: [80, [8000, 8999]] },
    { path: '/run/x.sock' },
  ],
});
// @ts-expect-error there is no such field
new Rules({ allow: [{ hostname: 'example.com' }] });
// @ts-expect-error undefined is not an omitted field
new Rules({ allow: [{ host: undefined, port: 80 }] });
// @ts-expect-error a port is a number
new Rules({ allow: [{ port: '80' }] });
const explanation: Explanation = rules.explain({ address: '10.0.0.1', host: 'name.test', port: 80 });
const steps: readonly Step[] = rules.explain('10.0.0.1').steps;
const warnings: readonly LintWarning[] = rules.lint();
const onPath: Verdict = rules.judgePath('/run/x.sock');
const json: RulesJson = rules.toJSON();
const again: Rules = new Rules({ allow: json.allow, block: json.block });
// @ts-expect-error there is no such fact
rules.explain({ address: '10.0.0.1', hostname: 'name.test' });
// @ts-expect-error a list is an array
new Rules({ allow: 'public' });
// @ts-expect-error there is no such list
new Rules({ deny: [] });
// @ts-expect-error rules are immutable
rules.allow = [];
// @ts-expect-error and so are their lists
rules.allow.push('0.0.0.0/0');
// @ts-expect-error a range has a name that is known
void ranges['publik'];

declare function takeReason(reason: Reason): void;
/** The closed set: a reason more or less is an error here. */
const reasons: Record<Reason, true> = {
  'no-rules': true,
  'not-allowed': true,
  blocked: true,
  'carried-address-blocked': true,
  'carried-address-not-allowed': true,
  'loopback-blocked': true,
  'host-not-allowed': true,
  'host-blocked': true,
  'port-not-allowed': true,
  'port-blocked': true,
  'path-not-allowed': true,
  'path-blocked': true,
  'not-an-address': true,
  zone: true,
  'mixed-answer': true,
  'proxied-name': true,
  'not-judged': true,
};
const accepted: boolean = rules.accept('10.0.0.1', { host: 'name.test', port: 80 });
const verdict: Verdict = rules.judge('10.0.0.1');
if (verdict.allowed) {
  // @ts-expect-error an allowed verdict has no reason
  takeReason(verdict.reason);
} else {
  takeReason(verdict.reason);
}

const five: number = withRules(rules, (a: number, b: string) => a + b.length, 2, 'abc');
const promised: Promise<string> = withRules(null, async () => 'x');
// @ts-expect-error rules are no list of prefixes
withRules(['10.0.0.0/8'], () => 0);
const inEffect: Rules | undefined = currentRules();

const policy: PolicyWatch = watchPolicy('egress.json', { interval: 0, onError: (error) => error.message });
const loaded: Promise<Rules> = loadPolicy(new URL('egress.json', import.meta.url));
const parsed: Rules = parsePolicy('{ "allow": [] }', { source: 'egress.json' });
createFetch({ rules: () => policy.rules });
new HttpAgent({ rules: () => currentRules() });
// @ts-expect-error a watch is no rules: give a function
createFetch({ rules: policy });
// @ts-expect-error a function of rules answers at once
createFetch({ rules: async () => policy.rules });
// @ts-expect-error the rules of a watch are replaced by the file only
policy.rules = rules;
declare const message: PolicyMessage;
const outcome: 'loaded' | 'kept' = message.outcome;

const resolver: Resolver = async (host, { family, signal }) => (signal.aborted ? [] : [host, String(family)]);
const dial = createDial({ rules, resolver, answers: 'all', connectTimeout: 1000 });
const socket: net.Socket = dial({ host: 'name.test', port: 5432, noDelay: true });
const byPort: net.Socket = dial(5432, 'name.test', () => {});
const secure: tls.TLSSocket = dial.tls({ host: 'name.test', port: 5432, ca: 'x', servername: 'other.test' });
const unconnected: net.Socket = dial.socket();
// @ts-expect-error a host must be given
dial({ port: 5432 });
const byPath: net.Socket = dial({ path: '/run/x.sock' });
// @ts-expect-error a path has no host and port
dial({ host: 'name.test', port: 1, path: '/run/x.sock' });
// @ts-expect-error a lookup leads around the rules
dial({ host: 'name.test', port: 1, lookup: () => {} });
// @ts-expect-error the answers are any or all
createDial({ answers: 'some' });
// @ts-expect-error rules that are undefined are not those that were meant
createDial({ rules: undefined });

const agent: http.Agent = new HttpAgent({ rules, keepAlive: true, maxSockets: 1, maxPools: 16 });
const secureAgent = new HttpsAgent({ ca: 'x' });
https.get('https://a.test/', { agent: secureAgent }).destroy();
/** What a class on Node's agents may override, a class on ours may, too. */
class OwnAgent extends HttpAgent {
  override reuseSocket(): void {}
  override getName(options?: http.ClientRequestArgs): string {
    return super.getName(options);
  }
  override createConnection(options: unknown, callback?: unknown): ReturnType<HttpAgent['createConnection']> {
    return super.createConnection(options, callback);
  }
  override keepSocketAlive(socket: never): boolean {
    return super.keepSocketAlive(socket);
  }
  override destroy(): void {
    super.destroy();
  }
}
class OwnSecureAgent extends HttpsAgent {
  override reuseSocket(): void {}
  override getName(options?: https.RequestOptions): string {
    return super.getName(options);
  }
}
new OwnAgent().closeIdleConnections();
new OwnSecureAgent({ rules }).close();
secureAgent.closeIdleConnections();
// @ts-expect-error a Unix socket leads around the rules
new HttpAgent({ socketPath: '/run/x.sock' });
// @ts-expect-error the environment's proxy leads around the rules
new HttpAgent({ proxyEnv: process.env });

const dispatcher: undici.Dispatcher = new Dispatcher({
  Agent: undici.Agent,
  rules,
  connections: 1,
  connect: { ca: 'x' },
});
const dispatcher6: undici6.Dispatcher = new Dispatcher({ Agent: undici6.Agent });
void undici.request('http://name.test/', { dispatcher });
// @ts-expect-error the class, not an instance
new Dispatcher({ Agent: new undici.Agent() });
// @ts-expect-error a connector of one's own would replace the gate
new Dispatcher({ Agent: undici.Agent, connect: () => {} });
// @ts-expect-error a factory would replace the gate
new Dispatcher({ Agent: undici.Agent, factory: () => new undici.Pool('http://x') });
// @ts-expect-error the class must be given
new Dispatcher({ rules });

const guarded: typeof fetch = createFetch({ rules, allowH2: true });
const ofRuntime = createDispatcher({ rules, connect: { timeout: 1000 } });
new WebSocket('wss://name.test', { dispatcher: ofRuntime });
void fetch('https://name.test', { dispatcher: ofRuntime });
ofRuntime.closeIdleConnections();
// @ts-expect-error a connector of one's own would replace the gate
createDispatcher({ rules, connect: () => {} });
const guardOptions: GuardOptions = { rules, resolver: undefined, answers: 'all' };
createFetch(guardOptions);
createDispatcher(guardOptions);
createDial(guardOptions);
new HttpAgent(guardOptions);
new Dispatcher({ ...guardOptions, Agent: undici.Agent });
const tlsOptions: tls.ConnectionOptions = { ca: 'x' };
createFetch({ rules, connect: tlsOptions, keepAliveTimeout: 1000, connections: null });
new Dispatcher({ Agent: undici.Agent, rules, connect: tlsOptions });
const buildOptions: undici.buildConnector.BuildOptions = { timeout: 5 };
new Dispatcher({ Agent: undici.Agent, rules, connect: buildOptions });
// @ts-expect-error there is no such option
createFetch({ rules, answer: 'all' });
// @ts-expect-error a factory would replace the gate
createFetch({ rules, factory: () => ({}) });
// @ts-expect-error rules are no options
createFetch(rules);
// @ts-expect-error rules are no options
new HttpAgent(rules);
const named: Dispatcher<typeof undici.Agent> = new Dispatcher({ Agent: undici.Agent, rules });
const anyOf: Dispatcher = named;
anyOf.closeIdleConnections();
const found: DeniedError | undefined = deniedError(new Error('x'));
const code: 'ERR_NETJAIL_DENIED' | undefined = found?.code;

export {
  byPath,
  accepted,
  again,
  agent,
  byPort,
  code,
  dispatcher6,
  explanation,
  five,
  guarded,
  inEffect,
  loaded,
  outcome,
  parsed,
  onPath,
  promised,
  reasons,
  secure,
  socket,
  steps,
  unconnected,
  warnings,
};
