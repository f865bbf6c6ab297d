import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../src/address.ts';
import { Prefix } from '../../src/prefix.ts';
import { Rules } from '../../src/rules.ts';
import { go } from '../helpers/data.ts';
import { accepts, carried, parseAddress } from '../oracle.ts';

describe('Address.parse() as Go netip.ParseAddr', () => {
  for (const vector of go.parseAddr) {
    it(`${vector.ok ? 'reads' : 'refuses'} ${JSON.stringify(vector.in)}`, () => {
      const address = Address.tryParse(vector.in);
      if (!vector.ok) {
        assert.equal(address, undefined);
        assert.throws(() => Address.parse(vector.in), {
          name: 'SyntaxError',
          code: 'ERR_NETJAIL_INVALID_ADDRESS',
        });
        return;
      }
      assert.ok(address);
      assert.equal(address.toString(), vector.out);
      assert.equal(address.unmap().toString(), vector.unmap);
      assert.equal(address.mapped, vector.is4in6);
      assert.equal(address.family === 4, vector.is4);
      assert.equal(address.zone, vector.zone ?? '');
    });
  }
});

describe('Prefix.parse() as Go netip.ParsePrefix', () => {
  for (const vector of go.parsePrefix) {
    it(`${vector.ok ? 'reads' : 'refuses'} ${JSON.stringify(vector.in)}`, () => {
      if (!vector.ok) {
        assert.throws(() => Prefix.parse(vector.in), {
          name: 'SyntaxError',
          code: 'ERR_NETJAIL_INVALID_PREFIX',
        });
        return;
      }
      const prefix = Prefix.parse(vector.in);
      assert.equal(prefix.toString(), vector.out);
      assert.equal(prefix.masked().toString(), vector.masked);
    });
  }
});

describe('Rules.toString() as the Go library', () => {
  it('gives the same text for every vector, and Rules.parse() reads it back', () => {
    assert.ok(go.string.length > 200);
    for (const { allow, block, string } of go.string) {
      const rules = new Rules({ allow, block });
      assert.equal(rules.toString(), string);
      assert.equal(Rules.parse(string).toString(), string);
      assert.equal(Rules.parse(string).id, rules.id);
    }
  });
});

describe('Rules.accept() as the Go library', () => {
  const isMapped = (tags: string[] | undefined): boolean =>
    tags?.some((tag) => tag === 'mapped-addr' || tag === 'mapped-prefix') ?? false;

  it('gives the answer of Go for every vector that is not stricter on purpose', () => {
    const counts = { same: 0, mapped: 0, carried: 0, unspecified: 0 };
    for (const { allow, block, addr, accept, tags } of go.accept) {
      const ours = new Rules({ allow, block }).accept(addr);
      const where = `${addr} in ${new Rules({ allow, block }).toString()}`;
      assert.equal(
        new Rules({ allow, block }).judge(addr).allowed,
        ours,
        `accept and judge agree on ${where}`,
      );
      if (addr.includes('%')) {
        assert.equal(ours, false, `a zone is in no prefix: ${where}`);
        continue;
      }
      assert.equal(ours, accepts(allow, block, addr), `the oracle on ${where}`);
      if (isMapped(tags)) {
        counts.mapped++;
        continue;
      }
      if (ours === accept) {
        counts.same++;
        continue;
      }
      assert.equal(ours, false, `never looser than Go: ${where}`);
      const { family, value } = parseAddress(addr);
      if (value === 0n) counts.unspecified++;
      else {
        assert.ok(family === 6 && carried(value).length > 0, `only carriers differ: ${where}`);
        counts.carried++;
      }
    }
    assert.ok(counts.same > 3400, JSON.stringify(counts));
    assert.ok(counts.mapped > 900 && counts.carried > 0 && counts.unspecified > 0, JSON.stringify(counts));
    assert.ok(counts.carried + counts.unspecified < 200, JSON.stringify(counts));
  });
});
