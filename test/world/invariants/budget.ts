import { accountIn } from '../../../src/balancer/spending.ts';
import { monthOf } from '../../../src/budget/ledger.ts';
import { HOUR, MINUTE } from '../../../src/clock.ts';
import { onDemandPrice, volumesPerHour } from '../../../src/spot/list-prices.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/** From the moment that the money is gone to the balancer's decision, and by how much a minute may be in another month. */
const NOTICED = 2 * MINUTE;
const BID = 0.1;
/** Of the volumes that a slave of a history may have: two data snapshots and the image's disk. */
const DISKS = volumesPerHour([{ size: 2 * 400 + 8, type: 'gp3' }]);
/** Of the types that a history may have, m7i.xlarge on demand. */
const DEAREST = 0.21;

/**
 * 13. "Never more than the budget of the month, plus what drains cost."
 *
 * By EC2's truth: what the running instances of this master and their volumes have cost in the month of the machine's clock,
 * each second at the market's price of then; where a process began without knowing what was spent, since it began. When that is above the
 * budget, nothing is born, and within two minutes a balancer that runs has decided to release every slave (whatever keeps
 * EC2 or the farm file from following).
 */
export const budgetHolds: Invariant = (scene, accuse) => {
  const { clock, cloud } = scene;
  type Truth = { readonly month: string; dollars: number; overSince?: number | undefined };
  const truths = new Map<Master, Truth>();
  let countedAt = clock.monotonic();

  const truthOf = (master: Master): Truth => {
    const month = monthOf(clock.wall());
    const known = truths.get(master);
    if (known?.month === month) return known;
    const fresh: Truth = { month, dollars: 0 };
    truths.set(master, fresh);
    return fresh;
  };

  function isOver(master: Master): boolean {
    const { budget } = master.config().slave;
    const price = DISKS + (master.onDemandSince(0) > 0 ? DEAREST : BID);
    const slack = (NOTICED / HOUR) * price * master.ceilingSince(0);
    return budget !== undefined && truthOf(master).dollars > budget + slack;
  }

  return {
    onSpent(master, isKnown) {
      if (!isKnown) truths.delete(master);
    },
    onEffect(master, { action, answer }) {
      if (master === undefined || action !== 'CreateFleet' || typeof answer !== 'object') return;
      if (scene.newborn() > 0 && isOver(master))
        accuse(13, `${master.name} launched with ${JSON.stringify(truthOf(master))} spent`);
    },
    onStep() {
      const now = clock.monotonic();
      const hours = (now - countedAt) / HOUR;
      if (hours === 0) return;
      countedAt = now;
      for (const master of scene.masters) {
        const truth = truthOf(master);
        for (const it of scene.live(master.name)) {
          if (it.state !== 'running') continue;
          const spot = Math.min(cloud.market.pools(it)[0]?.price ?? BID, BID);
          const own = it.spotRequestId === undefined ? onDemandPrice(it.instanceType) : spot;
          truth.dollars += hours * ((own ?? BID) + volumesPerHour(it.volumes));
        }
        const process = master.process();
        const state = process?.balancer.state;
        const mayDecide =
          state?.describedAt !== undefined &&
          // Before its first plan a process without a state file does not know the volumes of what it finds.
          !(state.spending?.withoutVolumes ?? 0) &&
          state.stop === undefined &&
          !master.clock.isAsleep();
        if (!mayDecide || !isOver(master)) {
          truth.overSince = undefined;
          continue;
        }
        const since = truth.overSince ?? now;
        truth.overSince = since;
        const staying = [...state.members.values()].filter(it => it.leaving === undefined);
        if (staying.length > 0 && now - since > NOTICED)
          accuse(
            13,
            `${master.name} keeps ${staying.length} slaves, and spent ${truth.dollars}; it knows ${JSON.stringify(accountIn(state))}`,
          );
      }
    },
  };
};
