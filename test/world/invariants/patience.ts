import { keepTimeIn } from '../../../src/balancer/wanted.ts';
import { MINUTE, SECOND } from '../../../src/clock.ts';
import { bornIn } from '../answers.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/** A slave that hangs may be busy for so long; less what a probe and a decision take. */
const BUSY = 135 * SECOND - 15 * SECOND;

/**
 * 11. "Busy is not dead, and trouble of the master's own is nobody's death."
 *
 * When a slave is given up because it does not answer, the master can reach the network, and the slave, if it hangs, has
 * done so for 135 s.
 */
export const busyIsNotDead: Invariant = (scene, accuse) => ({
  onLog(master, message) {
    const id = /^releasing slave (\S+) .*: it does not answer/.exec(message)?.[1];
    if (id === undefined) return;
    if (scene.ownTrouble() !== undefined && master === scene.master) {
      accuse(11, `${master.name} gave ${id} up in trouble of its own: ${scene.ownTrouble()}`);
    }
    const since = scene.deadSince(id) ?? scene.clock.monotonic();
    const hangs = scene.behaviour(id) === 'hangs' && scene.clock.monotonic() - since < BUSY;
    if (hangs) accuse(11, `${master.name} gave ${id} up, which was busy`);
  },
});

/**
 * 12. "At a constant load with `release_after = auto` no launch follows a release within the keep time."
 *
 * Judged when nothing else can be the reason: the load has been the same since long before the release, Apache could be
 * read, no slave has ended or was given up, nobody has changed the configuration or started the balancer.
 */
export const noLaunchAfterRelease: Invariant = (scene, accuse) => {
  /** When a slave was released: true time, and by the machine's clock. */
  const released = new Map<Master, { readonly at: number; readonly on: number }>();
  return {
    onLog(master, message) {
      if (/^releasing slave .*: more slaves than the load needs/.test(message)) {
        const now = scene.clock.monotonic();
        const isQuiet = scene.apacheTrouble() === undefined && scene.ownTrouble() === undefined;
        const on = master.clock.monotonic();
        const steady = on - scene.loadChangedAt() > 6 * MINUTE;
        if (isQuiet && steady && master === scene.master) released.set(master, { at: now, on });
      } else if (
        /^releasing slave|^paused|^the pause is over|has terminated unexpectedly|no longer shows|does not answer|cannot be reached|refuses/.test(
          message,
        )
      ) {
        released.delete(master);
      }
    },
    onReading(master, how) {
      if (how === 'failed' && master !== undefined) released.delete(master);
    },
    onStart: master => void released.delete(master),
    onEffect(master, effect) {
      if (master === undefined || bornIn(effect).length === 0) return;
      const release = released.get(master);
      const state = master.process()?.balancer.state;
      if (release === undefined || state === undefined || state.config.master.releaseAfter === 'never')
        return;
      const isOther =
        master.changedAt() >= release.at - 6 * MINUTE ||
        scene.loadChangedAt() > release.on - 6 * MINUTE ||
        state.instanceRefresh !== undefined;
      const keepTime = keepTimeIn(state) ?? 0;
      const after = master.clock.monotonic() - release.on;
      if (!isOther && after < keepTime)
        accuse(
          12,
          `${master.name} launched ${after / SECOND} s after it released a slave, at a constant load`,
        );
    },
  };
};
