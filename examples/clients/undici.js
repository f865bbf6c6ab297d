import { Agent, request } from 'undici';
import { Dispatcher } from 'netjail/undici';

export const meta = {
  kind: 'http',
  client: 'undici',
  package: 'undici',
  versions: '6, 7, 8',
  way: 'dispatcher',
  why: 'Every call takes a `dispatcher`; netjail builds it from the Agent class of the same undici. Where all addresses of a name fail and one of them took too long, undici 8 by itself says `ConnectTimeoutError`; guarded, as in 6 and 7, the error is the `AggregateError` (`code` `ETIMEDOUT`) that it puts into the `cause`.',
  hop: 'redirects are not followed; those of its `fetch` and of its redirect interceptor are judged',
  unguarded:
    '`connect.lookup` of an Agent: a literal passes it by. Pool, Client, BalancedPool, ProxyAgent and EnvHttpProxyAgent are refused as the Agent class. Interceptors that are composed around a dispatcher come before it: `cache` answers for every rule set, and behind `dns` a request asks for an address, so entries with a host do not match.',
  denial: 'error',
};

export function open(guard, url) {
  // recipe
  const dispatcher = new Dispatcher({ Agent, ...guard });
  const send = () => request(url, { dispatcher });
  // end
  return { use: async () => (await send()).body.text(), close: () => dispatcher.destroy() };
}
