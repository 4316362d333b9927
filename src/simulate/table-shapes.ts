import type { LoadRow, LoadTable } from '../config/config.ts';

/** When slaves are launched and released, as shares of the loads at which a load table wants them. */
export type Shape = {
  /** The load from which the first slave is wanted; 0: always. */
  readonly first: number;
  /** The share of that load below which it is released again. */
  readonly firstHold: number;
  /** The same for the slaves beside it. */
  readonly more: number;
  readonly moreHold: number;
};

const FIRST = [0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1];
const FIRST_HOLD = [0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.45, 0.6, 0.8];
const MORE = [0.5, 0.7, 0.85, 1];
const MORE_HOLD = [0.15, 0.3, 0.6, 0.85];

/** What is tried first: the first slave counts most. */
export const COARSE: readonly Shape[] = FIRST.flatMap(first =>
  FIRST_HOLD.map(firstHold => ({ first, firstHold, more: 0.85, moreHold: 0.3 })),
);

/** The same for the first slave, and everything for the others. */
export function variantsOf(shape: Shape): readonly Shape[] {
  return MORE.flatMap(more => MORE_HOLD.map(moreHold => ({ ...shape, more, moreHold })));
}

/** The load from which at least 1, 2, 3 … slaves are wanted. */
export function levelsOf(table: LoadTable): readonly number[] {
  const rows = table.toSorted((a, b) => a.requestsPerSecond - b.requestsPerSecond);
  const most = Math.max(0, ...rows.map(({ min }) => min));
  return Array.from(
    { length: most },
    (_, level) => rows.find(({ min }) => min > level)?.requestsPerSecond ?? Number.POSITIVE_INFINITY,
  );
}

/** A table whose n-th slave is launched and released at shares of the loads given. */
export function shaped(levels: readonly number[], { first, firstHold, more, moreHold }: Shape): LoadTable {
  const rises = levels.map((load, level) => rounded(load * (level === 0 ? first : more)));
  const falls = rises.map((load, level) => rounded(load * (level === 0 ? firstHold : moreHold)));
  const count = (loads: readonly number[], load: number) => loads.filter(it => it <= load).length;
  const rows: LoadRow[] = [];
  for (const requestsPerSecond of [...new Set([...rises, ...falls])].sort((a, b) => a - b)) {
    const min = count(rises, requestsPerSecond);
    rows.push({ requestsPerSecond, min, max: Math.max(min, count(falls, requestsPerSecond)) });
  }
  return rows;
}

/** To two digits, as people write loads. */
function rounded(load: number): number {
  return Number(load.toPrecision(2));
}
