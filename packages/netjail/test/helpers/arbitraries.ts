// What fuzzing throws at the parsers: well-formed text, the same damaged, and text of nothing but the
// characters that parsers look for.
import * as fc from 'fast-check';

const octet = fc.oneof(fc.constantFrom(0, 1, 9, 10, 99, 100, 127, 249, 250, 255), fc.nat(255));
const group = fc.oneof(fc.constantFrom(0, 0, 0, 1, 0xff, 0x100, 0x5efe, 0x7f00, 0xffff), fc.nat(0xffff));

export const quad: fc.Arbitrary<string> = fc
  .tuple(octet, octet, octet, octet)
  .map((parts) => parts.join('.'));

const written = fc.tuple(group, fc.boolean(), fc.nat(3)).map(([value, upper, zeros]) => {
  const text = value.toString(16).padStart(zeros + 1, '0');
  return upper ? text.toUpperCase() : text;
});

/** Groups before `::`, groups behind it, and perhaps a dotted quad: too many of them at times. */
export const groups: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(written, { maxLength: 8 }),
    fc.option(fc.array(written, { maxLength: 7 })),
    fc.option(quad, { freq: 4 }),
  )
  .map(([head, tail, dotted]) => {
    const end = dotted === null ? [] : [dotted];
    if (tail === null) return [...head, ...end].join(':');
    return `${head.join(':')}::${[...tail, ...end].join(':')}`;
  });

const zone = fc.oneof(
  fc.constantFrom('', '%', '%eth0', '%1', '%a%b', '%::', '%/8'),
  fc.string().map((text) => `%${text}`),
);

export const addressText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: quad },
  { weight: 5, arbitrary: groups },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(quad, groups), zone).map((parts) => parts.join('')) },
);

const length = fc.oneof(
  fc.nat(130).map(String),
  fc.constantFrom('', '0', '00', '08', '32', '33', '128', '129', '-1', '+8', '8 ', '1e1', '0x8', '٨', '8/8'),
);

export const prefixText: fc.Arbitrary<string> = fc.tuple(addressText, length).map((parts) => parts.join('/'));

/** A few characters put in, taken out or doubled. */
export function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      ':',
      '::',
      '/',
      '%',
      '0',
      '1',
      'f',
      'F',
      'g',
      ' ',
      '\0',
      '\n',
      '-',
      '+',
      '１',
      '١',
      '。',
    ),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2), piece);
  return fc.tuple(text, fc.array(change, { minLength: 1, maxLength: 4 })).map(([whole, changes]) =>
    changes.reduce((current, [where, removed, put]) => {
      const at = Math.floor(where * current.length);
      return current.slice(0, at) + put + current.slice(at + removed);
    }, whole),
  );
}

/** Any text, most of it of the characters that mean something. */
export function textOf(characters: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...characters), maxLength: 50 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
}
