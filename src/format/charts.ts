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
/** How a chart of columns is drawn. */
type ChartStyle = {
  /** Columns for the values. */
  readonly width: number;
  readonly rows: number;
  /** Block elements of Unicode; else ASCII. */
  readonly unicode: boolean;
};

const EIGHTHS = ' ▁▂▃▄▅▆▇█';
const HALVES = ' .:#';

/** Columns of these heights, the highest at `top`: lines from above. Values are resampled to the width by `columns`. */
export function columnChart(values: ArrayLike<number>, top: number, { rows, unicode }: ChartStyle): string[] {
  const steps = unicode ? EIGHTHS : HALVES;
  const most = steps.length - 1;
  return Array.from({ length: rows }, (_, row) => {
    const floor = rows - 1 - row;
    return Array.from({ length: values.length }, (_, column) => {
      const value = values[column] ?? 0;
      const height = top > 0 ? (value / top) * rows : 0;
      // A value above zero must be visible.
      const filled = Math.max(Math.round((height - floor) * most), floor === 0 && value > 0 ? 1 : 0);
      return steps[Math.max(0, Math.min(most, filled))];
    }).join('');
  });
}
