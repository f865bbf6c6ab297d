// The grammar of Go's netip, written down once more in the plainest way: no code of src, no speed.

/** What `netip.ParseAddr` reads. */
export function isGoAddress(text: string): boolean {
  const percent = text.indexOf('%');
  if (percent === -1) return isQuad(text) || isGroups(text);
  // A zone is anything but nothing, and only IPv6 has one.
  return percent < text.length - 1 && isGroups(text.slice(0, percent));
}

/** What `netip.ParsePrefix` reads. */
export function isGoPrefix(text: string): boolean {
  const slash = text.lastIndexOf('/');
  if (slash === -1) return false;
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (address.includes('%') || !isGoAddress(address)) return false;
  return isDecimal(bits, address.includes(':') ? 128 : 32);
}

/** A number without sign and leading zeros. */
function isDecimal(text: string, most: number): boolean {
  return text.length <= 3 && /^[0-9]+$/.test(text) && String(Number(text)) === text && Number(text) <= most;
}

function isQuad(text: string): boolean {
  if (text.length > 15) return false;
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => isDecimal(octet, 255));
}

function isGroups(text: string): boolean {
  if (text.length > 45) return false;
  const sides = text.split('::');
  if (sides.length > 2) return false;
  const counts = sides.map((side, index) => countGroups(side, index === sides.length - 1));
  if (counts.includes(undefined)) return false;
  const count = counts.reduce((sum: number, one) => sum + one!, 0);
  // `::` stands for one group of zeros at least.
  return sides.length === 2 ? count <= 7 : count === 8;
}

/** How many groups a side of `::` has, a dotted quad at the very end counting two. */
function countGroups(side: string, last: boolean): number | undefined {
  if (side === '') return 0;
  let count = 0;
  const parts = side.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) count++;
    else if (last && index === parts.length - 1 && isQuad(part)) count += 2;
    else return undefined;
  }
  return count;
}
