import type { LoadTable } from '../config/config.ts';
import { climb, type OnOverload } from '../policy/overload.ts';
import type { Trace } from './trace.ts';

/** An Apache: its workers, and how long (s) a request holds one. */
export type Server = { readonly workers: number; readonly serviceTime: number };

/** How Apache shows the load that people want, second by second. */
export type Queued = {
  /** The requests that it completes, which is what its counter counts. */
  readonly completed: Trace;
  /** 1: at the end of that second no worker is idle. */
  readonly saturated: Uint8Array;
};

/**
 * People's requests at an Apache that has so many workers: each waits for a worker, first come, first served. Slaves
 * make no request shorter here, and nobody gives up.
 */
export function queued(trace: Trace, { workers, serviceTime }: Server): Queued {
  const { cumulative, seconds } = trace;
  const done = new Float64Array(seconds + 1);
  const saturated = new Uint8Array(seconds);
  // All take equally long, so workers become free in the order in which they were taken.
  const freeAt = new Float64Array(workers);
  const endings = new Float64Array(Math.ceil(cumulative[seconds] ?? 0));
  let [begun, ended] = [0, 0];
  for (let second = 0; second < seconds; second++) {
    const before = Math.floor(cumulative[second] ?? 0);
    const until = Math.floor(cumulative[second + 1] ?? 0);
    for (; begun < until; begun++) {
      const cameAt = second + (begun - before) / (until - before);
      const worker = begun % workers;
      const endsAt = Math.max(cameAt, freeAt[worker] ?? 0) + serviceTime;
      freeAt[worker] = endsAt;
      endings[begun] = endsAt;
    }
    while (ended < begun && (endings[ended] ?? 0) <= second + 1) ended++;
    done[second + 1] = ended;
    saturated[second] = begun - ended >= workers ? 1 : 0;
  }
  return { completed: { ...trace, cumulative: done }, saturated };
}

/** The load that counts, when `load` is measured at a moment (ms since the trace began). */
export type Counting = (load: number, now: number) => number;

/**
 * How the balancer treats overload: a saturated Apache does not answer in time, so the load is the last that was known,
 * and climbs the load table by a row a poll where `[MASTER] overload` says so.
 *
 * @param pollInterval ms
 */
export function countingOverload(
  saturated: Uint8Array,
  table: LoadTable,
  { overload, pollInterval }: { readonly overload: OnOverload; readonly pollInterval: number },
): Counting {
  let last = 0;
  let counted: number | undefined;
  let climbedIn = -1;
  return (load, now) => {
    if (saturated[Math.max(0, Math.ceil(now / 1000) - 1)] !== 1) {
      last = load;
      counted = undefined;
      return load;
    }
    if (overload === 'ignore') return last;
    const poll = Math.floor(now / pollInterval);
    if (poll !== climbedIn) counted = climb(table, last, counted);
    climbedIn = poll;
    return Math.max(last, counted ?? 0);
  };
}
