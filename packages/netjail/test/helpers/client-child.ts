// A process that only uses clients: what a test needs in the environment of a whole process
// (proxies, certificate authorities, flags of node) is given to this one.
import { spawn } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { VerdictMessage } from '../../src/events.ts';
import { ALLOWED, DENIED } from './lab.ts';
import { netjail, recipe } from './recipes.ts';

export interface Job {
  /** Files of examples/clients. */
  files: string[];
  urls: string[];
}

export interface Outcome {
  /** What the server said. */
  text?: string;
  /** Codes and messages of the error and its causes. */
  error?: string;
  /** The reasons and addresses of the denials that were published meanwhile. */
  denied: string[];
}

/** `name.test` and `wrong.test` are the allowed server, `inner.test` the denied one. */
const answers: Record<string, string> = { 'name.test': ALLOWED, 'wrong.test': ALLOWED, 'inner.test': DENIED };

/** Uses each client at each URL, in a process with this environment. */
export async function useClients(job: Job, env: NodeJS.ProcessEnv): Promise<Record<string, Outcome[]>> {
  const flags = Number(process.versions.node.split('.')[0]) >= 22 ? ['--experimental-eventsource'] : [];
  const child = spawn(process.execPath, ['--no-warnings', ...flags, fileURLToPath(import.meta.url)], {
    env: { ...process.env, ...env, NETJAIL_JOB: JSON.stringify(job) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number];
  if (status !== 0) throw new Error(`the process of the clients ended with ${status}: ${output}`);
  return JSON.parse(output) as Record<string, Outcome[]>;
}

async function work({ files, urls }: Job): Promise<Record<string, Outcome[]>> {
  const rules = new netjail.Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
  const resolver = async (host: string): Promise<string[]> => [answers[host]!];
  let denied: string[] = [];
  subscribe('netjail:verdict', (message) => {
    const { allowed, reason, address } = message as VerdictMessage;
    if (!allowed) denied.push(`${address} ${reason}`);
  });
  const results: Record<string, Outcome[]> = {};
  for (const file of files) {
    const { open } = await recipe(file);
    const outcomes: Outcome[] = [];
    for (const url of urls) {
      denied = [];
      const seen = denied;
      const handle = await open({ rules, resolver }, url);
      const outcome = await handle.use().then(
        (text) => ({ text, denied: seen }),
        (error: unknown) => ({ error: spell(error), denied: seen }),
      );
      await handle.close();
      outcomes.push(outcome);
    }
    results[file] = outcomes;
  }
  return results;
}

function spell(error: unknown): string {
  const { code, message, cause, detail, context } = error as {
    code?: string;
    message?: string;
    cause?: unknown;
    /** Of Stripe. */
    detail?: unknown;
    /** Of socket.io, an XMLHttpRequest. */
    context?: { statusText?: unknown };
  };
  const behind = cause ?? detail ?? context?.statusText;
  return `${code ?? ''} ${message}${behind === undefined ? '' : ` < ${spell(behind)}`}`;
}

const { NETJAIL_JOB: given } = process.env;
if (given !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = await work(JSON.parse(given) as Job);
  process.stdout.write(JSON.stringify(results), () => process.exit());
}
