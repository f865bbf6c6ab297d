import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { VerdictMessage } from '../../src/events.ts';
import { packageRoot } from '../helpers/data.ts';
import { ALLOWED, DENIED } from '../helpers/lab.ts';
import { loadRecipe, type Handle } from '../helpers/services.ts';
import { agrees, contract, counted, never, rules, withService } from './contract.ts';

interface Nats {
  connect(options: object): Promise<{ close(): Promise<void> }>;
}
interface Connection {
  info: { connect_urls?: string[] };
  reconnect(): Promise<void>;
  flush(): Promise<void>;
  status(): AsyncIterable<{ type: string }>;
}

const requireClient = createRequire(pathToFileURL(join(packageRoot, '../../examples/clients/nats.js')));
const nats = requireClient('nats') as Nats;

withService('nats', (service) => {
  contract(service, {
    ...{ file: 'nats.js', says: /^N[A-Z0-9]{55}$/, tls: ({ tlsPort }) => tlsPort!, mapped: DENIED },
  });

  const advertised = async (t: TestContext): Promise<{ handle: Handle; client: Connection }> => {
    const recipe = await loadRecipe('nats.js');
    const handle = await recipe.open(
      { rules, resolver: never },
      { host: ALLOWED, port: service().advertisingPort, reconnect: true, reconnectTimeWait: 10 },
    );
    t.after(() => handle.close());
    const client = handle['client'] as Connection;
    assert.ok(client.info.connect_urls?.every((each) => each.startsWith(`${DENIED}:`)));
    return { handle, client };
  };
  const reconnected = async (client: Connection): Promise<void> => {
    const events = client.status();
    await client.reconnect();
    for await (const { type } of events) if (type === 'reconnect') break;
  };

  it('nats.js is denied the server that a server names at a blocked address', async (t) => {
    const { handle, client } = await advertised(t);
    const published: VerdictMessage[] = [];
    const listen = (message: unknown): void => void published.push(message as VerdictMessage);
    subscribe('netjail:verdict', listen);
    t.after(() => unsubscribe('netjail:verdict', listen));
    const { denied } = await counted(service(), () => reconnected(client));
    assert.equal(denied, 0);
    assert.ok(published.some(({ allowed, address }) => !allowed && address === DENIED));
    assert.match(await handle.use(), /^N/);
  });

  it('nats.js leaks when it reconnects after a plain connect() anywhere in the process', async (t) => {
    const { client } = await advertised(t);
    const plain = await nats.connect({ servers: `${ALLOWED}:${service().port}` });
    await plain.close();
    const { denied } = await counted(service(), () => reconnected(client));
    assert.ok(denied > 0, 'it was not connected: the table has something to take back');
  });

  agrees(service);
});
