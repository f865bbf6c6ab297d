import { Guard } from '../guard.ts';
import type { GuardSettings } from '../options.ts';
import type { Rules } from '../rules.ts';

/** Where the options of a request, and its socket, say under which rules they are. */
export const PASS: unique symbol = Symbol('netjail.pass');

let pools = 0;

/** The connections of one rule set inside an agent: those under names that end with its number. */
export class RulesPool extends Guard {
  /** The gate of the agent that it belongs to. */
  readonly owner: object;
  readonly suffix: string = `:rules-${++pools}`;
  retired = false;

  constructor(rules: Rules | undefined, settings: GuardSettings, owner: object) {
    super(rules, settings);
    this.owner = owner;
  }
}

/** What a request travels with inside Node's agent, which copies its options on the way. */
export class Pass {
  readonly pool: RulesPool;
  /** Whether its sockets may have other names at each step: a class on ours changes options on the way. */
  readonly renamed: boolean;
  /** The first name of its sockets, once Node has asked for it: it is asked for at each step. */
  name: string | undefined = undefined;

  constructor(pool: RulesPool, renamed: boolean) {
    this.pool = pool;
    this.renamed = renamed;
  }
}
