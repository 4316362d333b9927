import { HOUR } from '../clock.ts';
import type { LoadTable } from '../config/config.ts';
import type { World } from './chance.ts';
import { measure, type Results } from './measure.ts';
import type { Need } from './need.ts';
import { readingsOf, runBalancer } from './run-balancer.ts';
import type { Settings } from './settings.ts';
import { COARSE, levelsOf, type Shape, shaped, variantsOf } from './table-shapes.ts';
import { durationOf, type Trace } from './trace.ts';

const DAY = 24 * HOUR;

/** What a table cost, and how many requests met too few slaves; each a day. */
export type Daily = { readonly cost: number; readonly tooFew: number };

/** A table with its result on the whole trace. */
export type Candidate = { readonly table: LoadTable; readonly whole: Daily };

export type Suggestion = {
  readonly table: LoadTable;
  /** Results on the trace that it was chosen by: of the configuration's table and of the suggested one. */
  readonly present: Daily;
  readonly fitted: Daily;
  /** On days that the choice did not know; unset when the trace has a day or less. */
  readonly unseen?: {
    /** What the tables that were chosen without these days did on them, and the table of the configuration. */
    readonly suggested: Daily;
    readonly present: Daily;
    readonly days: number;
    /** On how many of them it cost less. */
    readonly cheaperDays: number;
    /** Dollars a day, twice the standard error of what is saved. */
    readonly uncertainty: number;
  };
  /** Whether it is the table of the configuration itself: none that was tried serves as well for less. */
  readonly kept: boolean;
  readonly sureness: Sureness;
  /** The cheapest table for each quality of service, the cheapest first. */
  readonly choices: readonly Candidate[];
};

type Sureness = 'sure' | 'fairly sure' | 'not sure';

/** Launches a day that any table may cause, else half as many again as now: each change of the farm disturbs Apache. */
const CALM_LAUNCHES = 24;

/**
 * Tries load tables: launching earlier than the table of the configuration does (a boot takes time) and releasing
 * earlier or later, without many more launches. What is needed, the min of that table goes on saying. The cheapest table
 * that serves at least as well as it is suggested.
 *
 * How sure that is, is found on days that the choice did not know: the days are dealt into five folds, and for each fold
 * a table is chosen by the other four.
 */
export function suggest(trace: Trace, need: Need, settings: Settings, world: World): Suggestion | undefined {
  if (need.most === 0) return undefined;
  const polls = readingsOf(trace, settings);
  const known = new Map<string, Tried>();
  function tried(table: LoadTable): Tried {
    const key = JSON.stringify(table);
    let it = known.get(key);
    if (it === undefined) {
      const run = runBalancer(trace, { ...settings, loadTable: table }, world, polls);
      const { days, launches } = measure(trace, need, run, world.market);
      it = { table, days, launches };
      known.set(key, it);
    }
    return it;
  }

  const present = tried(settings.loadTable);
  const length = durationOf(trace) / DAY;
  const calm = Math.max(1.5 * present.launches, CALM_LAUNCHES * length);
  const levels = levelsOf(settings.loadTable);
  /** Calm tables of these shapes. */
  const shapes = (all: readonly Shape[]) =>
    all.map(shape => ({ shape, ...tried(shaped(levels, shape)) })).filter(({ launches }) => launches <= calm);
  const coarse = shapes(COARSE);
  const isShort = polls.at.length <= SHORT;

  /** The table that would be chosen with knowledge of these days, out of all that were tried. */
  function chosenBy(days: readonly number[]) {
    const promising = isShort ? coarse : spread(frontOf(coarse, days), MOST_PROMISING);
    const all = [...coarse, ...shapes(promising.flatMap(({ shape }) => variantsOf(shape)))];
    return { chosen: choose(present, all, days), all };
  }

  const every = present.days.map((_, day) => day);
  const { chosen, all } = chosenBy(every);
  const unseen = every.length < 2 ? undefined : crossValidated(present, every, it => chosenBy(it).chosen);
  return {
    table: chosen.table,
    present: daily(present.days, every, length),
    fitted: daily(chosen.days, every, length),
    ...(unseen !== undefined && { unseen }),
    kept: chosen === present,
    sureness: surenessOf(unseen),
    choices: spread(frontOf([present, ...all], every), MOST_CHOICES).map(({ table, days }) => ({
      table,
      whole: daily(days, every, length),
    })),
  };
}

/** Of a load with more readings (a week of the usual ones) only the most promising shapes are tried in all variants. */
const SHORT = 25_000;
const MOST_PROMISING = 32;
const MOST_CHOICES = 5;

type Tried = {
  readonly table: LoadTable;
  readonly days: readonly Readonly<Results>[];
  readonly launches: number;
};

/** A table that saves less than this share is not worth a change. */
const WORTH_IT = 0.01;

/** The cheapest of those that serve at least as well as the present one on these days. */
function choose(present: Tried, all: readonly Tried[], days: readonly number[]): Tried {
  const own = daily(present.days, days, 1);
  let [best, cost] = [present, own.cost * (1 - WORTH_IT)];
  for (const it of all) {
    const results = daily(it.days, days, 1);
    if (results.tooFew <= own.tooFew && results.cost < cost) [best, cost] = [it, results.cost];
  }
  return best;
}

/** Those that no other beats in both cost and service on these days, the cheapest first. */
function frontOf<T extends Tried>(all: readonly T[], days: readonly number[]): readonly T[] {
  const front: T[] = [];
  let least = Number.POSITIVE_INFINITY;
  const judged = all.map(it => ({ it, ...daily(it.days, days, 1) }));
  for (const { it, tooFew } of judged.sort((a, b) => a.cost - b.cost || a.tooFew - b.tooFew)) {
    if (tooFew >= least) continue;
    least = tooFew;
    front.push(it);
  }
  return front;
}

/** At most so many of a list, from its beginning to its end. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return all.filter((_, index) => {
    const step = (all.length - 1) / (most - 1);
    return Math.round(Math.round(index / step) * step) === index;
  });
}

const FOLDS = 5;

function crossValidated(
  present: Tried,
  days: readonly number[],
  chosenBy: (days: readonly number[]) => Tried,
): Suggestion['unseen'] {
  const folds = Math.min(FOLDS, days.length);
  const suggested = [...present.days];
  for (let fold = 0; fold < folds; fold++) {
    const chosen = chosenBy(days.filter(day => day % folds !== fold));
    for (const day of days) {
      const results = chosen.days[day];
      if (day % folds === fold && results !== undefined) suggested[day] = results;
    }
  }
  const saved = days.map(day => (present.days[day]?.cost ?? 0) - (suggested[day]?.cost ?? 0));
  const mean = saved.reduce((sum, it) => sum + it, 0) / saved.length;
  const variance = saved.reduce((sum, it) => sum + (it - mean) ** 2, 0) / (saved.length - 1);
  return {
    suggested: daily(suggested, days, days.length),
    present: daily(present.days, days, days.length),
    days: days.length,
    cheaperDays: saved.filter(it => it > 0).length,
    uncertainty: 2 * Math.sqrt(variance / saved.length),
  };
}

/** A week is the least that shows a weekend. */
const DAYS_TO_BE_FAIRLY_SURE = 7;
const DAYS_TO_BE_SURE = 14;

function surenessOf(unseen: Suggestion['unseen']): Sureness {
  if (unseen === undefined || unseen.days < DAYS_TO_BE_FAIRLY_SURE) return 'not sure';
  const { suggested, present, days, uncertainty } = unseen;
  const saved = present.cost - suggested.cost;
  // Twice the standard error: by chance alone that is rare.
  const servesAsWell = suggested.tooFew <= 1.1 * present.tooFew;
  if (!servesAsWell || saved < uncertainty) return 'not sure';
  return days >= DAYS_TO_BE_SURE ? 'sure' : 'fairly sure';
}

function daily(days: readonly Readonly<Results>[], indices: readonly number[], count: number): Daily {
  let [cost, tooFew] = [0, 0];
  for (const index of indices) {
    cost += days[index]?.cost ?? 0;
    tooFew += days[index]?.tooFew ?? 0;
  }
  return { cost: cost / count, tooFew: tooFew / count };
}
