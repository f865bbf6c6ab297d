// What the modules of servers/ have in common.
import { makeFolder, removeFolder, startProgram } from './process.mjs';
import { ALLOWED, DENIED, openSites } from './sites.mjs';

/**
 * Collects what one service consists of, so that it can be stopped as a whole, also when it never
 * came to be ready.
 */
export class Parts {
  #stops = [];

  folder(name, user) {
    const folder = makeFolder(name, user);
    this.#stops.push(() => removeFolder(folder));
    return folder;
  }

  program(name, program, args, options) {
    const server = startProgram(name, program, args, options);
    this.#stops.push(() => server.stop());
    return server;
  }

  /** Reached on both addresses; the port is the same on both. */
  async sites(port, host = DENIED) {
    const sites = await openSites({ host, port });
    this.#stops.push(() => sites.close());
    return sites;
  }

  /** Something else that has to end with the service. */
  closing(stop) {
    this.#stops.push(stop);
  }

  async stop() {
    for (const stop of this.#stops.reverse().splice(0)) await stop();
  }
}

/**
 * What `startService` resolves to: `sites` are the doors of the service, the first the main one.
 * `serverSaw` answers how many connections the server itself counts, where it says so.
 */
export function service(parts, { sites, serverSaw, ...facts }) {
  const [main] = sites;
  const count = async () => {
    const sum = { allowed: 0, denied: 0 };
    for (const each of sites) {
      const { allowed, denied } = await each.connections();
      sum.allowed += allowed;
      sum.denied += denied;
    }
    return sum;
  };
  return {
    host: ALLOWED,
    denied: DENIED,
    port: main.port,
    sites,
    connections: count,
    serverSaw,
    stop: () => parts.stop(),
    ...facts,
  };
}

/** `serverSaw` of a server that writes a line for each connection (or of several), counted from now on. */
export function countLines(servers, pattern) {
  const count = () =>
    [servers].flat().reduce((sum, server) => sum + (server.log().match(pattern)?.length ?? 0), 0);
  const before = count();
  return async () => count() - before;
}
