import { HOUR, SECOND } from '../clock.ts';

/** A load to replay: how many requests came in each second. */
export type Trace = {
  /** What it is, for people: `access.log`, `the built-in trace day`. */
  readonly name: string;
  /** Wall clock (ms since 1970) of its beginning; unset where it has no dates. */
  readonly startedAt?: number;
  /** Minutes east of UTC that its moments are shown in. */
  readonly zone: number;
  /** How long it is. */
  readonly seconds: number;
  /** Requests until each second, one more than there are seconds. */
  readonly cumulative: Float64Array;
};

/** Longer ones would take too much memory, and are mostly a mistake in a date. */
export const LONGEST_TRACE = 366 * 24 * HOUR;

/** A trace out of the requests of each second. */
export function createTrace(about: Pick<Trace, 'name' | 'startedAt'>, counts: ArrayLike<number>): Trace {
  const cumulative = new Float64Array(counts.length + 1);
  let sum = 0;
  for (let second = 0; second < counts.length; second++) {
    sum += counts[second] ?? 0;
    cumulative[second + 1] = sum;
  }
  return { ...about, zone: 0, seconds: counts.length, cumulative };
}

/** How long a trace is, ms. */
export function durationOf(trace: Trace): number {
  return trace.seconds * SECOND;
}

/** How many requests have come until a moment (ms since the beginning); between two seconds evenly. */
export function requestsUntil({ cumulative, seconds }: Trace, moment: number): number {
  const second = moment / SECOND;
  if (second <= 0) return 0;
  if (second >= seconds) return cumulative[seconds] ?? 0;
  const whole = Math.floor(second);
  const before = cumulative[whole] ?? 0;
  return before + (second - whole) * ((cumulative[whole + 1] ?? before) - before);
}

/** The same requests in a shorter time: `speed` times as many a second, in so much less time. */
export function sped(trace: Trace, speed: number): Trace {
  if (speed === 1) return trace;
  const seconds = Math.max(1, Math.round(trace.seconds / speed));
  const cumulative = Float64Array.from({ length: seconds + 1 }, (_, second) =>
    requestsUntil(trace, (second / seconds) * durationOf(trace)),
  );
  // Its seconds are no longer those of a calendar.
  return { name: `${trace.name} at ${speed} times its speed`, zone: 0, seconds, cumulative };
}
