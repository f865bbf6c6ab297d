import dns from 'node:dns';

/** What a resolver is told besides the name. */
export interface ResolverOptions {
  /** 4 or 6 where the caller wants one family only; 0 for both. A hint: answers are filtered. */
  readonly family: 0 | 4 | 6;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Finds the addresses of a name. The answers are not trusted: each is parsed and judged, and what
 * is not an address is denied.
 */
export type Resolver = (host: string, options: ResolverOptions) => Promise<readonly string[]>;

/** The operating system's resolver (`dns.lookup`). getaddrinfo cannot be aborted, only ignored. */
export const systemResolver: Resolver = (host, { family }) =>
  new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, family }, (error, answers) => {
      if (error) reject(error);
      else resolve(answers.map((answer) => answer.address));
    });
  });
