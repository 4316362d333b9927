import { HOUR } from '../clock.ts';
import { startOfDay } from './day.ts';

/** What all slaves together cost, dollars an hour; `atMost`: some of it is a bid, because the price is not known. */
export type Rate = { readonly perHour: number; readonly atMost: boolean };

/** What was spent since a moment (wall clock ms). */
export type Spent = { readonly since: number; readonly dollars: number; readonly atMost: boolean };

/** What the slaves have cost. A rate holds until the next one. */
export type Money = {
  /** Monotonic ms: up to then everything is counted. */
  readonly at: number;
  readonly rate: Rate;
  readonly sinceStart: Spent;
  /** Since midnight, or since the start where that was later. */
  readonly today: Spent;
};

export type Moment = { readonly monotonic: number; readonly wall: number };

export function noMoney({ monotonic, wall }: Moment): Money {
  const nothing = { since: wall, dollars: 0, atMost: false };
  return { at: monotonic, rate: { perHour: 0, atMost: false }, sinceStart: nothing, today: nothing };
}

/** Records a new rate: the one before held up to now. */
export function spend(money: Money, now: Moment, rate: Rate): Money {
  const elapsed = Math.max(0, now.monotonic - money.at);
  const midnight = startOfDay(now.wall);
  // A clock that was set back begins no new day.
  const isNewDay = midnight > money.today.since;
  const sinceMidnight = isNewDay ? Math.min(elapsed, now.wall - midnight) : elapsed;
  const today = isNewDay ? { since: midnight, dollars: 0, atMost: false } : money.today;
  return {
    at: now.monotonic,
    rate,
    sinceStart: add(money.sinceStart, money.rate, elapsed),
    today: add(today, money.rate, sinceMidnight),
  };
}

function add(spent: Spent, { perHour, atMost }: Rate, ms: number): Spent {
  const dollars = (perHour * ms) / HOUR;
  return { ...spent, dollars: spent.dollars + dollars, atMost: spent.atMost || (atMost && dollars > 0) };
}
