/** One port, or the ports from one to another, both inside. */
export type PortInput = number | readonly [from: number, to: number];

/** Sorted ranges of ports that neither overlap nor touch, at least one. */
export type Ports = readonly (readonly [from: number, to: number])[];

const MAX_PORT = 65_535;

export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PORT;
}

/**
 * Reads a port, a range `[from, to]`, or a list of ports and ranges: the ports, or why they are
 * none. Exactly two numbers are a range; a list of two ports is `[[80, 80], [443, 443]]`.
 */
export function readPorts(value: unknown): Ports | string {
  if (isPort(value)) return Object.freeze([pair(value, value)]);
  if (!Array.isArray(value)) return 'it is a port (0 to 65535), [from, to], or a list of them';
  const items = Array.from(value as readonly unknown[]);
  if (items.length === 0) return 'it is an empty list';
  const isRange = items.length === 2 && items.every((item) => typeof item === 'number');
  const ranges: (readonly [number, number])[] = [];
  for (const item of isRange ? [items] : items) {
    const [from, to] = Array.isArray(item) && item.length === 2 ? (item as unknown[]) : [item, item];
    if (!isPort(from) || !isPort(to)) return 'each port is a whole number from 0 to 65535';
    if (from > to) return `the range from ${from} to ${to} is empty`;
    ranges.push(pair(from, to));
  }
  ranges.sort((x, y) => x[0] - y[0]);
  const merged: (readonly [number, number])[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && range[0] <= last[1] + 1) {
      merged[merged.length - 1] = pair(last[0], Math.max(last[1], range[1]));
    } else merged.push(range);
  }
  return Object.freeze(merged);
}

function pair(from: number, to: number): readonly [number, number] {
  return Object.freeze([from, to] as const);
}

export function hasPort(ports: Ports, port: number): boolean {
  for (const [from, to] of ports) if (port >= from && port <= to) return true;
  return false;
}

/** The shortest input that {@link readPorts} reads as these ports. */
export function portsAsInput(ports: Ports): PortInput | readonly PortInput[] {
  const short = (range: readonly [number, number]): PortInput => (range[0] === range[1] ? range[0] : range);
  if (ports.length === 1) return short(ports[0]!);
  const items = ports.map(short);
  return items.length === 2 && items.every((item) => typeof item === 'number') ? ports : items;
}
