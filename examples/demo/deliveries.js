// The webhooks to deliver, and what must become of each.

import { PARTNER } from './servers.js';

/**
 * @typedef {object} Delivery
 * @property {'fetch' | 'http' | 'dial'} how
 * @property {string} url
 * @property {string} [address] Expected: delivered by the server at this address.
 * @property {import('netjail').Reason} [reason] Expected: denied, for this reason.
 * @property {'given' | 'in effect' | 'none' | 'empty'} [rules] Where the rules come from; default
 * `given`, as an option of the client.
 * @property {string} [note]
 */

/**
 * @param {import('./servers.js').Services} services
 * @returns {Delivery[]}
 */
export function listDeliveries({ http, echo, path }) {
  return [
    // What customers should have.
    { how: 'fetch', url: `http://partner.example:${http}/hook`, address: PARTNER },
    { how: 'http', url: `http://partner.example:${http}/hook`, address: PARTNER },
    { how: 'dial', url: `tcp://partner.example:${echo}`, address: PARTNER },
    { how: 'fetch', url: `http://${PARTNER}:${http}/hook`, address: PARTNER },
    { how: 'dial', url: `tcp://${PARTNER}:${echo}`, address: PARTNER },
    { how: 'fetch', url: `http://partner.example:${http}/to/partner`, address: PARTNER, note: 'redirect' },
    { how: 'http', url: `http://partner.example:${http}/to/partner`, address: PARTNER, note: 'redirect' },
    { how: 'fetch', url: `http://mixed.example:${http}/hook`, address: PARTNER, note: 'one of two answers' },
    { how: 'dial', url: `tcp://mixed.example:${echo}`, address: PARTNER, note: 'one of two answers' },
    {
      how: 'fetch',
      url: `http://partner.example:${http}/hook`,
      rules: 'in effect',
      address: PARTNER,
      note: 'withRules',
    },

    // The internal service, written in every way.
    { how: 'fetch', url: `http://127.0.0.1:${http}/admin`, reason: 'blocked' },
    { how: 'http', url: `http://127.0.0.1:${http}/admin`, reason: 'blocked' },
    { how: 'dial', url: `tcp://127.0.0.1:${echo}`, reason: 'blocked' },
    { how: 'http', url: `http://2130706433:${http}/admin`, reason: 'blocked', note: '127.0.0.1 in decimal' },
    { how: 'fetch', url: `http://0x7f.1:${http}/admin`, reason: 'blocked', note: 'in hexadecimal' },
    { how: 'dial', url: `tcp://0x7f.1:${echo}`, reason: 'blocked', note: 'a name here: looked up' },
    { how: 'fetch', url: `http://[::ffff:127.0.0.1]:${http}/admin`, reason: 'blocked', note: 'IPv4-mapped' },
    {
      how: 'http',
      url: `http://0.0.0.0:${http}/admin`,
      reason: 'not-allowed',
      note: 'reaches the local host',
    },
    { how: 'fetch', url: `http://[::1]:${http}/admin`, reason: 'blocked' },
    { how: 'dial', url: `tcp://[::7f00:1]:${echo}`, reason: 'not-allowed', note: 'IPv4-compatible' },
    { how: 'http', url: `http://localhost:${http}/admin`, reason: 'blocked' },
    {
      how: 'fetch',
      url: `http://mapped.example:${http}/admin`,
      reason: 'blocked',
      note: 'AAAA, IPv4-mapped',
    },
    { how: 'dial', url: `tcp://mapped.example:${echo}`, reason: 'blocked', note: 'AAAA, IPv4-mapped' },
    { how: 'fetch', url: `http://alias.example:${http}/admin`, reason: 'blocked', note: 'CNAME' },
    { how: 'http', url: `unix:${path}`, reason: 'path-not-allowed', note: 'Unix socket' },
    { how: 'dial', url: `unix:${path}`, reason: 'path-not-allowed', note: 'Unix socket' },

    // Elsewhere.
    {
      how: 'fetch',
      url: 'http://169.254.169.254/latest/meta-data/',
      reason: 'blocked',
      note: 'cloud metadata',
    },
    { how: 'http', url: 'http://10.0.0.5/', reason: 'not-allowed', note: 'private network' },

    // A name that changes its address between two connections.
    { how: 'fetch', url: `http://rebind.example:${http}/hook`, address: PARTNER, note: 'first answer' },
    { how: 'fetch', url: `http://rebind.example:${http}/hook`, reason: 'blocked', note: 'rebound' },
    { how: 'http', url: `http://rebind.example:${http}/hook`, reason: 'blocked', note: 'rebound' },

    // The partner redirects to the internal service.
    { how: 'fetch', url: `http://partner.example:${http}/to/literal`, reason: 'blocked', note: 'redirect' },
    { how: 'http', url: `http://partner.example:${http}/to/name`, reason: 'blocked', note: 'redirect' },
    { how: 'http', url: `http://partner.example:${http}/to/hex`, reason: 'blocked', note: 'redirect' },
    { how: 'fetch', url: `http://partner.example:${http}/hops/3`, reason: 'blocked', note: '4 redirects' },
    { how: 'http', url: `http://partner.example:${http}/hops/name`, reason: 'blocked', note: '2 redirects' },

    // Nobody said what is allowed: not even a DNS query leaves.
    { how: 'fetch', url: `http://partner.example:${http}/hook`, rules: 'none', reason: 'no-rules' },
    { how: 'http', url: `http://partner.example:${http}/hook`, rules: 'none', reason: 'no-rules' },
    { how: 'dial', url: `tcp://partner.example:${echo}`, rules: 'none', reason: 'no-rules' },
    {
      how: 'fetch',
      url: `http://partner.example:${http}/hook`,
      rules: 'empty',
      reason: 'host-not-allowed',
      note: 'empty rules',
    },
  ];
}
