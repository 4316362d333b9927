import { startOfDay } from './day.ts';

/** How often an action was called, and how many of these calls failed. */
type Count = { readonly calls: number; readonly errors: number };
export type Counts = ReadonlyMap<string, Count>;

type CallError = {
  /** Wall clock ms. */
  readonly at: number;
  readonly action: string;
  readonly code: string;
  readonly message: string;
};

/** The calls of EC2: as many entries as there are actions. */
export type Calls = {
  readonly sinceStart: Counts;
  readonly today: Counts;
  /** The day of `today`, by its start (wall clock ms). */
  readonly day: number;
  readonly lastError?: CallError;
};

export const NO_CALLS: Calls = { sinceStart: new Map(), today: new Map(), day: 0 };

/**
 * A call ended at `wall` ms.
 *
 * @param error the code and the message of one that failed
 */
export function countCall(
  calls: Calls,
  action: string,
  wall: number,
  error?: { readonly code: string; readonly message: string },
): Calls {
  const current = onDay(calls, wall);
  const failed = error !== undefined;
  return {
    ...current,
    sinceStart: add(current.sinceStart, action, failed),
    today: add(current.today, action, failed),
    ...(error !== undefined && { lastError: { at: wall, action, ...error } }),
  };
}

/** The calls as they stand at a moment: nothing has been called on a new day. */
export function onDay(calls: Calls, wall: number): Calls {
  const day = startOfDay(wall);
  return day > calls.day ? { ...calls, today: new Map(), day } : calls;
}

function add(counts: Counts, action: string, failed: boolean): Counts {
  const { calls, errors } = counts.get(action) ?? { calls: 0, errors: 0 };
  return new Map(counts).set(action, { calls: calls + 1, errors: errors + (failed ? 1 : 0) });
}
