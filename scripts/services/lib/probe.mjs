// Readiness: a server is ready when it answers a real request of its protocol.
import net from 'node:net';

/** How long a server may take to start; a busy machine with slow disks needs tens of seconds. */
const START_LIMIT = 90_000;
/** Between two attempts, so that waiting does not take the processor from the server. */
const PAUSE = 25;

/** Repeats the probe until it answers true; fails when the server ended or took too long. */
export async function untilReady(server, probe) {
  const limit = Date.now() + START_LIMIT;
  for (;;) {
    if (server.ended !== undefined) throw failure(server, `it ended (${server.ended})`);
    if (await probe().catch(() => false)) return;
    if (Date.now() > limit) throw failure(server, `it was not ready in ${START_LIMIT / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function failure(server, why) {
  return new Error(`Cannot start ${server.name}: ${why}\n${server.log().slice(-3000)}`);
}

/**
 * Sends bytes and collects the answer until `accept(answer)` is true or false (`undefined`: more
 * is needed). Resolves to that verdict, false when the connection failed or nothing came.
 */
export function exchange(port, send, accept, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    let answer = Buffer.alloc(0);
    const end = (verdict) => {
      resolve(verdict);
      socket.destroy();
    };
    socket.setTimeout(5000, () => end(false));
    socket.on('connect', () => send.length > 0 && socket.write(send));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      const verdict = accept(answer);
      if (verdict !== undefined) end(verdict);
    });
  });
}

/** The usual `accept`: the answer begins with these bytes. */
export const beginsWith = (bytes) => (answer) =>
  answer.length < Buffer.byteLength(bytes, 'latin1')
    ? undefined
    : answer.subarray(0, Buffer.byteLength(bytes, 'latin1')).equals(Buffer.from(bytes, 'latin1'));
