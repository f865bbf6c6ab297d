import type { Rules } from './rules.ts';

/** What keeps something for each rule set, and must let go of it when the rules are withdrawn. */
export interface WithdrawalListener {
  withdrawn(rules: Rules): void;
}

/** Weakly held: an adapter that nobody uses any more is no leak, whether it was closed or not. */
const listeners = new Set<WeakRef<WithdrawalListener>>();
const forgotten = new FinalizationRegistry<WeakRef<WithdrawalListener>>((reference) => {
  listeners.delete(reference);
});

/** From now on the listener is told of rules that a policy file no longer has. */
export function onWithdrawn(listener: WithdrawalListener): void {
  const reference = new WeakRef(listener);
  listeners.add(reference);
  forgotten.register(listener, reference);
}

/** Tells every listener that these rules were replaced; what the first of them throws comes last. */
export function withdraw(rules: Rules): void {
  const errors: unknown[] = [];
  for (const reference of listeners) {
    try {
      reference.deref()?.withdrawn(rules);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
