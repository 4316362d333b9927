import { rateOver } from '../load/window.ts';
import { type Range, rangeFor } from '../policy/load-table.ts';
import { climb } from '../policy/overload.ts';
import {
  bootTimeOf,
  certainLoad,
  keepTimeOf,
  keptRange,
  keptUntil,
  MEAN_WINDOW,
  noteWanted,
} from '../policy/release.ts';
import type { State, StateView } from './state.ts';

/** Whether the latest reading gave a load: nothing is released because of an older one. */
export function isLoadKnown({ loadError, load, readAt }: StateView): boolean {
  return loadError === undefined && load.rate !== undefined && load.measuredAt === readAt;
}

/** Uses the last reading as the load that decides the size of the farm. */
export function recordWanted(state: State, now: number): void {
  state.readAt = now;
  const { pollInterval, overload, releaseAfter } = state.config.master;
  const rateIn = (seconds: number) => rateOver(state.load.recent, seconds) ?? 0;
  const isPoll = state.pollIsDue || state.lastRate === undefined;
  if (isLoadKnown(state)) {
    // Only what is certain moves a row at each reading; without that, whole polls are compared.
    if (releaseAfter !== 'never') state.lastRate = certainLoad(rateIn);
    else if (isPoll) state.lastRate = rateIn(pollInterval / 1000);
  }
  if (state.load.overload === undefined || overload === 'ignore') {
    // A reading that failed says nothing.
    if (isLoadKnown(state) || overload === 'ignore') delete state.overloadCounts;
  } else if (isPoll) {
    state.overloadCounts = climb(state.config.loadTable, state.lastRate ?? 0, state.overloadCounts);
  }
  state.pollIsDue = false;
  const counts = loadThatCounts(state);
  if (
    counts !== undefined &&
    releaseAfter !== 'never' &&
    (isLoadKnown(state) || state.overloadCounts !== undefined)
  )
    state.lastWanted = noteWanted(state.lastWanted, rangeFor(state.config.loadTable, counts).min, now);
}

/**
 * The load (requests/s) that decides the size of the farm: the last known one, or what an overloaded Apache counts as.
 */
export function loadThatCounts({ lastRate, overloadCounts }: StateView): number | undefined {
  return lastRate === undefined ? overloadCounts : Math.max(lastRate, overloadCounts ?? 0);
}

/** How long (ms) a slave that `min` no longer asks for is kept; undefined: as long as `max` allows. */
export function keepTimeIn({ config, boots }: StateView): number | undefined {
  return keepTimeOf(config.master.releaseAfter, bootTimeOf(boots), config.master.drainTime);
}

/** How many slaves the load calls for; undefined while it is not known. */
export function wantedRange(state: StateView): Range | undefined {
  const { config, load, lastWanted, readAt } = state;
  const certain = loadThatCounts(state);
  if (certain === undefined) return undefined;
  const keepTime = keepTimeIn(state);
  if (keepTime === undefined || readAt === undefined) return rangeFor(config.loadTable, certain);
  const mean = rateOver(load.recent, MEAN_WINDOW) ?? certain;
  return keptRange(config.loadTable, { certain, mean }, lastWanted, keepTime, readAt);
}

/**
 * Until when (monotonic ms) each slave beyond `min` is kept in case the load comes back, by instance id: the oldest the
 * longest. Empty with `release_after = never`.
 */
export function keptSlaves(state: StateView): ReadonlyMap<string, number> {
  const keepTime = keepTimeIn(state);
  const range = wantedRange(state);
  if (keepTime === undefined || range === undefined) return new Map();
  const serving = [...state.members.values()]
    .filter(it => it.leaving === undefined)
    .toSorted((a, b) => a.slave.launchedAt - b.slave.launchedAt);
  return new Map(
    serving.flatMap(({ slave }, index) => {
      const until = index < range.min ? undefined : keptUntil(state.lastWanted, index + 1, keepTime);
      return until === undefined ? [] : [[slave.instanceId, until] as const];
    }),
  );
}
