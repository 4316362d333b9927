import type { Reading } from './reading.ts';

/** What the readings of mod_status so far say about the load. */
export type Load = {
  /** The reading that the next one is measured against, and when it was taken (monotonic, ms). */
  readonly baseline?: { readonly reading: Reading; readonly at: number };
  /** Status requests of our own since then, the baseline's own among them. */
  readonly ownRequests: number;
  /** Requests per second, never negative; undefined while it is not known. */
  readonly rate?: number;
  /** When `rate` was measured (monotonic, ms): it is new when this is the time of the latest reading. */
  readonly measuredAt?: number;
};

/** Before the first reading. */
export const NO_LOAD: Load = { ownRequests: 0 };

/** Uptime is in whole seconds: over less than this a rate would be mostly rounding. */
const SHORTEST_SECONDS = 1;
/** So long must Apache be up after a restart for its counters alone to be a load (rounding is then 20 %). */
const SETTLED_SECONDS = 5;

/** Whether two spans (s), by Apache's clock and by ours, are the same but for rounding and a slow answer. */
function agree(uptime: number, elapsed: number): boolean {
  return Math.abs(uptime - elapsed) <= Math.max(2, 0.2 * elapsed);
}

/**
 * To be called before each status request is sent, whatever becomes of it. A request that failed may or may not have
 * been counted by Apache; it is taken as counted. So an idle server never shows a load that is the balancer's own, and
 * the error is at most one request per poll.
 */
export function noteRequest(load: Load): Load {
  return { ...load, ownRequests: load.ownRequests + 1 };
}

function restartTimesKnown(before: Reading, now: Reading): boolean {
  return before.restartTime !== undefined && now.restartTime !== undefined;
}

/** The load since Apache's restart, which lies between two readings; undefined when that cannot be told. */
function rateSinceRestart(before: Reading, now: Reading, elapsed: number): number | undefined {
  const uptime = now.serverUptimeSeconds;
  // A counter that went back alone, or an uptime longer than the time since the last reading (a clock that was set):
  // then nobody knows since when the requests were counted.
  const known = restartTimesKnown(before, now)
    ? now.restartTime !== before.restartTime
    : uptime < before.serverUptimeSeconds;
  const plausible = uptime >= SETTLED_SECONDS && uptime <= elapsed + Math.max(2, 0.2 * elapsed);
  // Nothing of our own to subtract: the request of this very reading is not in its counters yet.
  return known && plausible ? now.totalAccesses / uptime : undefined;
}

/**
 * Takes up a reading. The load is the change of Total Accesses, without our own requests, over the change of the
 * server's uptime since the last reading.
 *
 * - Apache computes its uptime from the wall clock. Where it does not agree with our own clock, the wall clock was set,
 *   and ours counts.
 * - After a restart the counters begin at 0: they are the load themselves, once Apache is up for 5 s. Until then the
 *   load is unknown rather than the one from before, which is stale by the length of an outage.
 * - Two readings within a second give nothing new: baseline and load stay.
 *
 * @param at when the reading was taken (monotonic, ms)
 */
export function noteReading(load: Load, reading: Reading, at: number): Load {
  // Apache counts a request when it is done: the one of this reading shows up in the next.
  const fresh = { baseline: { reading, at }, ownRequests: Math.min(load.ownRequests, 1) };
  const { baseline } = load;
  if (baseline === undefined) return fresh;

  const before = baseline.reading;
  const elapsed = (at - baseline.at) / 1000;
  const accesses = reading.totalAccesses - before.totalAccesses;
  const uptime = reading.serverUptimeSeconds - before.serverUptimeSeconds;
  const known = restartTimesKnown(before, reading);

  if (accesses < 0 || (known && before.restartTime !== reading.restartTime)) {
    const rate = rateSinceRestart(before, reading, elapsed);
    return rate === undefined ? fresh : { ...fresh, rate, measuredAt: at };
  }
  const steady = agree(uptime, elapsed);
  // A restart or a clock that was set back: without RestartTime nobody can tell.
  if (!known && uptime < 0 && !steady) return fresh;

  // Uptime is in whole seconds, so the true change lies within one of it; where in there, our own clock knows.
  const seconds = steady ? Math.min(Math.max(elapsed, uptime - 1), uptime + 1) : elapsed;
  if (seconds < SHORTEST_SECONDS) return load;
  const own = Math.max(0, load.ownRequests - 1);
  return { ...fresh, rate: Math.max(0, accesses - own) / seconds, measuredAt: at };
}
