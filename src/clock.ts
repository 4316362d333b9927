import { performance } from 'node:perf_hooks';
import { setTimeout as timer } from 'node:timers/promises';

/** Time, as an edge: the simulated world has one of its own. Everything in the program is in milliseconds. */
export type Clock = {
  /** Wall-clock time, ms since 1970: for tags and for people. It may step. */
  wall(): number;
  /** Time that only ever goes forward, ms since some moment: for every interval that is measured. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

/** The machine's own clock. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => timer(ms, undefined, signal === undefined ? {} : { signal }),
};

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
