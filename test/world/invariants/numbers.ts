import { HOUR, MINUTE } from '../../../src/clock.ts';
import { DRAINING_TAG, MASTER_TAG } from '../../../src/spot/tags.ts';
import type { InstanceView } from '../../fake-aws/ec2/view.ts';
import { bornIn } from '../answers.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/**
 * 1. "Never more live instances of ours than the largest `max` (draining ones apart, and never more than twice it in
 * all), whatever fails."
 *
 * Live: pending or running, and tagged as this master's, by EC2's truth. Draining: EC2 itself knows that it is on its
 * way out, so any process would know: it has the draining tag, or EC2 has given notice (one whose termination was asked
 * for is not live any more). What a process has merely decided does not count: it may be killed. The number can only
 * grow when instances are born, so it is counted then; the largest `max` is that of the configurations that were in
 * force between the sending of the call and its effect.
 */
export const neverTooMany: Invariant = (scene, accuse) => ({
  onEffect(master, effect, sentAt) {
    if (master === undefined || bornIn(effect).length === 0) return;
    const live = scene.live(master.name);
    const working = live.filter(it => !isDraining(it));
    const ceiling = master.ceilingSince(sentAt);
    if (working.length > ceiling) {
      accuse(
        1,
        `${master.name} has ${working.length} instances that do not drain, ${ceiling} are allowed: ${ids(working)}`,
      );
    }
    if (live.length > 2 * ceiling) {
      accuse(
        1,
        `${master.name} has ${live.length} instances in all, ${2 * ceiling} are allowed: ${ids(live)}`,
      );
    }
  },
});

export function isDraining(instance: InstanceView): boolean {
  return instance.tags[DRAINING_TAG] !== undefined || instance.endsAt !== undefined;
}

const ids = (instances: readonly InstanceView[]) => instances.map(it => it.id).join(' ');

/** How often CreateFleet may be called in an hour: by a process, and besides for each start and each SIGHUP. */
const CALLS = 80;
const CALLS_MORE = 25;

/**
 * 7. "A broken image or quota never makes a launch loop: launches per hour are bounded."
 *
 * In any hour of EC2's clock at most four times the largest `max` instances are born, and at least 12 may be, and for
 * each slave that became ready one more, up to three times as many (see `permitted` in backoff.ts), whatever dies; one
 * largest `max` more when a process was killed, because what it launched at the last moment is not shown to its
 * successor at once. (Not judged where the wall clock was set: a successor knows of these launches by their time. What
 * somebody has taken the tag from is not ours, nor counted.) Calls that give nothing: the shortest of the longest waits
 * between them is a minute, after a few quick ones.
 */
export const noLaunchLoop: Invariant = (scene, accuse) => {
  type Past = { births: { at: number; id: string }[]; calls: number[]; starts: number[] };
  let ready: { at: number; id: string; master: string | undefined }[] = [];
  const pasts = new Map<Master, Past>();
  const pastOf = (master: Master): Past => {
    const known = pasts.get(master);
    if (known !== undefined) return known;
    const fresh = { births: [], calls: [], starts: [] };
    pasts.set(master, fresh);
    return fresh;
  };
  const lately = (moments: readonly number[]) => moments.filter(at => at > scene.clock.monotonic() - HOUR);

  return {
    onStart(master) {
      const past = pastOf(master);
      past.starts = [...lately(past.starts), scene.clock.monotonic()];
    },
    onReady(instance) {
      const now = scene.clock.monotonic();
      ready = ready.filter(it => it.at > now - HOUR);
      if (ready.some(it => it.id === instance.id)) return;
      ready.push({ at: now, id: instance.id, master: instance.tags[MASTER_TAG] });
    },
    onCall(master, action) {
      if (action !== 'CreateFleet') return;
      const past = pastOf(master);
      past.calls = [...lately(past.calls), scene.clock.monotonic()];
      const fresh = lately(past.starts).length + master.reloadsSince(scene.clock.monotonic() - HOUR);
      const allowed = CALLS + CALLS_MORE * fresh;
      if (past.calls.length > allowed)
        accuse(7, `${master.name}: ${past.calls.length} launch calls in an hour`);
    },
    onEffect(master, effect) {
      const born = bornIn(effect);
      if (master === undefined || born.length === 0) return;
      const now = scene.clock.monotonic();
      const past = pastOf(master);
      const fresh = born.filter(id => scene.isNew(id)).map(id => ({ at: now, id }));
      const isOurs = ({ id }: { readonly id: string }) =>
        scene.account.instance(id)?.tags[MASTER_TAG] === master.name;
      past.births = [...past.births.filter(it => it.at > now - HOUR && isOurs(it)), ...fresh];
      const ceiling = master.ceilingSince(now - HOUR - MINUTE);
      const fruitless = Math.max(12, 4 * ceiling);
      const proved = ready.filter(it => it.master === master.name).length;
      const allowed =
        Math.min(fruitless + proved, 3 * fruitless) + (lately(past.starts).length > 0 ? ceiling : 0);
      if (scene.steppedAt() > now - 2 * HOUR) return;
      if (past.births.length > allowed) {
        accuse(
          7,
          `${master.name}: ${past.births.length} instances were born in an hour, ${allowed} are allowed`,
        );
      }
    },
  };
};
