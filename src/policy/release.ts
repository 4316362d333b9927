import { MINUTE, SECOND } from '../clock.ts';
import type { LoadTable } from '../config/config.ts';
import { type Range, rangeFor } from './load-table.ts';

/** `[MASTER] release_after`: ms, or what it says. */
export type ReleaseAfter = 'never' | 'auto' | number;

/** The load in requests/s as the release policy reads it. */
export type Loads = {
  /** What is statistically certain now: see `certainLoad`. */
  readonly certain: number;
  /** The mean of the last five minutes. */
  readonly mean: number;
};

/** When (monotonic ms) the load table's `min` last asked for so many slaves: index 0 for one slave, 1 for two … */
export type LastWanted = readonly number[];

/** How long a boot is taken to last until a slave of this site has booted (ms). */
export const ASSUMED_BOOT = 90 * SECOND;

/** Number of this site's latest boots that are remembered. */
const BOOTS_KEPT = 15;

/** A keep time of this many boots and drains: a shorter one costs service, a longer one costs money. */
const KEPT_FOR = 4;

/** The window (s) of the load's mean from which the most slaves that may stay is read. */
export const MEAN_WINDOW = (5 * MINUTE) / SECOND;

/** The load over this window (s) counts in full; over shorter ones, less twice the standard deviation. */
const SURE_WINDOW = 40;
const SHORT_WINDOWS = [10, 20, 30];

/** The boot times (ms) with another one. */
export function withBoot(boots: readonly number[], boot: number): readonly number[] {
  return [...boots, boot].slice(-BOOTS_KEPT);
}

/** The median of this site's own boots (ms). */
export function bootTimeOf(boots: readonly number[]): number {
  const sorted = boots.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? ASSUMED_BOOT;
}

/**
 * How long (ms) a slave that `min` no longer asks for is kept; undefined: as long as `max` allows.
 *
 * @param boot how long a boot takes, ms
 * @param drain `drain_time`, ms
 */
export function keepTimeOf(releaseAfter: ReleaseAfter, boot: number, drain: number): number | undefined {
  if (releaseAfter === 'never') return undefined;
  return releaseAfter === 'auto' ? KEPT_FOR * (boot + drain) : releaseAfter;
}

/**
 * The load that is certain: requests come at random, so that n requests in s seconds may as well have been n ± 2√n. A burst
 * that is larger than chance shows within ten seconds; a small one after forty.
 *
 * @param loadOver the load of the last so many seconds, requests/s
 */
export function certainLoad(loadOver: (seconds: number) => number): number {
  const atLeast = (seconds: number) => {
    const load = loadOver(seconds);
    return load - 2 * Math.sqrt(load / seconds);
  };
  return Math.max(loadOver(SURE_WINDOW), ...SHORT_WINDOWS.map(atLeast));
}

/** To be called at each reading that gave a load: up to `min` slaves are wanted now. */
export function noteWanted(lastWanted: LastWanted, min: number, now: number): LastWanted {
  return [...Array<number>(min).fill(now), ...lastWanted.slice(min)];
}

/**
 * How many slaves are to be there: at least the row's `min`, and at most as many as `min` asked for within the keep
 * time, as long as `max` allows them: the row of the current load, or that of the five minutes' mean.
 *
 * @param lastWanted with the `min` of now noted
 * @param keepTime ms
 */
export function keptRange(
  table: LoadTable,
  { certain, mean }: Loads,
  lastWanted: LastWanted,
  keepTime: number,
  now: number,
): Range {
  const { min, max } = rangeFor(table, certain);
  const most = Math.max(max, rangeFor(table, mean).max);
  return { min, max: Math.max(min, Math.min(keptAt(lastWanted, keepTime, now), most)) };
}

/** How many slaves are within their keep time. */
function keptAt(lastWanted: LastWanted, keepTime: number, now: number): number {
  return lastWanted.findLastIndex(at => now - at <= keepTime) + 1;
}

/** Until when (monotonic ms) this many slaves are kept in case the load comes back; undefined: they are not. */
export function keptUntil(lastWanted: LastWanted, slaves: number, keepTime: number): number | undefined {
  const latest = Math.max(...lastWanted.slice(Math.max(0, slaves - 1)));
  return Number.isFinite(latest) ? latest + keepTime : undefined;
}
