// Uses one recipe of examples/clients in the runtime that runs this file, and prints what came of
// each URL as one JSON line. Servers stand in another process, which counts what reaches them.
// <runtime> recipe.mjs <path of the recipe> <url> ...
import { subscribe } from 'node:diagnostics_channel';
import { pathToFileURL } from 'node:url';
import { Rules } from 'netjail';

const [, , file, ...urls] = process.argv;
const ALLOWED = '127.0.0.2';
const DENIED = '127.0.0.1';
const rules = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
const resolver = async (host) => [host === 'name.test' ? ALLOWED : DENIED];
let denied = [];
subscribe('netjail:verdict', ({ allowed, reason }) => allowed || denied.push(reason));

const spell = ({ code, message, cause }) => `${code ?? ''} ${message}${cause ? ` < ${spell(cause)}` : ''}`;
const limit = (promise) =>
  Promise.race([
    promise,
    new Promise((_resolve, reject) =>
      setTimeout(reject, 5000, new Error('no answer after 5 seconds')).unref?.(),
    ),
  ]);

for (const url of urls) {
  denied = [];
  const seen = denied;
  let outcome;
  try {
    const { open } = await import(pathToFileURL(file).href);
    const handle = await open({ rules, resolver }, url);
    outcome = await limit(handle.use()).then(
      (text) => ({ text }),
      (error) => ({ error: spell(error) }),
    );
    await handle.close();
  } catch (error) {
    outcome = { error: spell(error), code: error.code };
  }
  console.log(JSON.stringify({ ...outcome, denied: seen }));
}
process.exit(0);
