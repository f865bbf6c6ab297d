export { Address } from './address.ts';
export { currentRules, withRules } from './context.ts';
export {
  createDial,
  type Dial,
  type DialOptions,
  type DialPath,
  type DialTarget,
  type TlsDialTarget,
} from './dial.ts';
export { DeniedError, deniedError, type DeniedErrorInit, type ErrorCode } from './errors.ts';
export type { ConnectOptions } from './connect-options.ts';
export type { CarrierKind } from './carried.ts';
export type { EntryFields, EntryInput } from './entry.ts';
export type { PolicyMessage, VerdictMessage } from './events.ts';
export type { Explanation, ExplainTarget, Step } from './explain.ts';
export type { LintCode, LintWarning } from './lint.ts';
export type { GuardOptions } from './options.ts';
export { loadPolicy, loadPolicySync } from './policy-file.ts';
export { parsePolicy, type PolicyOptions } from './policy.ts';
export type { PolicyErrorFacts } from './policy-read.ts';
export { watchPolicy, type PolicyWatch, type WatchOptions } from './policy-watch.ts';
export type { PortInput } from './ports.ts';
export { Prefix } from './prefix.ts';
export { ranges, registryDate, type RangeName } from './ranges.ts';
export type { Resolver, ResolverOptions } from './resolver.ts';
export { Rules, type RulesInit, type RulesJson } from './rules.ts';
export type { Allowed, Denial, Reason, TargetFacts, Verdict } from './verdict.ts';
