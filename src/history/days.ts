import { DAY, HOUR } from '../clock.ts';
import type { Hour } from './book.ts';
import { sumOf, type Tally } from './tally.ts';

/** A span of wall clock time, ms. */
export type Span = { readonly from: number; readonly until: number };

/** The hours that begin in a span. */
export function hoursIn(hours: readonly Hour[], { from, until }: Span): readonly Hour[] {
  return hours.filter(({ tally }) => tally.start >= from && tally.start < until);
}

/** Each day (UTC) about which something is known, the oldest first. */
export function daysOf(hours: readonly Hour[]): readonly Tally[] {
  const days = Map.groupBy(hours, ({ tally }) => Math.floor(tally.start / DAY) * DAY);
  return [...days].map(([start, them]) =>
    sumOf(
      them.map(it => it.tally),
      start,
    ),
  );
}

/** A month (UTC) such as `2026-11`. */
export function monthSpan(month: string): Span {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return { from: Date.UTC(year, number - 1), until: Date.UTC(year, number) };
}

/** The month (UTC) that a moment is in. */
export function monthOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 7);
}

/** A tally in the units of reports. */
export function figuresOf(tally: Tally) {
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    watchedHours: round(tally.watched / HOUR, 2),
    dollars: round(tally.dollars, 6),
    isUpperBound: tally.atMost > 0,
    slaveHours: round(tally.existed / HOUR, 2),
    slaveHoursServing: round(tally.served / HOUR, 2),
    slaveHoursOnDemand: round(tally.bought / HOUR, 2),
    launches: tally.launches,
    interruptions: tally.interruptions,
    requests: Math.round(tally.requests),
    requestsPerSecond: tally.known === 0 ? null : round((tally.requests / tally.known) * 1000, 3),
    peakRequestsPerSecond: tally.known === 0 ? null : round(tally.peak, 3),
    requestsWithTooFewSlaves: Math.round(tally.tooFew),
    shareWithTooFewSlaves: tally.requests === 0 ? 0 : round(tally.tooFew / tally.requests, 5),
  };
}

export type Figures = ReturnType<typeof figuresOf>;
