// What is measured: each variant makes a client, `(url) => Promise`, of a kind, for a policy.
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import { AntiSSRFPolicy, PolicyConfigOptions } from '@microsoft/antissrf';
import { Rules, withRules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { HttpAgent } from 'netjail/http';
import { Dispatcher } from 'netjail/undici';
import { RequestFilteringHttpAgent } from 'request-filtering-agent';
import { Agent, request } from 'undici';

/** Prefixes that block nothing of the benchmark, besides 127.0.0.1. */
function prefixes(count) {
  const list = ['127.0.0.1/32'];
  for (let i = 1; list.length < count - 1; i++)
    list.push(`${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/25`);
  return list;
}

const policy = (count) => ({ allow: ['127.0.0.0/8'], block: prefixes(count) });
const answer = '127.0.0.2';
const resolver = async () => [answer];
const lookup = (_host, options, callback) =>
  process.nextTick(() =>
    options.all ? callback(null, [{ address: answer, family: 4 }]) : callback(null, answer, 4),
  );

const get = (agent, extra) => (url, fresh) =>
  new Promise((resolve, reject) => {
    http
      .get(url, { agent, ...extra, headers: fresh ? { 'x-close': '1' } : {} }, (response) => {
        response.resume().on('end', resolve);
      })
      .on('error', reject);
  });
const undici = (dispatcher) => async (url, fresh) => {
  const { body } = await request(url, { dispatcher, ...(fresh ? { reset: true } : {}) });
  await body.dump();
};
const fetched = (fetch, extra) => async (url, fresh) => {
  const response = await fetch(url, { ...extra, headers: fresh ? { 'x-close': '1' } : {} });
  await response.arrayBuffer();
};

const storage = new AsyncLocalStorage();
const inContext = (client) => (url, fresh) => storage.run({}, () => client(url, fresh));
const inRules = (rules, client) => (url, fresh) => withRules(rules, () => client(url, fresh));
const runtimeAgent = () => {
  const plain =
    globalThis[Symbol.for('undici.globalDispatcher.2')] ??
    globalThis[Symbol.for('undici.globalDispatcher.1')];
  return plain.constructor;
};

/** Clients by name; `guarded` ones must deny 127.0.0.1. */
export const variants = {
  'http plain': () => get(new http.Agent({ keepAlive: true, lookup })),
  'http netjail': (count) =>
    get(new HttpAgent({ rules: new Rules(policy(count)), resolver, keepAlive: true })),
  'http request-filtering-agent': (count) =>
    get(
      new RequestFilteringHttpAgent({
        keepAlive: true,
        lookup,
        allowIPAddressList: ['127.0.0.2'],
        denyIPAddressList: policy(count).block,
      }),
    ),
  'http antissrf': (count) => {
    const own = new AntiSSRFPolicy(PolicyConfigOptions.None);
    own.allowPlainTextHttp = true;
    own.addDeniedAddresses(policy(count).block);
    return get(own.getHttpAgent({ keepAlive: true })); // refuses a lookup of one's own
  },
  'http plain in AsyncLocalStorage': () => inContext(get(new http.Agent({ keepAlive: true, lookup }))),
  'http netjail in withRules': (count) =>
    inRules(new Rules(policy(count)), get(new HttpAgent({ resolver, keepAlive: true }))),
  'undici plain': () => undici(new Agent({ connect: { lookup } })),
  'undici netjail': (count) => undici(new Dispatcher({ Agent, rules: new Rules(policy(count)), resolver })),
  'undici plain in AsyncLocalStorage': () => inContext(undici(new Agent({ connect: { lookup } }))),
  'undici netjail in withRules': (count) =>
    inRules(new Rules(policy(count)), undici(new Dispatcher({ Agent, resolver }))),
  'fetch plain': () => fetched(fetch, { dispatcher: new (runtimeAgent())({ connect: { lookup } }) }),
  'fetch netjail': (count) => fetched(createFetch({ rules: new Rules(policy(count)), resolver })),
  'fetch plain in AsyncLocalStorage': () =>
    inContext(fetched(fetch, { dispatcher: new (runtimeAgent())({ connect: { lookup } }) })),
  'fetch netjail in withRules': (count) =>
    inRules(new Rules(policy(count)), fetched(createFetch({ resolver }))),
};
