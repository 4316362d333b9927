import type { LoadTable } from '../config/config.ts';

/** How many slaves a load calls for. */
export type Range = { readonly min: number; readonly max: number };

/**
 * The range for a load in requests/s: that of the row with the largest `requests/sec` that is not above the load; below
 * the first row none. (The manual, "[LOAD TABLE]".)
 */
export function rangeFor(table: LoadTable, requestsPerSecond: number): Range {
  let range: Range = { min: 0, max: 0 };
  let reached = -1;
  for (const row of table) {
    if (row.requestsPerSecond <= requestsPerSecond && row.requestsPerSecond > reached) {
      reached = row.requestsPerSecond;
      range = { min: row.min, max: row.max };
    }
  }
  return range;
}

/** The most slaves that any row allows: what may exist at a time, whatever happens. */
export function largestMax(table: LoadTable): number {
  return Math.max(0, ...table.map(row => row.max));
}
