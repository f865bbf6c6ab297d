// What the tests of clients stand on: that connections are counted, and that nothing stays behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from './helpers/data.ts';
import { ALLOWED, DENIED } from './helpers/lab.ts';
import { notRun, openSites, startService } from './helpers/services.ts';

const talk = async (host: string, port: number): Promise<string> => {
  const socket = net.connect(port, host).setEncoding('utf8');
  const [text] = (await once(socket, 'data')) as [string];
  socket.destroy();
  return text;
};

describe('openSites()', () => {
  const greeting = async (t: TestContext): Promise<number> => {
    const server = net.createServer((socket) => void socket.on('error', () => {}).end('hello'));
    server.listen(0, DENIED);
    await once(server, 'listening');
    t.after(() => server.close());
    return (server.address() as AddressInfo).port;
  };

  it('forwards to the server and counts for each address', async (t) => {
    const sites = await openSites({ host: DENIED, port: await greeting(t) });
    t.after(() => sites.close());
    assert.equal(await talk(ALLOWED, sites.port), 'hello');
    assert.equal(await talk(ALLOWED, sites.port), 'hello');
    assert.equal(await talk(DENIED, sites.port), 'hello');
    assert.deepEqual([await sites.allowed.connections(), await sites.denied.connections()], [2, 1]);
  });

  it('counts a connection that was given up at once', async (t) => {
    const sites = await openSites({ host: DENIED, port: await greeting(t) });
    t.after(() => sites.close());
    const socket = net.connect(sites.port, DENIED);
    await once(socket, 'connect');
    socket.resetAndDestroy();
    assert.equal(await sites.denied.connections(), 1);
  });
});

describe('startService()', { skip: notRun('redis') ?? false }, () => {
  const gone = async (port: number): Promise<void> => {
    const limit = Date.now() + 10_000;
    for (;;) {
      const socket = net.connect(port, DENIED);
      const refused = await once(socket, 'connect').then(
        () => false,
        () => true,
      );
      socket.destroy();
      if (refused) return;
      assert.ok(Date.now() < limit, `something still listens at port ${port}`);
    }
  };

  it('ends with stop()', async () => {
    const { port, stop } = await startService('redis');
    await stop();
    await gone(port);
  });

  it('ends with its process, even when that is killed', async () => {
    const module = pathToFileURL(join(packageRoot, '../../scripts/services'));
    const source = `
      import { Parts } from '${module.href}/lib/service.mjs';
      import { start } from '${module.href}/servers/redis.mjs';
      const parts = new Parts();
      const { program, folder } = parts;
      parts.folder = (...args) => (parts.made = folder.apply(parts, args));
      parts.program = (...args) => (console.log(args[2][args[2].indexOf('--port') + 1]), program.apply(parts, args));
      await start(parts);
      console.log(parts.made);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const folder = String((await lines.next()).value);
    assert.ok(port > 0 && existsSync(folder), `${port} ${folder}`);
    child.kill('SIGKILL');
    await gone(port);
    const limit = Date.now() + 10_000;
    while (existsSync(folder)) {
      assert.ok(Date.now() < limit, `${folder} is still there`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
