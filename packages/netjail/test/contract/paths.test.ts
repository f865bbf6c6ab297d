// Unix sockets: denied, unless an entry names the very path.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { withRules } from '../../src/context.ts';
import { createDial, type Dial } from '../../src/dial.ts';
import { HttpAgent } from '../../src/http/index.ts';
import { Rules } from '../../src/rules.ts';
import { assertDenied } from '../helpers/denial.ts';

interface UnixServer {
  path: string;
  connections: number;
}

async function startUnixServer(t: TestContext): Promise<UnixServer> {
  const folder = mkdtempSync(join(tmpdir(), 'netjail-'));
  const site: UnixServer = { path: join(folder, 'x.sock'), connections: 0 };
  const server = http.createServer((_request, response) => response.end('hello'));
  server.on('connection', () => site.connections++);
  server.listen(site.path);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return site;
}

async function readReply(socket: Socket): Promise<string> {
  let reply = '';
  socket.setEncoding('utf8').on('data', (text: string) => (reply += text));
  socket.write('GET / HTTP/1.0\r\n\r\n');
  await once(socket, 'end');
  return reply;
}

const dialled = (open: (dial: Dial, path: string) => Socket) => (rules: Rules | undefined, path: string) =>
  readReply(open(createDial(rules === undefined ? {} : { rules }), path));

const ways: Record<string, (rules: Rules | undefined, path: string) => Promise<string>> = {
  'dial()': dialled((dial, path) => dial({ path })),
  'dial() with a connect function of its own': (rules, path) =>
    readReply(
      createDial({
        ...(rules === undefined ? {} : { rules }),
        connect: () => assert.fail('connect was called for a path'),
      })({ path }),
    ),
  'dial.socket()': dialled((dial, path) => dial.socket().connect(path)),
  'dial.socket() with options': dialled((dial, path) => dial.socket().connect({ path })),
  HttpAgent: (rules, path) =>
    new Promise((resolve, reject) => {
      const agent = new HttpAgent(rules === undefined ? {} : { rules });
      http
        .get({ socketPath: path, path: '/', agent }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () => resolve(body));
        })
        .on('error', reject);
    }),
};

for (const [name, request] of Object.entries(ways)) {
  describe(`${name} on a path`, () => {
    it('reaches the server when an entry names this very path', async (t) => {
      const server = await startUnixServer(t);
      const rules = new Rules({ allow: [{ path: server.path }] });
      assert.match(await request(rules, server.path), /hello$/);
      assert.equal(server.connections, 1);
      await withRules(rules, async () => assert.match(await request(undefined, server.path), /hello$/));
      assert.equal(server.connections, 2);
    });

    it('denies when no entry names it, however much is allowed', async (t) => {
      const server = await startUnixServer(t);
      const rules = new Rules({ allow: ['0.0.0.0/0', '::/0', { port: [1, 65535] }, { path: '/var/run/x' }] });
      await assertDenied(request(rules, server.path), { host: server.path, reason: 'path-not-allowed' });
      // Another spelling is another path: nothing is folded.
      const dotted = server.path.replace(/\/x\.sock$/, '/./x.sock');
      await assertDenied(request(new Rules({ allow: [{ path: server.path }] }), dotted), {
        host: dotted,
        reason: 'path-not-allowed',
      });
      await assertDenied(request(undefined, server.path), { host: server.path, reason: 'no-rules' });
      assert.equal(server.connections, 0);
    });

    it('denies when an entry blocks it', async (t) => {
      const server = await startUnixServer(t);
      const entry = { path: server.path };
      await assertDenied(request(new Rules({ allow: [entry], block: [entry] }), server.path), {
        host: server.path,
        reason: 'path-blocked',
        entry: JSON.stringify(entry),
      });
      assert.equal(server.connections, 0);
    });
  });
}
