// Attacks that change the process around the library: each runs in a process of its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext } from 'node:test';
import { packageRoot } from './data.ts';
import { ALLOWED, DENIED, type Lab } from './lab.ts';

/** A process that waits for ever fails its test. */
const LIMIT = 30_000;

export const build: string = join(packageRoot, '.build/src');

/** Runs a module with the adapters at hand; `call(url)` gives "status" or the reason of each. */
export async function run(lab: Lab, code: string, env: Record<string, string> = {}): Promise<unknown> {
  const { status, stdout, stderr } = await runToEnd(lab, `${code}\nprocess.exit();`, env);
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout);
}

export interface Ended {
  /** `null` when it had to be killed, because something kept it alive. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a module and all that it imports in a vm context; what is of Node itself stays outside, and so does
 * what it imports by `importOutside`.
 */
export async function runInContext(lab: Lab, code: string): Promise<unknown> {
  const program = `
    import { readFileSync } from 'node:fs';
    import vm from 'node:vm';
    // As much of the globals as a test runner copies: all but those that each realm has.
    const own = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)'));
    const context = vm.createContext(Object.fromEntries(
      Object.getOwnPropertyNames(globalThis).filter((name) => !own.has(name)).map((name) => [name, globalThis[name]])));
    context.console = console;
    context.importOutside = (specifier) => import(specifier);
    const modules = new Map();
    const load = async (specifier, from) => {
      const url = specifier.startsWith('/') ? 'file://' + specifier : new URL(specifier, from).href;
      if (!modules.has(url)) modules.set(url, url.startsWith('node:') ? await ofNode(url) : ofFile(url, readFileSync(new URL(url), 'utf8')));
      return modules.get(url);
    };
    const ofFile = (identifier, source) => new vm.SourceTextModule(source, { context, identifier });
    const ofNode = async (name) => {
      const values = await import(name);
      return new vm.SyntheticModule(Object.keys(values), function () {
        for (const key of Object.keys(values)) this.setExport(key, values[key]);
      }, { context });
    };
    const main = ofFile('file://${packageRoot}/main.js', ${JSON.stringify(code)});
    await main.link((specifier, module) => load(specifier, module.identifier));
    await main.evaluate();`;
  const { status, stdout, stderr } = await spawned(lab, program, {}, ['--experimental-vm-modules']);
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout);
}

/** As {@link run}, but the process must end by itself: no handle may be left. */
export async function runToEnd(lab: Lab, code: string, env: Record<string, string> = {}): Promise<Ended> {
  const program = `
    ${code.includes('BEFORE') ? code.split('BEFORE')[0] : ''}
    const { createFetch } = await import('${build}/fetch/index.js').catch((error) => ({ createFetch: () => () => Promise.reject(error) }));
    const { Rules, createDial, deniedError, withRules, currentRules } = await import('${build}/index.js');
    const { HttpAgent } = await import('${build}/http/index.js');
    const { Dispatcher } = await import('${build}/undici/index.js');
    const { Agent, request } = await import('undici6');
    const http = await import('node:http');
    const rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });
    const fetch = createFetch({ rules });
    const agent = new HttpAgent({ rules });
    const dispatcher = new Dispatcher({ Agent, rules });
    const dial = createDial({ rules });
    const outcome = (promise) => promise.then((status) => status, (error) => deniedError(error)?.reason ?? error.code ?? error.cause?.code ?? String(error));
    const call = async (url) => {
      const { hostname, port } = new URL(url);
      return [
        await outcome(fetch(url).then(({ status }) => status)),
        await outcome(request(url, { dispatcher }).then(({ statusCode }) => statusCode)),
        await outcome(new Promise((resolve, reject) => http.get(url, { agent }, (response) => resolve(response.resume().statusCode)).on('error', reject))),
        await outcome(new Promise((resolve, reject) => dial({ host: hostname, port: Number(port) }, () => resolve(200)).on('error', reject))),
      ];
    };
    ${code.includes('BEFORE') ? code.split('BEFORE')[1] : code}`;
  return spawned(lab, program, env);
}

async function spawned(
  lab: Lab,
  program: string,
  env: Record<string, string>,
  flags: string[] = [],
): Promise<Ended> {
  const child = spawn(process.execPath, ['--no-warnings', ...flags, '--input-type=module', '-e', program], {
    cwd: packageRoot,
    env: { ...process.env, ...env, ALLOWED: lab.url(ALLOWED), DENIED: lab.url(DENIED) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
    killSignal: 'SIGKILL',
  });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text));
  [ended.status] = (await once(child, 'close')) as [number | null];
  return ended;
}

export const BOTH: string =
  'console.log(JSON.stringify([await call(process.env.ALLOWED), await call(process.env.DENIED)]))';
export const GUARDED: unknown[] = [Array(4).fill(200), Array(4).fill('blocked')];

/** A proxy that counts who comes. */
export async function proxy(t: TestContext): Promise<{ url: string; seen: () => number }> {
  let seen = 0;
  const server = net.createServer((socket) => (seen++, socket.destroy())).listen(0, '127.0.0.4');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.4:${(server.address() as AddressInfo).port}`, seen: () => seen };
}
