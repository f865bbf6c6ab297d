// How a request or a client is told what became of its connection.
import type * as Http from 'node:http';
import http from 'node:http';
import type { Socket } from 'node:net';
import { tellLater } from '../connect-options.ts';
import { misuse } from '../errors.ts';
import type { Options } from './request-options.ts';

export type Created = (error: Error | null, socket?: Socket) => void;
type AddRequest = { addRequest(request: Http.ClientRequest, options: unknown): void };

/** Calls back once: when a socket is open, or has failed; from then on its errors are its owner's. */
export function callWhenOpen(socket: Socket, event: 'connect' | 'secureConnect', callback: Created): void {
  const settle = (error: Error | null): void => {
    socket.off(event, opened).off('error', settle).off('close', gone);
    callback(error, error === null ? socket : undefined);
  };
  const opened = (): void => {
    // The last gate may have ended it: then its error follows.
    if (!socket.destroyed) settle(null);
  };
  const gone = (): void =>
    settle(misuse(Error, 'ERR_NETJAIL_CLOSED', 'Cannot connect: the socket was closed'));
  socket.on(event, opened).on('error', settle).on('close', gone);
}

export function closed(verb: string): Error {
  return misuse(Error, 'ERR_NETJAIL_CLOSED', `Cannot ${verb}: the agent is closed`);
}

/** Ends a socket that was opened under other rules than those of its request, and tells whoever gets it. */
export function endForeign(socket: Socket): void {
  const error = misuse(
    Error,
    'ERR_NETJAIL_UNSUPPORTED_RUNTIME',
    'Cannot use the connection: its agent opened it under other rules than those of the request',
  );
  let isTold = false;
  socket.on('error', () => (isTold = true));
  // A class on ours may hand it on later.
  socket.on('newListener', (event, listener: (error: Error) => void) => {
    if (isTold && event === 'error') process.nextTick(() => listener.call(socket, error));
  });
  socket.destroy(error);
}

/** Fails one request through its own channel, before any socket exists. */
export function failRequest(request: Http.ClientRequest, options: Options, error: Error): undefined {
  const agent = new http.Agent();
  agent.createConnection = (_options, callback) => {
    tellLater(callback as never, error);
    return undefined as never;
  };
  (agent as unknown as AddRequest).addRequest(request, options);
}
