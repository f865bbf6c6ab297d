// A Unix socket that must see nothing.
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext } from 'node:test';

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Unix socket server that must see nothing, or no byte. */
export async function unixServer(
  t: TestContext,
): Promise<{ path: string; seen: () => number; received: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
  const path = join(folder, 'x.sock');
  let seen = 0;
  let received = '';
  const server = net
    .createServer((socket) => {
      seen++;
      socket.on('error', () => {}).on('data', (data) => (received += String(data)));
    })
    .listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, seen: () => seen, received: () => received };
}
