import { DAY, HOUR } from '../clock.ts';

/**
 * What was spent, US dollars by calendar month (UTC, such as `2026-11`). The months are those of the machine's clock, so that
 * a clock that is set forward and back finds what it has spent before.
 */
export type Ledger = {
  readonly months: Readonly<Record<string, number>>;
  /** By how much it may be more, because EC2 has not reported the prices yet. */
  readonly doubt: { readonly month: string; readonly dollars: number };
  /** The month and the budget that were used up: they stay so, whatever the prices turn out to be. */
  readonly usedUp?: { readonly month: string; readonly budget: number };
  /** What the volumes of a slave cost, US dollars an hour, by its image and data. */
  readonly volumes?: Readonly<Record<string, number>>;
  /** What the slaves cost that ran when it was last counted, by instance id: US dollars an hour at most. */
  readonly running?: Readonly<Record<string, number>>;
};

/** The cost, US dollars an hour: at known prices, and at most. */
export type Rate = { readonly perHour: number; readonly atMost: number };

/** A budget at a moment, US dollars. */
export type Account = {
  readonly month: string;
  readonly spent: number;
  /** What it may be at most. */
  readonly spentAtMost: number;
  readonly budget?: number;
  readonly isUsedUp: boolean;
};

export const NOTHING_SPENT: Ledger = { months: {}, doubt: { month: '', dollars: 0 } };

/** The part of a budget whose spending is worth a warning. */
export const NEARLY = 0.8;

const MONTHS_KEPT = 24;

/** The calendar month of a moment (wall clock ms), UTC. */
export function monthOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 7);
}

/** The start (wall clock ms) of the month of a moment, or of a month that many later. */
export function startOfMonth(wall: number, after = 0): number {
  const date = new Date(wall);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + after);
}

/** The longest time that the monotonic clock may have missed, because the machine slept. */
const LONGEST_SLEEP = DAY;
/** Two clocks never agree exactly. */
const CLOCKS_DIFFER = 10_000;

/**
 * How long (ms) something went on, by two clocks: the monotonic one stands still while the machine sleeps, and the wall
 * clock may be set. A lead of the wall clock counts, up to a day: rather too much than too little.
 */
export function elapsedBy(monotonic: number, wall: number): number {
  const more = wall - monotonic;
  return monotonic + (more > CLOCKS_DIFFER ? Math.min(more, LONGEST_SLEEP) : 0);
}

/**
 * The ledger with `ms` more at a rate, up to the moment `wall`; time before the start of the month belongs to the
 * previous one.
 */
export function charge(ledger: Ledger, wall: number, ms: number, rate: Rate): Ledger {
  if (ms <= 0 || rate.atMost <= 0) return ledger;
  const begin = startOfMonth(wall);
  const before = Math.max(0, ms - Math.max(0, wall - begin));
  const earlier = before === 0 ? ledger : add(ledger, monthOf(begin - 1), before, rate);
  return add(earlier, monthOf(wall), ms - before, rate);
}

function add(ledger: Ledger, month: string, ms: number, { perHour, atMost }: Rate): Ledger {
  const hours = ms / HOUR;
  const settled = ledger.doubt.month === month ? ledger : settle(ledger, 'at most');
  const months = { ...settled.months, [month]: (settled.months[month] ?? 0) + perHour * hours };
  const doubt = settled.doubt.dollars + Math.max(0, atMost - perHour) * hours;
  return { ...settled, months: kept(months), doubt: { month, dollars: doubt } };
}

function kept(months: Ledger['months']): Ledger['months'] {
  const names = Object.keys(months);
  if (names.length <= MONTHS_KEPT) return months;
  return Object.fromEntries(
    names
      .toSorted()
      .slice(-MONTHS_KEPT)
      .map(name => [name, months[name] ?? 0]),
  );
}

/** Settles uncertain costs: at the counted prices or, if one was higher, at the highest possible. */
export function settle(ledger: Ledger, prices: 'as counted' | 'at most'): Ledger {
  const { month, dollars } = ledger.doubt;
  if (dollars === 0) return ledger;
  const more = prices === 'as counted' ? 0 : dollars;
  const months = { ...ledger.months, [month]: (ledger.months[month] ?? 0) + more };
  return { ...ledger, months, doubt: { month, dollars: 0 } };
}

/**
 * The state of a budget at a moment (wall clock ms). A budget that was used up stays so until the month ends or it is
 * raised.
 */
export function accountOf(ledger: Ledger, wall: number, budget: number | undefined): Account {
  const month = monthOf(wall);
  const spent = ledger.months[month] ?? 0;
  const spentAtMost = spent + (ledger.doubt.month === month ? ledger.doubt.dollars : 0);
  if (budget === undefined) return { month, spent, spentAtMost, isUsedUp: false };
  const { usedUp } = ledger;
  const before = usedUp?.month === month && budget <= usedUp.budget;
  return { month, spent, spentAtMost, budget, isUsedUp: before || spentAtMost >= budget };
}
