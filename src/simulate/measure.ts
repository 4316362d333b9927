import { HOUR } from '../clock.ts';
import type { Lifetime, Run } from './lifetimes.ts';
import { LEAST_BILLED, type Market } from './market.ts';
import type { Need } from './need.ts';
import { durationOf, requestsUntil, type Trace } from './trace.ts';

const DAY = 24 * HOUR;

/** The results of a farm on a day, or over the whole trace. */
export type Results = {
  /** Requests that met too few slaves. */
  tooFew: number;
  /** Slaves that were missing, times for how long (slave-ms). */
  missing: number;
  /** Dollars. */
  cost: number;
};

export type Outcome = Results & {
  /** What was paid for and what served, slave-ms. */
  readonly paid: number;
  readonly served: number;
  readonly launches: number;
  readonly interruptions: number;
  readonly days: readonly Readonly<Results>[];
  readonly serving: Steps;
};

/** A number of slaves over time: from `from[i]` (ms) until the next `slaves[i]`; none before the first. */
export type Steps = { readonly from: Float64Array; readonly slaves: Int32Array };

/** The result of a run, and what was needed. */
export function measure(trace: Trace, need: Need, run: Run, market: Market): Outcome {
  const end = durationOf(trace);
  const days = Array.from(
    { length: Math.max(1, Math.ceil(end / DAY)) },
    (): Results => ({ tooFew: 0, missing: 0, cost: 0 }),
  );
  const serving = servingOf(run.lifetimes);
  const bill = costs(run.lifetimes, market, DAY, days.length);
  for (const [index, day] of days.entries()) day.cost = bill[index] ?? 0;
  judge(trace, need, serving, days);
  const sum = (of: (day: Results) => number) => days.reduce((total, day) => total + of(day), 0);
  return {
    tooFew: sum(day => day.tooFew),
    missing: sum(day => day.missing),
    cost: sum(day => day.cost),
    paid: run.lifetimes.reduce(
      (total, life) => total + Math.max(life.endedAt - life.launchedAt, LEAST_BILLED),
      0,
    ),
    served: run.lifetimes.reduce((total, life) => total + Math.max(0, life.servesUntil - life.servesFrom), 0),
    launches: run.lifetimes.length,
    interruptions: run.interruptions,
    days,
    serving,
  };
}

/** What instances cost in each of `count` spans of time: by the second, each instance a minute at least. */
export function costs(
  lifetimes: readonly Lifetime[],
  market: Market,
  span: number,
  count: number,
): Float64Array {
  const dollars = new Float64Array(count);
  for (const { launchedAt, endedAt, pool, onDemand } of lifetimes) {
    const until = Math.max(endedAt, launchedAt + LEAST_BILLED);
    // Boots before the trace count into its first span, bills after it into its last.
    const first = Math.min(Math.max(0, Math.floor(launchedAt / span)), count - 1);
    let from = launchedAt;
    for (let index = first; index < count && from < until; index++) {
      const next = index === count - 1 ? until : Math.min(until, Math.max(from, (index + 1) * span));
      const own =
        onDemand !== undefined
          ? (onDemand * (next - from)) / HOUR
          : pool < 0
            ? market.leastCost(from, next)
            : market.cost(pool, from, next);
      dollars[index] = (dollars[index] ?? 0) + own;
      from = next;
    }
  }
  return dollars;
}

/** How many slaves served at each time. */
export function servingOf(lifetimes: readonly Lifetime[]): Steps {
  const served = lifetimes.filter(({ servesFrom, servesUntil }) => servesFrom < servesUntil);
  const starts = Float64Array.from(served, it => it.servesFrom).sort();
  const ends = Float64Array.from(served, it => it.servesUntil).sort();
  const [from, slaves] = [new Float64Array(2 * served.length), new Int32Array(2 * served.length)];
  let [start, stop, now, length] = [0, 0, 0, 0];
  while (start < starts.length || stop < ends.length) {
    const rises = starts[start] ?? Number.POSITIVE_INFINITY;
    const falls = ends[stop] ?? Number.POSITIVE_INFINITY;
    const at = Math.min(rises, falls);
    for (; starts[start] === at; start++) now++;
    for (; ends[stop] === at; stop++) now--;
    from[length] = at;
    slaves[length++] = now;
  }
  return { from: from.subarray(0, length), slaves: slaves.subarray(0, length) };
}

/** The requests that came while fewer slaves served than were needed. */
export function requestsShort(trace: Trace, need: Need, serving: Steps): number {
  const days = Array.from(
    { length: Math.max(1, Math.ceil(durationOf(trace) / DAY)) },
    (): Results => ({ tooFew: 0, missing: 0, cost: 0 }),
  );
  judge(trace, need, serving, days);
  return days.reduce((sum, { tooFew }) => sum + tooFew, 0);
}

function judge(trace: Trace, need: Need, serving: Steps, days: readonly Results[]): void {
  let [wanted, has] = [-1, -1];
  for (let at = 0; at < need.until; ) {
    while ((need.from[wanted + 1] ?? Number.POSITIVE_INFINITY) <= at) wanted++;
    while ((serving.from[has + 1] ?? Number.POSITIVE_INFINITY) <= at) has++;
    const day = Math.floor(at / DAY);
    const next = Math.min(
      need.from[wanted + 1] ?? need.until,
      serving.from[has + 1] ?? need.until,
      (day + 1) * DAY,
      need.until,
    );
    const lacking = (need.slaves[wanted] ?? 0) - (serving.slaves[has] ?? 0);
    const into = days[day];
    if (lacking > 0 && into !== undefined) {
      into.missing += lacking * (next - at);
      into.tooFew += requestsUntil(trace, next) - requestsUntil(trace, at);
    }
    at = next;
  }
}
