import { statSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { misuse } from './errors.ts';
import { publishPolicy } from './events.ts';
import { isRecord, readOnce, show } from './internal/assert.ts';
import { unref } from './internal/timer.ts';
import { parsePolicy } from './policy.ts';
import { expectFile, fixPath, readPath, readPolicyText, readPolicyTextSync, stateOf } from './policy-file.ts';
import type { Rules } from './rules.ts';
import { withdraw } from './withdrawn.ts';

/** Options of {@link watchPolicy}. */
export interface WatchOptions {
  /** Called when the file is broken or missing, once for each state of it; the rules stay. */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Closes the watch when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds between looks at the file besides the notices of the operating system, which are
   * not to be relied on in network folders and containers; default 5,000; 0 for none.
   */
  readonly interval?: number | undefined;
}

/** Rules that follow a policy file; see {@link watchPolicy}. */
export interface PolicyWatch {
  /** The rules now: read it at each use. */
  readonly rules: Rules;
  /** Reads the file at once (after a signal, say). Resolves when `rules` are those of the file, or kept. */
  reload(): Promise<void>;
  /** Stops watching; `rules` stay as they are. */
  close(): void;
}

/** A file that is being written looks broken: it must look so twice, this many milliseconds apart. */
const SETTLE = 100;
const DEFAULT_INTERVAL = 5000;

/**
 * Reads a policy file and keeps its rules up to date, without keeping the process alive.
 *
 * - The rules are replaced at once and whole. A file that is broken or missing changes nothing: the
 *   last good rules stay, `onError` is called and the diagnostics channel `netjail:policy` says so.
 * - Give adapters a function: `createFetch({ rules: () => policy.rules })`. Every call then has the
 *   rules of that moment. Connections that were opened under replaced rules are not used again, and
 *   idle ones are closed; requests under way finish.
 * - A relative path is below the current folder at this call, whatever the program changes to later.
 * - A pipe or a device (`/dev/stdin`) cannot be watched, and is refused.
 * - The folder is watched, so that editors and tools that replace the file are noticed. With
 *   `interval: 0`, a folder that is removed and made again, or is behind a link that is set to another
 *   one, is not, nor is a write to a file of another folder that the path is a link to, or through shared
 *   memory (`mmap`): the looks in between find that.
 *
 * @throws {SyntaxError | TypeError} at the start what `loadPolicySync` throws, for there are no last
 * good rules yet; `ERR_NETJAIL_INVALID_OPTION` for malformed options.
 *
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { watchPolicy } from 'netjail';
 * import { createFetch } from 'netjail/fetch';
 *
 * const path = join(tmpdir(), 'watched-egress.json');
 * writeFileSync(path, '{ "allow": ["public"] }');
 * const policy = watchPolicy(path);
 * const fetch = createFetch({ rules: () => policy.rules });
 *
 * writeFileSync(path, '{ "allow": ["198.51.100.0/24"] }');
 * await policy.reload();
 * console.log(String(policy.rules)); // ALLOW 198.51.100.0/24
 * policy.close();
 * await fetch.close();
 * ```
 */
export function watchPolicy(path: string | URL, options: WatchOptions = {}): PolicyWatch {
  const source = readPath(path);
  const { onError, signal, interval } = readWatchOptions(options);
  signal?.throwIfAborted();
  return new Watch(source, onError, signal, interval);
}

class Watch implements PolicyWatch {
  /** The file as it was given. */
  readonly #source: string;
  readonly #path: string;
  readonly #onError: ((error: Error) => void) | undefined;
  #rules: Rules;
  /** The text that the rules are of. */
  #text: string;
  /** What was last found to be wrong; reported when it is found again. */
  #suspect: string | undefined;
  #reported: string | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  /** The file as it was when it was read last, where a change since would show. */
  #seen: string | undefined;
  /** Somebody asked, or it is time: it is read whatever it looks like. */
  #whole = false;
  /** Somebody asked: what is broken is told at once. */
  #sure = false;
  #closed = false;
  #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.close();

  constructor(
    source: string,
    onError: ((error: Error) => void) | undefined,
    signal: AbortSignal | undefined,
    interval: number,
  ) {
    this.#source = source;
    this.#path = fixPath(source);
    this.#onError = onError;
    // Watched first, so that no change between the two is missed.
    this.#watcher = this.#open(interval);
    try {
      expectFile(statSync(this.#path), source);
      this.#text = readPolicyTextSync(this.#path, source);
      this.#rules = parsePolicy(this.#text, { source });
    } catch (error) {
      this.#watcher?.close();
      throw error;
    }
    if (interval > 0) this.#timer = unref(setInterval(() => this.#look(true), interval));
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort, { once: true });
    this.#publish('loaded', undefined, undefined);
  }

  get rules(): Rules {
    return this.#rules;
  }

  async reload(): Promise<void> {
    this.#sure = true;
    this.#whole = true;
    await this.#read();
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#signal?.removeEventListener('abort', this.#abort);
    clearInterval(this.#timer);
    clearTimeout(this.#settling);
  }

  /** Without notices of the system there are the looks; without both it would watch nothing. */
  #open(interval: number): FSWatcher | undefined {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => this.#look(false));
      return watcher.on('error', (error: Error) => {
        watcher.close();
        if (interval === 0 && !this.#closed) this.#keep(error, undefined, true);
      });
    } catch (error) {
      if (interval === 0 && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined;
    }
  }

  /** A notice is of anything in the folder, a log file too: `whole` when it is not only that. */
  #look(whole: boolean): void {
    this.#whole ||= whole;
    this.#read().catch((error: unknown) => {
      // Only a defect of ours gets here: not to be swallowed.
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  /** One reading at a time; a notice during one causes another one after it. */
  async #read(): Promise<void> {
    if (this.#closed) return;
    if (this.#reading !== undefined) {
      this.#again = true;
      await this.#reading;
      return;
    }
    this.#reading = (async () => {
      try {
        do {
          this.#again = false;
          await this.#readOnce();
        } while (this.#again && !this.#closed);
      } finally {
        // Here and not behind an await: whoever asks from now on must cause a reading of its own.
        this.#reading = undefined;
      }
    })();
    await this.#reading;
  }

  async #readOnce(): Promise<void> {
    let text: string | undefined;
    let rules: Rules;
    const sure = this.#sure;
    const whole = this.#whole;
    this.#sure = false;
    this.#whole = false;
    try {
      const state = await stateOf(this.#path, this.#source);
      if (!whole && state !== undefined && state === this.#seen) return;
      text = await readPolicyText(this.#path, this.#source);
      this.#seen = state;
      if (text === this.#text && this.#reported === undefined) {
        this.#suspect = undefined;
        return;
      }
      rules = parsePolicy(text, { source: this.#source });
    } catch (error) {
      // What is not there now may come back as it was.
      if (text === undefined) this.#seen = undefined;
      if (!this.#closed) this.#keep(error as Error, text, sure);
      return;
    }
    if (this.#closed) return;
    const before = this.#rules;
    this.#text = text;
    this.#suspect = undefined;
    this.#reported = undefined;
    // The same policy in other words is another one, too: denials name its entries.
    const isOther = rules.id !== before.id || String(rules) !== String(before);
    if (isOther) this.#rules = rules;
    try {
      if (isOther) withdraw(before);
    } finally {
      this.#publish('loaded', before.id, undefined);
    }
  }

  #keep(error: Error, text: string | undefined, sure: boolean): void {
    // Two states are the same when the text is, or the error where there is no text.
    const state = text === undefined ? `error ${error.message}` : `text ${text}`;
    if (state === this.#reported) return;
    if (!sure && state !== this.#suspect) {
      this.#suspect = state;
      clearTimeout(this.#settling);
      this.#settling = unref(
        setTimeout(() => {
          this.#settling = undefined;
          this.#look(true);
        }, SETTLE),
      );
      return;
    }
    // Another notice of the same state says nothing new: its time is not up.
    if (!sure && this.#settling !== undefined) return;
    this.#reported = state;
    this.#publish('kept', this.#rules.id, error);
    const onError = this.#onError;
    // What it throws is the caller's, as from an event listener.
    if (onError !== undefined) queueMicrotask(() => onError(error));
  }

  #publish(outcome: 'loaded' | 'kept', previous: string | undefined, error: Error | undefined): void {
    publishPolicy({ outcome, source: this.#source, id: this.#rules.id, previous, error });
  }
}

function readWatchOptions(options: unknown): {
  onError: ((error: Error) => void) | undefined;
  signal: AbortSignal | undefined;
  interval: number;
} {
  if (!isRecord(options)) {
    throw misuse(
      TypeError,
      'ERR_NETJAIL_INVALID_ARGUMENT',
      `Cannot use ${show(options)} as options: they are an object`,
    );
  }
  const { onError, signal, interval, ...unknown } = readOnce(options);
  const other = Reflect.ownKeys(unknown)[0];
  if (other !== undefined) throw invalid(String(other), 'there is no such option');
  if (onError !== undefined && typeof onError !== 'function') {
    throw invalid('onError', `it is a function, not ${show(onError)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid('signal', `it is an AbortSignal, not ${show(signal)}`);
  }
  const most = 2 ** 31 - 1;
  if (
    interval !== undefined &&
    !(Number.isInteger(interval) && Number(interval) >= 0 && Number(interval) <= most)
  ) {
    throw invalid('interval', `it is a whole number from 0 to ${most}, not ${show(interval)}`);
  }
  return {
    onError: onError as ((error: Error) => void) | undefined,
    signal,
    interval: (interval as number | undefined) ?? DEFAULT_INTERVAL,
  };
}

function invalid(name: string, reason: string): TypeError {
  return misuse(TypeError, 'ERR_NETJAIL_INVALID_OPTION', `Cannot use option ${show(name)}: ${reason}`);
}
