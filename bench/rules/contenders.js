// Who is measured: each makes, of prefixes to block, `(text) => accepted`. Each is imported in the
// process that measures it only.
import { BlockList } from 'node:net';

const familyName = (family) => (family === 4 ? 'ipv4' : 'ipv6');

function blockList(family, prefixes) {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [address, bits] = prefix.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

const EVERYTHING = ['0.0.0.0/0', '::/0'];

/** No matcher: what it takes to look at each character of the text once, which nothing that reads it can do without. */
export const READING = 'reading alone';

export const contenders = {
  [READING]: async () => (text) => {
    let sum = 0;
    for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
    return sum > 0;
  },
  netjail: async (_family, prefixes) => {
    const { Rules } = await import('netjail');
    const rules = new Rules({ allow: EVERYTHING, block: prefixes });
    return (text) => rules.accept(text);
  },
  'net.BlockList': async (family, prefixes) => {
    const list = blockList(family, prefixes);
    const name = familyName(family);
    return (text) => !list.check(text, name);
  },
  /** A whole policy: what may be connected to and what may not. */
  'two net.BlockList': async (family, prefixes) => {
    const allow = blockList(family, EVERYTHING);
    const block = blockList(family, prefixes);
    const name = familyName(family);
    return (text) => allow.check(text, name) && !block.check(text, name);
  },
  'ipaddr.js': async (_family, prefixes) => {
    const { default: ipaddr } = await import('ipaddr.js');
    const ranges = prefixes.map((prefix) => ipaddr.parseCIDR(prefix));
    return (text) => {
      const address = ipaddr.parse(text);
      const kind = address.kind();
      return !ranges.some((range) => range[0].kind() === kind && address.match(range));
    };
  },
  netmask: async (family, prefixes) => {
    if (family === 6) throw new Error('no IPv6');
    const { Netmask } = await import('netmask');
    const blocks = prefixes.map((prefix) => new Netmask(prefix));
    return (text) => !blocks.some((block) => block.contains(text));
  },
  'ip-address': async (family, prefixes) => {
    const { Address4, Address6 } = await import('ip-address');
    const Address = family === 4 ? Address4 : Address6;
    const subnets = prefixes.map((prefix) => new Address(prefix));
    return (text) => {
      const address = new Address(text);
      return !subnets.some((subnet) => address.isInSubnet(subnet));
    };
  },
  'cidr-matcher': async (_family, prefixes) => {
    const { default: Matcher } = await import('cidr-matcher');
    const matcher = new Matcher(prefixes);
    return (text) => !matcher.contains(text);
  },
  'is-in-subnet': async (_family, prefixes) => {
    const { createChecker } = await import('is-in-subnet');
    const check = createChecker(prefixes);
    return (text) => !check(text);
  },
  'cidr-tools': async (_family, prefixes) => {
    const { containsCidr } = await import('cidr-tools');
    return (text) => !containsCidr(prefixes, text);
  },
  'ip-set': async (family, prefixes) => {
    if (family === 6) throw new Error('no IPv6 in version 2');
    const { default: IPSet } = await import('ip-set');
    const set = new IPSet();
    for (const prefix of prefixes) set.add(prefix);
    return (text) => !set.contains(text);
  },
  'longest-prefix-match': async (family, prefixes) => {
    const { default: LongestPrefixMatch } = await import('longest-prefix-match');
    const table = new LongestPrefixMatch();
    for (const prefix of prefixes) table.addPrefix(prefix, true);
    const bits = family === 4 ? '/32' : '/128';
    return (text) => table.getMatch(text + bits).length === 0;
  },
};

/** The matchers of npm, which have one list. */
export const MATCHERS = Object.keys(contenders).filter(
  (name) => name !== 'netjail' && name !== 'two net.BlockList' && name !== READING,
);
