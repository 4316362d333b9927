/** Levels of a sparkline, the lowest first; what is not known is a blank. */
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII = ['_', '.', ':', '-', '=', '+', '*', '#'];

/**
 * One character a value, from 0 up to the largest; zero, and only zero, has the lowest.
 *
 * @param values never negative; null: not known
 */
export function sparkline(values: readonly (number | null)[], utf8: boolean): string {
  const glyphs = utf8 ? BLOCKS : ASCII;
  const top = Math.max(0, ...values.filter(it => it !== null));
  return values
    .map(value => {
      if (value === null) return ' ';
      if (value <= 0 || top === 0) return glyphs[0];
      const above = glyphs.length - 1;
      return glyphs[Math.max(1, Math.ceil((value / top) * above))];
    })
    .join('');
}

/** Puts values into at most so many places: each shows the largest of those that it stands for. */
export function squeezed(values: readonly (number | null)[], places: number): readonly (number | null)[] {
  if (values.length <= places) return values;
  return Array.from({ length: places }, (_, place) => {
    const from = Math.floor((place * values.length) / places);
    const to = Math.max(from + 1, Math.floor(((place + 1) * values.length) / places));
    const known = values.slice(from, to).filter(it => it !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
}
