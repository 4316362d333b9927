import { lifetimeOf, type World } from './chance.ts';
import type { Lifetime, Run } from './lifetimes.ts';
import { INTERRUPTION_NOTICE } from './market.ts';
import { durationOf, type Trace } from './trace.ts';

/**
 * A farm with a constant number of slaves, which serve when the trace begins. A slave that EC2 takes back is replaced
 * at its notice; the bid does not matter.
 */
export function runFixed(trace: Trace, count: number, world: World): Run {
  const end = durationOf(trace);
  const lifetimes: Lifetime[] = [];
  let interruptions = 0;
  for (let one = 0; one < count; one++) {
    let [launchedAt, servesFrom] = [0, 0];
    while (launchedAt < end) {
      const pool = world.market.cheapest(launchedAt, Number.POSITIVE_INFINITY) ?? 0;
      const notice = launchedAt + lifetimeOf(world, lifetimes.length).lifetime;
      const endedAt = Math.min(notice + INTERRUPTION_NOTICE, end);
      lifetimes.push({ launchedAt, servesFrom, servesUntil: endedAt, endedAt, pool });
      if (notice >= end) break;
      interruptions++;
      launchedAt = notice;
      servesFrom = Math.min(notice + lifetimeOf(world, lifetimes.length).bootTime, end);
    }
  }
  return { lifetimes, interruptions };
}
