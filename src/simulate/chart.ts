/** How a chart is drawn. */
export type ChartStyle = {
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
      // What is not nothing is to be seen.
      const filled = Math.max(Math.round((height - floor) * most), floor === 0 && value > 0 ? 1 : 0);
      return steps[Math.max(0, Math.min(most, filled))];
    }).join('');
  });
}
