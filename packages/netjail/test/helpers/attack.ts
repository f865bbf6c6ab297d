// What the attacks share.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { deniedError } from '../../src/errors.ts';
import { Rules } from '../../src/rules.ts';
import { DENIED } from './lab.ts';

/** 127.0.0.1 is denied, the rest of loopback is allowed. */
export const rules: Rules = new Rules({ allow: ['127.0.0.0/8'], block: ['127.0.0.1'] });

export const failure = async (request: http.ClientRequest): Promise<Error> =>
  ((await once(request.end(), 'error')) as [Error])[0];

export const refusedOption = (name: string): { name: string; code: string; message: RegExp } => ({
  name: 'TypeError',
  code: 'ERR_NETJAIL_INVALID_OPTION',
  message: new RegExp(`"${name}"`),
});

/** A look-up hook that leads to the denied server. */
export const evilLookup = (
  _host: string,
  options: { all?: boolean },
  callback: (...args: unknown[]) => void,
): void => (options.all ? callback(null, [{ address: DENIED, family: 4 }]) : callback(null, DENIED, 4));

/** Ends in the status, or in the denied address with the reason. */
export function get(agent: http.Agent, url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { get: send } = url.startsWith('https:') ? https : http;
    const request = send(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', (error) => {
      const denial = deniedError(error)?.denials[0];
      if (denial === undefined) reject(error);
      else resolve(`${denial.address} ${denial.reason}`);
    });
  });
}

/** Options of a socket that `dial()` and what it makes refuse. */
export const REFUSED_OF_A_SOCKET: readonly string[] = [
  'lookup',
  'fd',
  'handle',
  '_handle',
  'socket',
  'socketPath',
  'blockList',
  'createConnection',
  'proxy',
];
