// An attack that gets through often leaves a test waiting for an error that never comes.

/** The promise, or a failure when it has not settled in ten seconds: far more than anything here takes. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not settle`)), 10_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
