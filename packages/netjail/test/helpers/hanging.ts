// A look-up that nobody answers, and those after it that are answered.
import { deferred } from './deferred.ts';
import { ALLOWED } from './lab.ts';

export interface Hanging {
  resolver(): Promise<string[]>;
  /** Settles when the first look-up, the one that hangs, was begun. */
  readonly begun: Promise<void>;
  /** How many there were. */
  readonly lookUps: number;
}

export function hangingFirst(): Hanging {
  let lookUps = 0;
  const { promise: begun, resolve: begin } = deferred();
  return {
    begun,
    get lookUps() {
      return lookUps;
    },
    resolver() {
      begin();
      return lookUps++ === 0 ? new Promise(() => {}) : Promise.resolve([ALLOWED]);
    },
  };
}
