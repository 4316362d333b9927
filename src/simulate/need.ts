import type { LoadTable } from '../config/config.ts';
import { type Range, rangeFor } from '../policy/load-table.ts';
import { durationOf, requestsUntil, type Trace } from './trace.ts';

/** The load of a moment is taken over the minute around it, seconds to each side. */
const HALF_WINDOW = 30;

/** How served requests are judged, in words. */
export const NEED_IN_WORDS =
  "A request meets too few slaves when fewer slaves serve than the load table's min for the load at that moment (the requests/s of the minute around it). Half of that minute is still in the future; the second figure uses the load of the minute before instead.";

/** How many slaves were needed at each time: from `from[i]` (ms since the beginning) until the next, `slaves[i]`. */
export type Need = {
  readonly from: Float64Array;
  readonly slaves: Int32Array;
  /** The most that the load table would keep at that load. */
  readonly atMost: Int32Array;
  /** The end of the last. */
  readonly until: number;
  /** The most that were needed. */
  readonly most: number;
};

/** The load at the beginning of a second, requests/s. */
export function loadAt({ cumulative, seconds }: Trace, second: number): number {
  const from = Math.max(0, second - HALF_WINDOW);
  const until = Math.min(seconds, second + HALF_WINDOW);
  return ((cumulative[until] ?? 0) - (cumulative[from] ?? 0)) / (until - from);
}

/** The load of the minute before a second, requests/s: what is known then. */
function pastLoadAt({ cumulative, seconds }: Trace, second: number): number {
  const from = Math.max(0, second - 2 * HALF_WINDOW);
  const until = Math.min(seconds, Math.max(second, 1));
  return ((cumulative[until] ?? 0) - (cumulative[from] ?? 0)) / (until - from);
}

/** How many slaves a load calls for at least, over a trace. */
export function needOf(trace: Trace, table: LoadTable): Need {
  return needFrom(trace, table, loadAt);
}

/** The same by what is known at the time: by the minute before each moment. */
export function pastNeedOf(trace: Trace, table: LoadTable): Need {
  return needFrom(trace, table, pastLoadAt);
}

function needFrom(trace: Trace, table: LoadTable, load: (trace: Trace, second: number) => number): Need {
  const ranges = rememberedRanges(table);
  const from: number[] = [];
  const slaves: number[] = [];
  const atMost: number[] = [];
  let range: Range = { min: -1, max: -1 };
  for (let second = 0; second < trace.seconds; second++) {
    const now = ranges(load(trace, second));
    if (now.min === range.min && now.max === range.max) continue;
    range = now;
    from.push(second * 1000);
    slaves.push(now.min);
    atMost.push(now.max);
  }
  return {
    from: Float64Array.from(from),
    slaves: Int32Array.from(slaves),
    atMost: Int32Array.from(atMost),
    until: durationOf(trace),
    most: slaves.reduce((most, count) => Math.max(most, count), 0),
  };
}

/** `rangeFor`, which remembers its answers: over a month few different loads come again and again. */
export function rememberedRanges(table: LoadTable): (requestsPerSecond: number) => Range {
  const known = new Map<number, Range>();
  return rate => {
    const range = known.get(rate);
    if (range !== undefined) return range;
    if (known.size > 100_000) known.clear();
    const found = rangeFor(table, rate);
    known.set(rate, found);
    return found;
  };
}

/** When the balancer reads the load, and what it sees: the requests/s since the reading before. */
export type Polls = { readonly at: Float64Array; readonly rate: Float64Array };

/**
 * The readings of a balancer that starts with the trace: the first three 5 s apart, then on the beat.
 *
 * @param firstSpan between the first readings, ms
 */
export function pollsOf(trace: Trace, pollInterval: number, firstSpan: number): Polls {
  const end = durationOf(trace);
  const first = Math.min(firstSpan, pollInterval);
  const count = Math.max(0, Math.ceil((end - 2 * first) / pollInterval));
  const [at, rate] = [new Float64Array(count + 1), new Float64Array(count + 1)];
  let [before, counted] = [0, 0];
  for (let poll = 0; poll <= count; poll++) {
    // The first reading that gives a load is the second one; the interval is the long one once there is a load.
    const moment = poll === 0 ? first : 2 * first + (poll - 1) * pollInterval;
    // A counter shows whole requests.
    const requests = Math.floor(requestsUntil(trace, moment));
    at[poll] = moment;
    rate[poll] = ((requests - counted) * 1000) / (moment - before);
    [before, counted] = [moment, requests];
  }
  return { at, rate };
}
