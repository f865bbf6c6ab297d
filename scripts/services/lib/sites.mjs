// The two networks of the tests. 127.0.0.2 plays the allowed one, 127.0.0.1 the denied one; a
// server is reached on both, on one port, through proxies that forward every byte and count.
import { once } from 'node:events';
import net from 'node:net';

export const ALLOWED = '127.0.0.2';
export const DENIED = '127.0.0.1';
/** Where the counting itself connects from; such connections are not counted. */
const COUNTER = '127.0.0.9';

/** A TCP proxy on one address that counts the connections it accepts. */
export class CountingProxy {
  #server;
  #accepted = 0;
  #open = new Set();

  constructor(target) {
    this.#server = net.createServer({ pauseOnConnect: true }, (client) => {
      if (client.remoteAddress === COUNTER) {
        client.destroy();
        return;
      }
      this.#accepted++;
      const server = net.connect(target);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ]) {
        this.#open.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#open.delete(socket);
          other.destroySoon();
        });
        socket.pipe(other);
      }
      client.resume();
    });
  }

  /** Listens; 0 takes any free port. Resolves to the port. */
  async listen(address, port) {
    this.#server.listen(port, address);
    await once(this.#server, 'listening');
    return this.#server.address().port;
  }

  /**
   * The number of connections so far. Exact: connections are accepted in the order in which they
   * came, so that one of our own is waited for first.
   */
  async connections() {
    const { address: host, port } = this.#server.address();
    const socket = net.connect({ host, port, localAddress: COUNTER });
    socket.on('error', () => {});
    await once(socket, 'close');
    return this.#accepted;
  }

  /** Connections that are open now. */
  get open() {
    return this.#open.size / 2;
  }

  async close() {
    for (const socket of this.#open) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Puts a server behind both addresses: `{ port, allowed, denied, connections(), close() }`. */
export async function openSites(target) {
  for (let attempt = 1; ; attempt++) {
    const allowed = new CountingProxy(target);
    const denied = new CountingProxy(target);
    try {
      const port = await denied.listen(DENIED, 0);
      await allowed.listen(ALLOWED, port);
      return {
        port,
        allowed,
        denied,
        connections: async () => ({
          allowed: await allowed.connections(),
          denied: await denied.connections(),
        }),
        close: async () => {
          await allowed.close();
          await denied.close();
        },
      };
    } catch (error) {
      await denied.close();
      if (error.code !== 'EADDRINUSE' || attempt === 20) throw error;
    }
  }
}

/** A port on which nothing listens; below the range from which systems take ports by themselves. */
export async function freePort(address = DENIED) {
  for (let attempt = 1; ; attempt++) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const server = net.createServer().listen(port, address);
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || attempt === 20) throw error;
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
