import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { it, type TestContext } from 'node:test';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { recipe as loadRecipe } from '../helpers/recipes.ts';
import type { Service } from '../helpers/services.ts';
import { assertDeniedBy, contract, counted, never, rules, useOnce, withService } from './contract.ts';

interface Cluster extends Service {
  /** Has a node named at this address. */
  announce(node: number, address: string): Promise<void>;
  /** Gives the slot of a key that has no value to a node. */
  moveSlotOf(key: string, node: number): Promise<void>;
  /** Has a node name itself by this name, and the others, of which it knows none, "?". */
  nameByHost(node: number, name: string): Promise<void>;
}

/** Names itself at the denied address, and a node that is none; a real one does not say such a port. */
function fakeNode(port: string): net.Server {
  const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const own = (server.address() as AddressInfo).port;
      const slots =
        `*2\r\n*3\r\n:0\r\n:100\r\n*3\r\n${bulk(DENIED)}:${own}\r\n${bulk('id')}` +
        `*3\r\n:101\r\n:16383\r\n*3\r\n${bulk('?')}${port}\r\n${bulk('id')}`;
      if (/CLUSTER/i.test(String(data))) socket.write(slots);
      else for (const _command of String(data).match(/^\*[0-9]/gm) ?? []) socket.write('+OK\r\n');
    });
  });
  return server;
}

withService('redis-cluster', (started) => {
  const service = (): Cluster => started() as Cluster;
  contract(started, { file: 'redis-cluster.js', says: /^OK$/ });

  const deniesWhatItIsTold = async (t: TestContext): Promise<void> => {
    const recipe = await loadRecipe('redis-cluster.js');
    const target = { host: ALLOWED, port: service().port };
    const { denied } = await counted(service(), () =>
      assertDeniedBy(recipe, () => useOnce(t, recipe, { rules, resolver: never }, target), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
      }),
    );
    assert.equal(denied, 0);
  };

  it('redis-cluster.js is denied the node that MOVED names at a blocked address', async (t) => {
    const recipe = await loadRecipe('redis-cluster.js');
    const handle = await recipe.open({ rules, resolver: never }, { host: ALLOWED, port: service().port });
    t.after(() => handle.close());
    assert.equal(await handle.use('{bar}1'), 'OK');
    await service().announce(2, DENIED);
    t.after(() => service().announce(2, ALLOWED));
    await service().moveSlotOf('{baz}', 2);
    const { denied } = await counted(service(), () =>
      assertDeniedBy(recipe, () => handle.use('{baz}1'), {
        host: DENIED,
        reason: 'blocked',
        address: DENIED,
      }),
    );
    assert.equal(denied, 0);
  });

  it('redis-cluster.js is denied the nodes that a node names at a blocked address', async (t) => {
    for (const node of [0, 1, 2]) {
      await service().announce(node, DENIED);
      t.after(() => service().announce(node, ALLOWED));
    }
    await deniesWhatItIsTold(t);
  });

  it('redis-cluster.js fails and ends no process when a node is named by what is no host', async (t) => {
    // The first one is denied while the client reads the next: it listens to that only later.
    await service().nameByHost(0, DENIED);
    t.after(() => service().nameByHost(0, ''));
    await deniesWhatItIsTold(t);
  });

  for (const port of [':-1', '$3\r\nabc', '$-1']) {
    it(`redis-cluster.js fails and ends no process when a fake node names another with the port ${JSON.stringify(port)}`, async (t) => {
      const { open } = await loadRecipe('redis-cluster.js');
      const server = fakeNode(port);
      await once(server.listen(0, ALLOWED), 'listening');
      t.after(() => server.close());
      const target = { host: ALLOWED, port: (server.address() as AddressInfo).port };
      await assert.rejects(async () => open({ rules, resolver: never }, target));
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    });
  }

  it('ioredis-cluster.js leaks: its connection for subscriptions goes where a node says', async (t) => {
    const recipe = await loadRecipe('ioredis-cluster.js');
    assert.equal(recipe.meta.way, 'none');
    for (const node of [0, 1, 2]) {
      await service().announce(node, DENIED);
      t.after(() => service().announce(node, ALLOWED));
    }
    const target = { host: ALLOWED, port: service().port };
    const handle = await recipe.open({ rules, resolver: never }, target, { enableReadyCheck: false });
    t.after(() => handle.close());
    const { denied } = await counted(service(), () => (handle['subscribe'] as () => Promise<unknown>)());
    assert.ok(denied > 0, 'it was not connected: the table has something to take back');
  });
});
