import type { LoadTable } from '../config/config.ts';

/** `[MASTER] overload`. */
export type OnOverload = 'climb' | 'ignore';

/**
 * The load (requests/s) that an overloaded Apache counts as: one row of the table higher with every poll, up to the
 * last row, because an overloaded Apache completes fewer requests than people want.
 *
 * @param load what was measured, or known last; 0: nothing
 * @param before what the previous poll counted as, if Apache was overloaded then
 */
export function climb(table: LoadTable, load: number, before = 0): number {
  const from = Math.max(load, before);
  return table.find(row => row.requestsPerSecond > from)?.requestsPerSecond ?? from;
}
