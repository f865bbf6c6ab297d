// Three guarded clients. Each returns the address that answered, or rejects.

import http from 'node:http';
import { createDial } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { HttpAgent } from 'netjail/http';

const MAX_HOPS = 5;

/**
 * @typedef {(url: string) => Promise<string>} Client
 */

/**
 * @param {{ rules?: import('netjail').Rules, resolver: import('netjail').Resolver }} options Without
 * `rules` the clients use those in effect at each call.
 * @returns {{ fetch: Client, http: Client, dial: Client, close: () => Promise<void> }}
 */
export function createClients(options) {
  const fetch = createFetch(options);
  const agent = new HttpAgent(options);
  const dial = createDial(options);

  return {
    /** Follows redirects by itself: each hop is a connection, and each connection is judged. */
    async fetch(url) {
      const response = await fetch(url, { method: 'POST', body: '{"event":"paid"}' });
      return readAddress(await response.text());
    },

    /** node:http does not follow redirects, so this does. */
    async http(url) {
      let next = url;
      for (let hop = 0; hop <= MAX_HOPS; hop++) {
        const { location, body } = await get(next, agent);
        if (location === undefined) return readAddress(body);
        next = new URL(location, next).href;
      }
      throw new Error(`more than ${MAX_HOPS} redirects`);
    },

    /** A protocol of its own over TCP: sends a word and waits for the echo. */
    dial: (url) =>
      new Promise((resolve, reject) => {
        const socket = url.startsWith('unix:')
          ? dial({ path: url.slice('unix:'.length) })
          : dial(readTarget(url));
        socket.setEncoding('utf8');
        socket.on('error', reject);
        socket.on('connect', () => socket.write('ping'));
        socket.on('data', (word) => {
          const address = socket.remoteAddress ?? '';
          socket.destroy();
          if (String(word) === 'ping') resolve(address);
          else reject(new Error(`the echo is ${word}`));
        });
      }),

    async close() {
      agent.destroy();
      await fetch.close();
    },
  };
}

/**
 * One request. `http+unix:` names a Unix socket.
 *
 * @param {string} url
 * @param {http.Agent} agent
 * @returns {Promise<{ location: string | undefined, body: string }>}
 */
function get(url, agent) {
  return new Promise((resolve, reject) => {
    const target = url.startsWith('unix:')
      ? { socketPath: url.slice('unix:'.length), path: '/admin' }
      : readOptions(url);
    const request = http.request({ ...target, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => (body += text));
      response.on('error', reject);
      response.on('end', () => resolve({ location: response.headers.location, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

/** @param {string} url */
function readOptions(url) {
  const { hostname, port, pathname } = new URL(url);
  return { hostname: unbracket(hostname), port, path: pathname };
}

/** The host of a tcp: URL as it is written: nothing folds `0x7f.1` to an address. @param {string} url */
function readTarget(url) {
  const { hostname, port } = new URL(url);
  return { host: unbracket(hostname), port: Number(port) };
}

/** @param {string} hostname */
function unbracket(hostname) {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** @param {string} body */
function readAddress(body) {
  const { owner, address } = JSON.parse(body);
  if (owner !== 'partner') throw new Error(`the ${owner} service answered`);
  return String(address);
}
