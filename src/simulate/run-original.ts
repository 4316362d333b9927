import { SECOND } from '../clock.ts';
import { rangeFor } from '../policy/load-table.ts';
import { lifetimeOf, type World } from './chance.ts';
import type { Lifetime, Run } from './lifetimes.ts';
import { INTERRUPTION_NOTICE } from './market.ts';
import type { Settings } from './settings.ts';
import { durationOf, requestsUntil, type Trace } from './trace.ts';

/** From ready to standing in the farm file, beside the wait for a poll. */
const FARM_UPDATE = 0.38 * SECOND;

type Believed = { readonly life: Lifetime; readonly readyAt: number; listed: boolean };

/**
 * The Perl original over a trace, as it was measured to behave: the load is Apache's average since its start (here:
 * since the trace began), its own status requests among it; a slave enters the farm at a poll; a slave is ended without
 * a drain, before it leaves the farm; one that is to go while it boots loses its request only, and its instance runs
 * on; one that EC2 takes back is never noticed. Its crashes are left out.
 */
export function runOriginal(trace: Trace, { loadTable, master, slave }: Settings, world: World): Run {
  const { market } = world;
  const random = world.random.fork('original');
  const end = durationOf(trace);
  const lifetimes: Lifetime[] = [];
  /** Requests that wait for the price to fall. */
  let open = 0;
  let believed: Believed[] = [];
  let interruptions = 0;

  function fulfil(now: number): void {
    const pool = open > 0 ? market.cheapest(now, slave.spotBid) : undefined;
    if (pool === undefined) return;
    for (; open > 0; open--) {
      const { bootTime, lifetime } = lifetimeOf(world, lifetimes.length);
      const lost = Math.min(now + lifetime, market.dearer(pool, now, slave.spotBid)) + INTERRUPTION_NOTICE;
      if (lost < end) interruptions++;
      const life: Lifetime = {
        launchedAt: now,
        servesFrom: end,
        servesUntil: Math.min(lost, end),
        endedAt: Math.min(lost, end),
        pool,
      };
      lifetimes.push(life);
      believed.push({ life, readyAt: now + bootTime, listed: false });
    }
  }

  for (let [now, polls] = [0, 0]; now < end; now += master.pollInterval, polls++) {
    fulfil(now);
    for (const it of believed) {
      if (it.listed || it.readyAt > now) continue;
      it.listed = true;
      it.life.servesFrom = now + FARM_UPDATE;
    }
    // An Apache that has just started has no average.
    const load = now === 0 ? 0 : ((requestsUntil(trace, now) + polls) / now) * 1000;
    const { min, max } = rangeFor(loadTable, load);
    const count = believed.length + open;
    if (count < min) {
      open += min - count;
      fulfil(now);
    } else if (count > max) {
      const surplus = count - max;
      const cancelled = Math.min(open, surplus);
      open -= cancelled;
      for (let left = surplus - cancelled; left > 0 && believed.length > 0; left--) {
        const booting = believed.find(({ listed }) => !listed);
        // A Perl hash has any order.
        const victim = booting ?? random.pick(believed);
        believed = believed.filter(it => it !== victim);
        // The instance of a cancelled request belongs to nobody, and runs on.
        if (booting !== undefined) continue;
        const { life } = victim;
        life.servesUntil = Math.min(life.servesUntil, now);
        life.endedAt = Math.min(life.endedAt, now);
      }
    }
  }
  return { lifetimes, interruptions };
}
