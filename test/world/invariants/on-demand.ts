import { SPOT_PATIENCE } from '../../../src/policy/on-demand.ts';
import { MASTER_TAG } from '../../../src/spot/tags.ts';
import { bornIn } from '../answers.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/**
 * 15. "Never more than `on_demand` slaves on demand, and none before spot has given nothing for five minutes."
 *
 * By EC2's truth: when instances are born on demand, there are no more of this master's that live than a configuration
 * allowed between the sending of the call and its effect; the process has run for five minutes, and in the five minutes
 * before the call was sent no call of its for spot instances gave any. (That they are given up belongs to 6.)
 */
export const onDemandIsTheLastResort: Invariant = (scene, accuse) => {
  const startedAt = new Map<Master, number>();
  const spotGaveAt = new Map<Master, number>();
  return {
    onStart(master) {
      startedAt.set(master, scene.clock.monotonic());
      spotGaveAt.delete(master);
    },
    onEffect(master, effect, sentAt) {
      if (master === undefined || effect.action !== 'CreateFleet' || bornIn(effect).length === 0) return;
      const isSpot = effect.request.TargetCapacitySpecification?.DefaultTargetCapacityType === 'spot';
      if (isSpot) {
        spotGaveAt.set(master, scene.clock.monotonic());
        return;
      }
      const live = scene
        .live(master.name)
        .filter(it => it.spotRequestId === undefined && it.tags[MASTER_TAG] === master.name);
      const allowed = master.onDemandSince(sentAt);
      if (live.length > allowed)
        accuse(15, `${master.name} has ${live.length} slaves on demand, ${allowed} are allowed`);
      const since = Math.max(
        startedAt.get(master) ?? Number.NEGATIVE_INFINITY,
        spotGaveAt.get(master) ?? Number.NEGATIVE_INFINITY,
      );
      // The process that sent a call may be dead when it takes effect.
      if (sentAt >= since && sentAt - since < SPOT_PATIENCE)
        accuse(
          15,
          `${master.name} bought on demand ${(sentAt - since) / 1000} s after its start or after spot gave`,
        );
    },
  };
};
