import type { Workers } from './reading.ts';

/** Since when Apache is overloaded (monotonic ms), and how it shows. */
export type Overload = { readonly since: number; readonly reason: string };

/**
 * Why a page shows an overloaded Apache; undefined when it does not.
 *
 * No worker is idle, and none can be started: the scoreboard has no free slot. Where it has some, Apache may start workers
 * (it takes a second for the first ones) or be at a `MaxRequestWorkers` below its scoreboard's size; the latter shows when
 * the next reading finds no idle worker either, and no more busy ones.
 *
 * @param before the workers at the reading before
 */
export function saturation(workers: Workers | undefined, before: Workers | undefined): string | undefined {
  // A single busy worker is the one that answers us.
  if (workers === undefined || workers.idle > 0 || workers.busy < 2) return undefined;
  const reason = `no Apache worker is idle (${workers.busy} are busy)`;
  if (workers.free === 0) return reason;
  return before !== undefined && before.idle === 0 && workers.busy <= before.busy ? reason : undefined;
}
