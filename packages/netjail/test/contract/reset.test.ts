// A peer that resets each connection as soon as it has it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { ALLOWED, startLab } from '../helpers/lab.ts';
import { run } from '../helpers/process.ts';

describe('dial() to a peer that resets connections', () => {
  it('fails as net.connect() does, never where nobody can listen yet', async (t) => {
    const lab = await startLab(t);
    const server = net.createServer((socket) => void socket.resetAndDestroy()).listen(0, ALLOWED);
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    // `once` takes its listener for errors away with the event: an error at once would end the process.
    const code = `
      const { once } = await import('node:events');
      let attempts = 0;
      const one = async () => {
        const socket = dial({ host: '${ALLOWED}', port: ${port} });
        await once(socket, 'connect');
        socket.on('error', () => {});
        await once(socket, 'close');
      };
      while (attempts < 3000) await one().catch(() => {}).finally(() => attempts++);
      console.log(JSON.stringify(attempts));`;
    assert.equal(await run(lab, code), 3000);
  });
});
