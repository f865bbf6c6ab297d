// How large a message of a server may be: undici asks the dispatcher that it was given.
import { createDispatcher } from '../src/fetch/index.ts';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as undici7 from 'undici';
import * as undici6 from 'undici6';
import { WebSocketServer } from 'ws';
import { Dispatcher, type AgentClass } from '../src/undici/index.ts';
import { rules } from './helpers/attack.ts';
import { inTime } from './helpers/in-time.ts';
import { ALLOWED, startLab } from './helpers/lab.ts';

type Listener = (event: { data?: unknown; code?: number }) => void;
interface Receiver {
  addEventListener(name: string, listener: Listener): void;
  close(): void;
}
type ReceiverClass = new (url: string, options: { dispatcher: unknown }) => Receiver;

interface Limited {
  readonly webSocketOptions?: unknown;
  readonly eventSourceOptions?: unknown;
}

interface Version {
  readonly Agent: AgentClass;
  readonly WebSocket: ReceiverClass | undefined;
  readonly EventSource: ReceiverClass | undefined;
  guarded(options: object): Limited;
}

const ofModule = (undici: unknown): Version => {
  const { Agent, WebSocket, EventSource } = undici as Omit<Version, 'guarded'>;
  const guarded = (options: object): Limited => new Dispatcher({ Agent, rules, ...options } as never);
  return { Agent, WebSocket, EventSource, guarded };
};

const major = Number(process.versions.node.split('.')[0]);
const versions: Record<string, Version> = { 'undici 6': ofModule(undici6), 'undici 7': ofModule(undici7) };
if (major >= 22) versions['undici 8'] = ofModule(await import('undici8'));

const SMALL = 'x'.repeat(100);
const LARGE = 'x'.repeat(5000);

/** Sends two messages to whoever connects, as a WebSocket or an EventSource: a small one and a large one. */
async function startServer(t: TestContext): Promise<string> {
  const messages = new WebSocketServer({ noServer: true });
  const lab = await startLab(t, 'http', {
    request: (request, response) => {
      if (request.url !== '/events') return false;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${SMALL}\n\ndata: ${LARGE}\n\n`);
      return true;
    },
    upgrade: (request, socket, head) => {
      messages.handleUpgrade(request, socket, head, (client) => {
        client.send(SMALL);
        client.send(LARGE);
      });
    },
  });
  return `${ALLOWED}:${lab.port}`;
}

/** The lengths of the messages that arrive, up to the large one or an error. */
function lengthsOf(receiver: Receiver): Promise<number[]> {
  const lengths: number[] = [];
  return new Promise((resolve) => {
    const end = (): void => {
      resolve(lengths);
      receiver.close();
    };
    receiver.addEventListener('message', ({ data }) => {
      lengths.push(String(data).length);
      if (lengths.length === 2) end();
    });
    receiver.addEventListener('error', end);
  });
}

for (const [name, { Agent, WebSocket, EventSource, guarded }] of Object.entries(versions)) {
  describe(`Dispatcher with ${name}`, () => {
    for (const options of [
      {},
      { webSocket: { maxPayloadSize: 1000 }, eventSource: { maxEventSize: 1000 } },
    ]) {
      it(`says what an Agent says of the limits of messages when given ${JSON.stringify(options)}`, () => {
        const plain = new Agent(options as never) as Limited;
        assert.deepEqual(guarded(options).webSocketOptions, plain.webSocketOptions);
        assert.deepEqual(guarded(options).eventSourceOptions, plain.eventSourceOptions);
      });
    }

    it('lets a WebSocket receive as much as maxPayloadSize says', async (t) => {
      const url = `ws://${await startServer(t)}/`;
      const receive = async (maxPayloadSize: number): Promise<number[]> => {
        const dispatcher = guarded({ webSocket: { maxPayloadSize } });
        return inTime(lengthsOf(new WebSocket!(url, { dispatcher })), 'the WebSocket');
      };
      assert.deepEqual(await receive(1000), [100]);
      assert.deepEqual(await receive(10_000), [100, 5000]);
    });

    it('lets an EventSource receive as much as maxEventSize says', async (t) => {
      const url = `http://${await startServer(t)}/events`;
      const receive = async (maxEventSize: number): Promise<number[]> => {
        const dispatcher = guarded({ eventSource: { maxEventSize } });
        return inTime(lengthsOf(new EventSource!(url, { dispatcher })), 'the EventSource');
      };
      assert.deepEqual(await receive(1000), [100]);
      assert.deepEqual(await receive(10_000), [100, 5000]);
    });
  });
}

const { WebSocket } = globalThis as { WebSocket?: ReceiverClass };

// Node 20 has none.
if (WebSocket !== undefined) {
  describe('createDispatcher()', () => {
    it('lets the WebSocket of the runtime receive as much as maxPayloadSize says', async (t) => {
      const url = `ws://${await startServer(t)}/`;
      const receive = async (maxPayloadSize: number): Promise<number[]> => {
        const dispatcher = createDispatcher({ rules, webSocket: { maxPayloadSize } });
        return inTime(lengthsOf(new WebSocket(url, { dispatcher })), 'the WebSocket');
      };
      assert.deepEqual(await receive(1000), [100]);
      assert.deepEqual(await receive(10_000), [100, 5000]);
    });
  });
}
