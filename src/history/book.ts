import { DAY, HOUR, MINUTE } from '../clock.ts';
import type { Level as LogLevel } from '../log/log.ts';
import type { Level } from '../status/history.ts';
import type { Rate } from '../status/money.ts';
import { added, noTally, sumOf, type Tally } from './tally.ts';

/** An hour, with the load of each of its minutes (requests/s; null: not known), which a simulation replays. */
export type Hour = { readonly tally: Tally; readonly loads: readonly (number | null)[] };

/** Something that the balancer said. */
export type Said = { readonly at: number; readonly level: LogLevel; readonly message: string };

/** What the balancer remembers about the last 60 days, the oldest first. Moments are wall clock ms. */
export type Book = {
  readonly minutes: readonly Tally[];
  readonly hours: readonly Hour[];
  readonly said: readonly Said[];
  /** Instances that are counted already: launches, and those that EC2 took back. */
  readonly launched: readonly string[];
  readonly reclaimed: readonly string[];
  /** How long the latest slaves took to boot, ms. */
  readonly bootTime?: number;
};

export const NO_BOOK: Book = { minutes: [], hours: [], said: [], launched: [], reclaimed: [] };

export const HISTORY_KEPT = 60 * DAY;
const MINUTES_KEPT = 6 * HOUR;
const MOST_SAID = 800;
const LONGEST_SAID = 240;
/** Most instances that are remembered: more than a farm has. */
const MOST_IDS = 1000;

/** Load and farm over a span of time. */
export type Held = { readonly level: Level; readonly rate: Rate; readonly paused: boolean };

/**
 * Adds a span with this load and farm.
 *
 * @param until wall clock ms; after a clock that was set back it all counts into the last minute
 */
export function held(book: Book, until: number, ms: number, what: Held): Book {
  const latest = book.minutes.at(-1)?.start ?? Number.NEGATIVE_INFINITY;
  const minutes = [...book.minutes];
  for (let from = until - ms; from < until; ) {
    const start = Math.max(startOf(from, MINUTE), latest);
    const to = Math.min(until, Math.max(start + MINUTE, from + 1));
    const last = minutes.at(-1);
    const isLast = last !== undefined && last.start >= start;
    const into = isLast ? last : noTally(start);
    const next = added(into, spanOf(into.start, to - from, what));
    if (isLast) minutes[minutes.length - 1] = next;
    else minutes.push(next);
    from = to;
  }
  return trimmed({ ...book, minutes }, until);
}

/** How long (ms) the load of a minute may be added after it: then its hour is closed. */
export const LATE = 15 * MINUTE;

/**
 * Adds the load of a span that is there already, held without a load.
 *
 * @param until wall clock ms, at most `LATE` ago
 * @param what with the load that a reading has found since
 */
export function withLoad(book: Book, until: number, ms: number, what: Held): Book {
  const minutes = [...book.minutes];
  for (let from = until - ms; from < until; ) {
    const to = Math.min(until, startOf(from, MINUTE) + MINUTE);
    const at = minutes.findLastIndex(({ start }) => start <= from);
    const minute = minutes[at];
    if (minute !== undefined) {
      const { known, requests, peak, tooFew } = spanOf(minute.start, to - from, what);
      minutes[at] = added(minute, { ...noTally(minute.start), known, requests, peak, tooFew });
    }
    from = to;
  }
  return { ...book, minutes };
}

function spanOf(start: number, ms: number, { level, rate, paused }: Held): Tally {
  const { requestsPerSecond, serving, slaves, onDemand, min = 0 } = level;
  const isKnown = requestsPerSecond !== undefined;
  const requests = ((requestsPerSecond ?? 0) * ms) / 1000;
  const dollars = (rate.perHour * ms) / HOUR;
  return {
    start,
    watched: ms,
    known: isKnown ? ms : 0,
    requests,
    peak: requestsPerSecond ?? 0,
    tooFew: isKnown && !paused && serving < min ? requests : 0,
    served: serving * ms,
    existed: slaves * ms,
    dollars,
    atMost: rate.atMost ? dollars : 0,
    launches: 0,
    interruptions: 0,
    bought: onDemand * ms,
  };
}

/** Counts launches and interruptions; each instance once, across restarts, too. */
export function counted(
  book: Book,
  now: number,
  seen: { readonly launched: readonly string[]; readonly reclaimed: readonly string[] },
): Book {
  const launched = seen.launched.filter(id => !book.launched.includes(id));
  const reclaimed = seen.reclaimed.filter(id => !book.reclaimed.includes(id));
  if (launched.length + reclaimed.length === 0) return book;
  const last = book.minutes.at(-1);
  const into = last ?? noTally(startOf(now, MINUTE));
  const more = { ...noTally(into.start), launches: launched.length, interruptions: reclaimed.length };
  return {
    ...book,
    minutes: [...book.minutes.slice(0, -1), added(into, more)],
    launched: [...book.launched, ...launched].slice(-MOST_IDS),
    reclaimed: [...book.reclaimed, ...reclaimed].slice(-MOST_IDS),
  };
}

/** The balancer said something. What only `--verbosity 3` shows is no decision. */
export function noted(book: Book, { at, level, message }: Said): Book {
  if (level === 'debug') return book;
  const short = message.length <= LONGEST_SAID ? message : `${message.slice(0, LONGEST_SAID - 1)}…`;
  return { ...book, said: [...book.said, { at, level, message: short }].slice(-MOST_SAID) };
}

/** All hours, the present one too, the oldest first. */
export function hoursOf(book: Book): readonly Hour[] {
  const latest = book.hours.at(-1)?.tally.start ?? Number.NEGATIVE_INFINITY;
  const fresh = Map.groupBy(book.minutes, ({ start }) => startOf(start, HOUR));
  return [
    ...book.hours,
    ...[...fresh].flatMap(([start, them]) => (start > latest ? [hourOf(start, them)] : [])),
  ];
}

function hourOf(start: number, minutes: readonly Tally[]): Hour {
  const loads: (number | null)[] = Array.from({ length: 60 }, () => null);
  for (const { start: at, known: ms, requests } of minutes)
    if (ms > 0) loads[Math.round((at - start) / MINUTE)] = Number(((requests / ms) * 1000).toFixed(3));
  return { tally: sumOf(minutes, start), loads };
}

/** Closes whole hours, and removes what is too old, or dated in the future by a wrong clock. */
export function trimmed(book: Book, now: number): Book {
  const thisHour = startOf(now - LATE, HOUR);
  const isDue = book.minutes.some(
    ({ start }) => start < thisHour && startOf(start, HOUR) > (book.hours.at(-1)?.tally.start ?? -1),
  );
  const isOld = (book.minutes[0]?.start ?? now) < now - MINUTES_KEPT - HOUR;
  if (!isDue && !isOld) return book;
  return {
    ...book,
    hours: hoursOf(book).filter(({ tally }) => tally.start < thisHour && tally.start > now - HISTORY_KEPT),
    minutes: book.minutes.filter(({ start }) => start >= now - MINUTES_KEPT),
    said: book.said.filter(({ at }) => at > now - HISTORY_KEPT),
  };
}

/** Whether a book is plausible at a moment: it must not be further in the future than a clock may be wrong. */
export function believable(book: Book, now: number): Book {
  return {
    ...book,
    minutes: book.minutes.filter(({ start }) => start <= now),
    hours: book.hours.filter(({ tally }) => tally.start <= now),
    said: book.said.filter(({ at }) => at <= now),
  };
}

function startOf(moment: number, span: number): number {
  return Math.floor(moment / span) * span;
}
