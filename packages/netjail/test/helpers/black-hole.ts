// An address that neither answers nor refuses, as a firewall that drops packets makes one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

/** Where the black hole is: no other server of the tests listens there. */
export const HOLE = '127.0.0.3';

/**
 * Makes `127.0.0.3:port` a black hole until the test ends: a listening process that is stopped and
 * whose queue is full, so that the kernel drops what comes next. Linux only: `undefined` elsewhere.
 */
export async function blackHole(t: TestContext, port: number): Promise<true | undefined> {
  if (process.platform !== 'linux') return undefined;
  const code = `require('net').createServer().listen({ port: ${port}, host: '${HOLE}', backlog: 1 }, () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const fillers: net.Socket[] = [];
  t.after(() => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  // The queue is full once a connection stays away: each one before it was taken at once.
  for (let taken = true; taken;) {
    const socket = net.connect(port, HOLE);
    socket.on('error', () => {});
    fillers.push(socket);
    taken = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket.setTimeout(400), 'timeout').then(() => false),
    ]);
  }
  return true;
}
