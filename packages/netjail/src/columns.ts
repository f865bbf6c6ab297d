/** Prefixes of one family that are to be compiled, in the order of the list. */
export interface Columns {
  /** The addresses as written, host bits and all: one word a prefix for IPv4, four for IPv6. */
  readonly words: Uint32Array;
  /** Of each the position in its list, and its length with how it was written: {@link metaOf}. */
  readonly meta: Uint32Array;
  readonly count: number;
  /** How many leading bits of the addresses, host bits and all, are the same at least, where that is known. */
  readonly shared: number | undefined;
}

/** A list has fewer entries than this: a position is kept in 24 bits. */
export const MAX_ENTRIES = 0x1000000;

/** Position and length (with {@link MAPPED4}, {@link BARE4}, {@link BARE6}) in one word. */
export const metaOf = (at: number, written: number): number => (at << 8) | written;
export const positionOf = (meta: number): number => meta >>> 8;
export const writtenOf = (meta: number): number => meta & 255;

/** Added to the length of an IPv4 entry: written as an IPv4-mapped prefix, as a bare address. */
export const MAPPED4 = 64;
export const BARE4 = 128;
/** Stands for 128 in a bare IPv6 address. */
export const BARE6 = 129;

export const bitsOf4 = (meta: number): number => meta & 63;
export const bitsOf6 = (meta: number): number => ((meta & 255) === BARE6 ? 128 : meta & 255);

/** How many leading bits of an address count, by its meta word. */
export function bitsOf(meta: number, width: 1 | 4): number {
  return width === 1 ? bitsOf4(meta) : bitsOf6(meta);
}

export const NO_PREFIXES: Columns = {
  words: new Uint32Array(0),
  meta: new Uint32Array(0),
  count: 0,
  shared: undefined,
};

/** Prefixes of one family that are being collected. */
export class Growing implements Columns {
  words: Uint32Array = NO_PREFIXES.words;
  meta: Uint32Array = NO_PREFIXES.meta;
  count = 0;
  readonly width: 1 | 4;
  /** In which bits any first word differs from the first one. */
  #differ = 0;

  constructor(width: 1 | 4) {
    this.width = width;
  }

  get shared(): number | undefined {
    // Where all have the same first word, the others tell.
    return this.#differ === 0 ? undefined : Math.clz32(this.#differ);
  }

  /** Keeps what they share up to date: here it costs nothing, later it would be one more way through memory. */
  note(word: number): void {
    this.#differ |= word ^ this.words[0]!;
  }

  /** Makes room for one more; `hint` is how many may still come. */
  grow(hint: number): void {
    if (this.count < this.meta.length) return;
    const size = Math.max(4, this.count === 0 ? hint : 2 * this.count);
    const { words, meta } = this;
    this.words = new Uint32Array(size * this.width);
    this.meta = new Uint32Array(size);
    this.words.set(words);
    this.meta.set(meta);
  }
}
