/** Lets a timer keep no process alive. Those of jsdom are numbers, which keep none. */
export function unref<T>(timer: T): T {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
