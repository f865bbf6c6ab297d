// Runs and loads the examples of examples/, as a user has them: with the built package.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from './data.ts';

const folder: string = join(packageRoot, '../../examples');

/** A module of an example; `path` from the folder of the examples. */
export async function load<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(folder, path)).href)) as T;
}

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcessWithoutNullStreams;
  /** The first line that matches, printed already or to come. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<Run>;
}

/** Starts a program of the examples; it ends with the test at the latest. */
export function start(t: TestContext, path: string, args: string[] = [], env: object = {}): Running {
  const child = spawn(process.execPath, ['--no-warnings', join(folder, path), ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  t.after(() => child.kill('SIGKILL'));
  const run: Run = { status: null, stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (text) => {
    lines.push(text);
    run.stdout += `${text}\n`;
  });
  const ended = once(child, 'close').then(([status]) => ({ ...run, status: status as number | null }));
  return {
    child,
    ended,
    async line(pattern) {
      for (let index = 0; ; index++) {
        while (index >= lines.length) {
          const event = await Promise.race([once(reader, 'line'), ended]);
          if (!Array.isArray(event) && index >= lines.length)
            throw new Error(`ended without a line like ${pattern}: ${run.stderr}`);
        }
        const match = pattern.exec(lines[index]!);
        if (match !== null) return match;
      }
    },
  };
}

/** Runs a program of the examples to its end. */
export function run(
  t: TestContext,
  path: string,
  args: string[] = [],
  env: object = {},
  input = '',
): Promise<Run> {
  const { child, ended } = start(t, path, args, env);
  child.stdin.end(input);
  return ended;
}
