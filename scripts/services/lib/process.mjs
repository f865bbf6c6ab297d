// Starts the program of a server in a process group and a folder of its own, and stops just that.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tellReaper } from './reaper.mjs';

/** Where Debian keeps the programs of servers, beside the PATH. */
const PLACES = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
const isRoot = process.getuid?.() === 0;

/** The path of a program, or `undefined` when it is not installed. */
export function findProgram(name, places = PLACES) {
  for (const place of places) {
    const path = join(place, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** `{ uid, gid }` of a user for servers that refuse to run as root; nothing when we are not root. */
export function runAs(user) {
  if (!isRoot || user === undefined) return {};
  const id = (flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A temporary folder, given to the user; it goes with this process at the latest. */
export function makeFolder(name, user) {
  const folder = mkdtempSync(join(tmpdir(), `netjail-${name}-`));
  tellReaper('folder', folder);
  const { uid, gid } = runAs(user);
  if (uid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  tellReaper('removed', folder);
}

/** Runs a program to its end, as the user. Fails with what it printed. */
export async function runProgram(program, args, { user, env, cwd } = {}) {
  try {
    const run = promisify(execFile)(program, args, {
      ...runAs(user),
      cwd,
      env: { ...process.env, ...env },
      maxBuffer: 1 << 26,
    });
    run.child.stdin.end();
    return (await run).stdout;
  } catch (error) {
    throw new Error(`Cannot run ${program}: ${error.stderr || error.stdout || error.message}`, { cause: error });
  }
}

/**
 * Starts a server: `{ ended, log(), stop() }`. What it prints goes to `NAME.log` in its folder.
 * `stopSignal` ends it at once, without waiting for clients.
 */
export function startProgram(name, program, args, { folder, user, env, stopSignal = 'TERM' }) {
  const path = join(folder, `${name}.log`);
  const output = openSync(path, 'a', 0o644);
  const child = spawn(program, args, {
    ...runAs(user),
    cwd: folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const server = {
    name,
    pid: child.pid,
    ended: undefined,
    log: () => readFileSync(path, 'utf8'),
    async stop() {
      if (server.ended !== undefined) return;
      const gone = once(child, 'close');
      signalGroup(child.pid, `SIG${stopSignal}`);
      const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 3000);
      await gone;
      clearTimeout(timer);
      // Helpers of the server that outlive it.
      signalGroup(child.pid, 'SIGKILL');
    },
  };
  child.on('error', (error) => (server.ended = error.message));
  child.on('exit', (code, signal) => {
    server.ended ??= `exit ${code ?? signal}`;
    if (child.pid !== undefined) tellReaper('ended', child.pid);
  });
  if (child.pid !== undefined) tellReaper('run', child.pid, stopSignal);
  return server;
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
