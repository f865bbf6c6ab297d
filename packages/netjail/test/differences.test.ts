import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createDial } from '../src/dial.ts';
import { deniedError } from '../src/errors.ts';
import { Rules } from '../src/rules.ts';
import { go } from './helpers/data.ts';
import { accepts, parseAddress, unmap } from './oracle.ts';

/** A connect that opens nothing: it records the first address it may use, and fails. */
function fakeConnect(dialled: string[]) {
  return (options: { host: string; lookup: net.LookupFunction }): net.Socket => {
    const socket = new net.Socket();
    const use = (error: Error | null, address?: string): void => {
      if (error === null) dialled.push(address!);
      socket.destroy(error ?? new Error('dialled'));
    };
    if (net.isIP(options.host) !== 0) process.nextTick(use, null, options.host);
    else
      options.lookup(options.host, { all: true }, (error, addresses) =>
        use(error, (addresses as { address: string }[] | undefined)?.[0]?.address),
      );
    return socket;
  };
}

describe('createDial() as Rules.DialFunc of the Go library', () => {
  it('gives the verdict and dials the first address of Go for every vector', async () => {
    const counts = { same: 0, misuse: 0, stricter: 0 };
    for (const { allow, block, address, resolved, dialed, denied } of go.dial) {
      const split = /^(?:\[(?<literal>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>\d*)$/.exec(address)?.groups;
      const host = split?.['literal'] ?? split?.['name'];
      const port = Number(split?.['port']);
      const dialled: string[] = [];
      const dial = createDial({
        rules: new Rules({ allow, block }),
        resolver: async () => resolved ?? [],
        connect: fakeConnect(dialled) as never,
      });
      // Go splits "host:port" itself; that is not netjail's job here. An empty host or port throws.
      if (!host || port < 1 || port > 65_535) {
        assert.throws(() => dial({ host: host!, port }), /host|port/, address);
        counts.misuse++;
        continue;
      }
      const [error] = (await once(dial({ host, port }), 'error')) as [Error];
      const where = `${address} -> ${resolved?.join(' ')} in ${new Rules({ allow, block }).toString()}`;
      if (dialed === undefined) {
        assert.deepEqual(dialled, [], where);
        // Empty rules deny before the look-up that fails in Go.
        if (denied || allow.length === 0) assert.ok(deniedError(error), where);
        counts.same++;
        continue;
      }
      const first = dialed.slice(0, dialed.lastIndexOf(':')).replace(/^\[|\]$/g, '');
      const same = (a: string, b: string): boolean =>
        unmap(parseAddress(a)).value === unmap(parseAddress(b)).value;
      if (dialled.length > 0 && same(dialled[0]!, first)) {
        counts.same++;
        continue;
      }
      // Stricter on purpose: Go's first address is one that we deny.
      assert.equal(accepts(allow, block, first), false, where);
      counts.stricter++;
    }
    assert.ok(counts.same > 70 && counts.misuse < 30 && counts.stricter < 15, JSON.stringify(counts));
  });

  it('drops answers of another family when one is asked for (family)', async () => {
    const dialled: string[] = [];
    const rules = new Rules({ allow: ['0.0.0.0/0', '::/0'] });
    const families: number[] = [];
    const resolver = async (_host: string, { family }: { family: number }): Promise<string[]> => (
      families.push(family),
      ['192.0.2.1', '2001:db8::1']
    );
    const connect = (options: { lookup: net.LookupFunction; host: string; family?: number }): net.Socket => {
      const socket = new net.Socket();
      options.lookup(options.host, { family: options.family ?? 0, all: false }, (error, address) => {
        dialled.push(address as string);
        socket.destroy(error ?? new Error('dialled'));
      });
      return socket;
    };
    const dial = createDial({ rules, resolver, connect: connect as never });
    for (const family of [6, 4]) await once(dial({ host: 'name.test', port: 1, family }), 'error');
    assert.deepEqual(
      [dialled, families],
      [
        ['2001:db8::1', '192.0.2.1'],
        [6, 4],
      ],
    );
    const only4 = createDial({ rules, resolver: async () => ['192.0.2.1'], connect: connect as never });
    const [error] = (await once(only4({ host: 'name.test', port: 1, family: 6 }), 'error')) as [
      { code: string },
    ];
    assert.equal(error.code, 'ENOTFOUND');
  });

  it('dials the canonical form of what was judged (canonical)', async () => {
    const dialled: string[] = [];
    const dial = createDial({
      rules: new Rules({ allow: ['::/0', '0.0.0.0/0'] }),
      connect: fakeConnect(dialled) as never,
    });
    for (const host of ['2001:DB8:0:0:0:0:0:1', '::ffff:192.0.2.1'])
      await once(dial({ host, port: 1 }), 'error');
    assert.deepEqual(dialled, ['2001:db8::1', '192.0.2.1']);
  });
});
