import type { World } from './chance.ts';
import type { Lifetime, Run } from './lifetimes.ts';
import { LEAST_BILLED, type Market } from './market.ts';
import type { Need } from './need.ts';

/** What the bound means, for people. */
export const BEST_IN_WORDS =
  'The best possible knows the future: there are never too few slaves. Each is launched exactly one boot time ahead, is kept through a gap when that costs less than another boot, is never interrupted and always runs in the cheapest pool. It pays for the boot of each slave but for no drain, which would add to its cost.';

/**
 * The cheapest way to have at every moment as many slaves as are needed, for one who knows the future.
 *
 * The cost of a schedule is what its slaves cost while they serve and one boot for each start; both are sums over layers
 * (the first slave, the second …), so the layers can be made as cheap as possible one by one: layer k has to serve in
 * the intervals in which at least k slaves are needed, and each gap between two is either served through or booted
 * after. `cheapestRuns` finds the best choice of all. That is exact where a boot takes a minute or longer; below, EC2's
 * least bill of a minute could let a schedule save a little that swaps slaves between layers, or launches before the need
 * when that minute is cheaper.
 */
export function runBest(need: Need, world: Pick<World, 'market' | 'bootTime'>): Run {
  // The schedule knows the future, so it knows which boots will be quick.
  const bootTime = typeof world.bootTime === 'number' ? world.bootTime : world.bootTime[0];
  const lifetimes: Lifetime[] = [];
  for (let layer = 1; layer <= need.most; layer++) {
    lifetimes.push(...cheapestRuns(intervalsOf(need, layer), bootTime, world.market));
  }
  return { lifetimes, interruptions: 0 };
}

export type Interval = { readonly from: number; readonly until: number };

/** When at least so many slaves are needed. */
export function intervalsOf(need: Need, slaves: number): Interval[] {
  const intervals: Interval[] = [];
  let since: number | undefined;
  for (let index = 0; index < need.from.length; index++) {
    const from = need.from[index] ?? 0;
    const isNeeded = (need.slaves[index] ?? 0) >= slaves;
    if (isNeeded) since ??= from;
    else if (since !== undefined) {
      intervals.push({ from: since, until: from });
      since = undefined;
    }
  }
  if (since !== undefined) intervals.push({ from: since, until: need.until });
  return intervals;
}

/** One slave at a time that serves in all the intervals (in order, apart from each other), at the least cost. */
function cheapestRuns(intervals: readonly Interval[], bootTime: number, market: Market): Lifetime[] {
  /** What the cheapest way through the first so many intervals costs, and with which one its last slave begins. */
  const least = new Float64Array(intervals.length + 1);
  const first = new Int32Array(intervals.length + 1);
  /** The best beginning among those whose slave has been paid for longer than the least bill. */
  let [best, bestCost] = [-1, Number.POSITIVE_INFINITY];
  let waiting = 0;

  for (const [index, { until }] of intervals.entries()) {
    for (; waiting <= index; waiting++) {
      const launchedAt = (intervals[waiting]?.from ?? 0) - bootTime;
      if (launchedAt + LEAST_BILLED > until) break;
      // Costs are compared as if all slaves were paid from the beginning.
      const cost = (least[waiting] ?? 0) - market.leastCost(0, launchedAt);
      if (cost < bestCost) [best, bestCost] = [waiting, cost];
    }
    let [choice, cost] = [best, bestCost + market.leastCost(0, until)];
    for (let begin = waiting; begin <= index; begin++) {
      const launchedAt = (intervals[begin]?.from ?? 0) - bootTime;
      const own = (least[begin] ?? 0) + market.leastCost(launchedAt, launchedAt + LEAST_BILLED);
      if (own < cost) [choice, cost] = [begin, own];
    }
    least[index + 1] = cost;
    first[index + 1] = choice;
  }

  const lifetimes: Lifetime[] = [];
  for (let index = intervals.length; index > 0; ) {
    const begin = first[index] ?? 0;
    const servesFrom = intervals[begin]?.from ?? 0;
    const servesUntil = intervals[index - 1]?.until ?? 0;
    lifetimes.push({
      launchedAt: servesFrom - bootTime,
      servesFrom,
      servesUntil,
      endedAt: servesUntil,
      pool: -1,
    });
    index = begin;
  }
  return lifetimes.reverse();
}
