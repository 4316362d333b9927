import { SECOND } from '../clock.ts';
import { type Range, rangeFor } from '../policy/load-table.ts';
import {
  bootTimeOf,
  certainLoad,
  keepTimeOf,
  keptRange,
  type LastWanted,
  MEAN_WINDOW,
  noteWanted,
  type ReleaseAfter,
  withBoot,
} from '../policy/release.ts';
import { type Need, type Polls, pollsOf, rememberedRanges } from './need.ts';
import { type Counting, countingOverload } from './queue.ts';
import type { Settings } from './settings.ts';
import { durationOf, requestsUntil, type Trace } from './trace.ts';

/** With `release_after` the counter is read so often (ms), or at each poll where those are more frequent. */
export const READING_INTERVAL = 10 * SECOND;

/** How many slaves each reading of the load calls for. */
type Ranges = {
  /** @param now when the reading was made, ms since the trace began */
  at(reading: number, now: number): Range;
  /** A slave became ready after so many ms. */
  booted(bootTime: number): void;
};

/** When the balancer reads the load: at each poll, or more often where it is certain loads that it looks for. */
export function readingsFor(trace: Trace, { master }: Settings, firstSpan: number): Polls {
  const { pollInterval, releaseAfter = 'never' } = master;
  return pollsOf(
    trace,
    releaseAfter === 'never' ? pollInterval : Math.min(pollInterval, READING_INTERVAL),
    firstSpan,
  );
}

/**
 * The balancer's own policy for `release_after`.
 *
 * @param saturated where Apache's workers are modelled: see `Queued`
 */
export function createRanges(
  trace: Trace,
  { loadTable, master }: Settings,
  polls: Polls,
  saturated?: Uint8Array,
): Ranges {
  const { releaseAfter = 'never', drainTime, pollInterval, overload = 'climb' } = master;
  const counting: Counting =
    saturated === undefined
      ? load => load
      : countingOverload(saturated, loadTable, { overload, pollInterval });
  if (releaseAfter === 'never') {
    const ranges = rememberedRanges(loadTable);
    return { at: (reading, now) => ranges(counting(polls.rate[reading] ?? 0, now)), booted() {} };
  }
  let boots: readonly number[] = [];
  let lastWanted: LastWanted = [];
  return {
    at(_, now) {
      const until = Math.floor(requestsUntil(trace, now));
      // Nothing is known of the time before the trace; a counter shows whole requests.
      const loadOver = (seconds: number) => {
        const from = Math.max(0, now - seconds * SECOND);
        return ((until - Math.floor(requestsUntil(trace, from))) * SECOND) / (now - from);
      };
      const certain = counting(certainLoad(loadOver), now);
      lastWanted = noteWanted(lastWanted, rangeFor(loadTable, certain).min, now);
      const keepTime = keepTimeFor(releaseAfter, boots, drainTime);
      return keptRange(loadTable, { certain, mean: loadOver(MEAN_WINDOW) }, lastWanted, keepTime, now);
    },
    booted(bootTime) {
      boots = withBoot(boots, bootTime);
    },
  };
}

/** How many slaves a balancer calls for at each time, by what its readings have told it until then. */
export function needAtReadings(trace: Trace, settings: Settings, polls: Polls): Need {
  const ranges = createRanges(trace, settings, polls);
  const wanted = [...polls.at].map((at, reading) => ({ at, ...ranges.at(reading, at) }));
  return {
    from: polls.at,
    slaves: Int32Array.from(wanted, it => it.min),
    atMost: Int32Array.from(wanted, it => it.max),
    until: durationOf(trace),
    most: wanted.reduce((most, { min }) => Math.max(most, min), 0),
  };
}

function keepTimeFor(releaseAfter: ReleaseAfter, boots: readonly number[], drain: number): number {
  return keepTimeOf(releaseAfter, bootTimeOf(boots), drain) ?? Number.POSITIVE_INFINITY;
}
