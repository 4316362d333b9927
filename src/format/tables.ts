/** A cell of a table, and the text to print for it, which may contain escape sequences of no width. */
export type Cell = string | { readonly text: string; readonly painted: string };

/** How a table is laid out. */
type Layout = {
  /** The columns, from 0, whose cells are right-aligned. */
  readonly right?: (column: number) => boolean;
  /** Blanks between two columns. */
  readonly gap?: number;
};

/** The widths that the columns need. */
export function columnWidths(rows: readonly (readonly Cell[])[]): readonly number[] {
  const count = Math.max(0, ...rows.map(row => row.length));
  return Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map(row => textOf(row[column] ?? '').length)),
  );
}

/** The rows with their cells below each other, without blanks at the end. */
export function alignedRows(
  rows: readonly (readonly Cell[])[],
  { right = () => false, gap = 2 }: Layout = {},
): string[] {
  const widths = columnWidths(rows);
  return rows.map(row =>
    row
      .map((cell, column) => {
        const blanks = ' '.repeat(Math.max(0, (widths[column] ?? 0) - textOf(cell).length));
        const painted = typeof cell === 'string' ? cell : cell.painted;
        return right(column) ? `${blanks}${painted}` : `${painted}${blanks}`;
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
