import { HOUR, MINUTE } from '../clock.ts';

/**
 * Load and farm at a moment. They hold until the next one: the balancer's state changes only when the loop wakes up.
 */
export type Level = {
  /** Undefined while the load is not known. */
  readonly requestsPerSecond: number | undefined;
  readonly serving: number;
  /** All that exist, draining ones too. */
  readonly slaves: number;
  /** Of these, those bought on demand. */
  readonly onDemand: number;
  readonly min: number | undefined;
  readonly max: number | undefined;
};

/** One minute: the load as a mean and its peak, the rest as it was last. */
type Minute = {
  /** Monotonic ms. */
  readonly start: number;
  /** For how long of it (ms) the load was known, and how many requests came then. */
  readonly knownFor: number;
  readonly requests: number;
  readonly peak: number;
  readonly level: Level;
};

/** The last hour, a minute a piece, the oldest first; never more than 61. */
export type History = {
  /** Monotonic ms: up to then everything is in `minutes`. */
  readonly at: number;
  readonly level?: Level;
  readonly minutes: readonly Minute[];
};

export const NO_HISTORY: History = { at: 0, minutes: [] };

/** Records a new level: the one before held up to `now` (monotonic ms). */
export function advance(history: History, now: number, level: Level): History {
  const { level: held } = history;
  if (held === undefined) return { at: now, level, minutes: [] };
  const minutes = history.minutes.filter(({ start }) => start > now - HOUR - MINUTE);
  let from = Math.max(history.at, startOf(now) - HOUR);
  while (from < now) {
    const start = startOf(from);
    const to = Math.min(now, start + MINUTE);
    const last = minutes.at(-1);
    if (last?.start === start) minutes[minutes.length - 1] = hold(last, held, to - from);
    else minutes.push(hold({ start, knownFor: 0, requests: 0, peak: 0, level: held }, held, to - from));
    from = to;
  }
  return { at: now, level, minutes };
}

function startOf(moment: number): number {
  return Math.floor(moment / MINUTE) * MINUTE;
}

function hold(minute: Minute, level: Level, ms: number): Minute {
  const { requestsPerSecond } = level;
  if (requestsPerSecond === undefined) return { ...minute, level };
  return {
    start: minute.start,
    knownFor: minute.knownFor + ms,
    requests: minute.requests + (requestsPerSecond * ms) / 1000,
    peak: Math.max(minute.peak, requestsPerSecond),
    level,
  };
}

/** Mean and peak of the load over these minutes, requests/s; undefined when it never was known. */
export function summary(
  minutes: readonly Minute[],
): { readonly mean: number; readonly peak: number } | undefined {
  const knownFor = minutes.reduce((sum, minute) => sum + minute.knownFor, 0);
  if (knownFor === 0) return undefined;
  const requests = minutes.reduce((sum, minute) => sum + minute.requests, 0);
  return { mean: (requests / knownFor) * 1000, peak: Math.max(...minutes.map(({ peak }) => peak)) };
}
