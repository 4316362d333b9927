import fc from 'fast-check';

/** Pieces that parsers stumble over. */
const PIECES = [
  '',
  '\n',
  '\r\n',
  '\r',
  '\t',
  ' ',
  '  ',
  '=',
  ':',
  '#',
  '##',
  '[',
  ']',
  '[]',
  '[[',
  '"',
  "'",
  '\\',
  '/',
  '-',
  '--',
  '---',
  ',',
  '%',
  '$',
  '\u0000',
  '\u001b[31m',
  '\uFEFF',
  '\u00A0',
  '\u2028',
  '\uD800',
  '💥',
  'ß',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '1e309',
  '1e-400',
  '0x10',
  '9007199254740993',
  '99999999999999999999',
  '.5',
  '5.',
  '1,5',
  'true',
  'undefined',
] as const;

const anyPiece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

type Edit = { readonly at: number; readonly cut: number; readonly put: string; readonly times: number };

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(3), fc.nat(60)),
  put: anyPiece,
  times: fc.oneof(
    { weight: 180, arbitrary: fc.constant(1) },
    { weight: 20, arbitrary: fc.nat(200) },
    // What takes the square of a line's length shows in such runs.
    { weight: 1, arbitrary: fc.constant(10_000) },
  ),
});

function apply(text: string, { at, cut, put, times }: Edit): string {
  const from = Math.floor(at * (text.length + 1));
  return text.slice(0, from) + put.repeat(times) + text.slice(from + cut);
}

/** A text of the corpus with a few things wrong, or a text out of nothing. */
export function mangled(corpus: readonly string[]): fc.Arbitrary<string> {
  const edited = fc
    .tuple(fc.constantFrom(...corpus), fc.array(anyEdit, { maxLength: 6 }))
    .map(([text, edits]) => edits.reduce(apply, text));
  return fc.oneof(
    { weight: 8, arbitrary: edited },
    { weight: 1, arbitrary: fc.array(anyPiece, { maxLength: 30 }).map(pieces => pieces.join('')) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  );
}

/** Words of the corpus in any order, with a few things wrong. */
export function mangledWords(words: readonly string[]): fc.Arbitrary<string[]> {
  return fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...words) }, mangled(words)), {
    maxLength: 8,
  });
}
