import { MINUTE, SECOND } from '../../../src/clock.ts';
import { isSamePause, type Pause } from '../../../src/policy/pause.ts';
import type { Master } from '../master.ts';
import type { Invariant } from './invariant.ts';

/** A running balancer looks every two seconds whether it is paused, and reading the file takes no time. */
const NOTICED = 5 * SECOND;
/** What failed is tried again after at most so long. */
const LONGEST_RETRY = MINUTE;
/** A task that has begun before the pause may call EC2 so much later. */
const UNDER_WAY = 2 * MINUTE;

/**
 * 14. "While the balancer is paused, GBrowse draws locally; nothing is launched, and slaves stay or go as was said."
 *
 * The truth is the pause that the administrator has asked for, by the clock of the machine. A balancer that runs, and is
 * awake, has the same one in mind five seconds later, when it begins and when it ends; a start has it from the beginning.
 * A minute later its farm file lists none of its slaves (where the disk takes a file and nobody else writes it: then
 * at the next poll). No launch is begun. With `release` all slaves are leaving, once EC2 has been seen. Otherwise none is
 * released because of the load, or for its data.
 */
export const pauseHolds: Invariant = (scene, accuse) => {
  const { clock } = scene;
  /** True monotonic ms since when each holds without a break. */
  type Past = {
    pause?: Pause | undefined;
    differs?: number | undefined;
    paused?: number | undefined;
    hinderedUntil: number;
  };
  const pasts = new Map<Master, Past>(scene.masters.map(it => [it, { hinderedUntil: 0 }]));
  let checkedAt = Number.NEGATIVE_INFINITY;

  function judgeFarm(master: Master, past: Past, since: number): void {
    const from = Math.max(since, past.hinderedUntil);
    if (clock.monotonic() - from <= NOTICED + LONGEST_RETRY) return;
    const listed = scene.listed(master).flatMap(it => it?.id ?? []);
    if (listed.length > 0)
      accuse(14, `${master.name} is paused, and the farm file lists ${listed.join(' ')}`);
  }

  function judge(master: Master, past: Past): void {
    const now = clock.monotonic();
    const process = master.process();
    if (process === undefined || process.stopping !== undefined || master.clock.isAsleep()) {
      [past.differs, past.paused, past.hinderedUntil] = [undefined, undefined, now];
      return;
    }
    const { state } = process.balancer;
    const wanted = master.paused();
    past.differs = isSamePause(state.pause, wanted) ? undefined : (past.differs ?? now);
    if (past.differs !== undefined && now - past.differs > NOTICED)
      accuse(
        14,
        `${master.name}: the pause is ${JSON.stringify(wanted)}, not ${JSON.stringify(state.pause)}`,
      );
    if (!isSamePause(wanted, past.pause)) past.paused = wanted && now;
    past.pause = wanted;
    const isKnown = state.describedAt !== undefined;
    if (!isKnown || master.disk.trouble() !== undefined || now < master.clock.wokeAt() + LONGEST_RETRY)
      past.hinderedUntil = now;
    if (past.paused === undefined) return;
    judgeFarm(master, past, past.paused);
    const staying = [...state.members.values()].filter(it => it.leaving === undefined);
    if (wanted?.release === true && past.differs === undefined && isKnown && staying.length > 0) {
      const releasing = now - Math.max(past.paused, past.hinderedUntil) > NOTICED;
      if (releasing)
        accuse(14, `${master.name} is paused with --release, and keeps ${staying.length} slaves`);
    }
  }

  const isLongPaused = (master: Master, at: number) => {
    const since = pasts.get(master)?.paused;
    return since !== undefined && at - since > UNDER_WAY && master.paused() !== undefined;
  };

  return {
    onEdit(master) {
      const past = pasts.get(master);
      if (past !== undefined)
        past.hinderedUntil = clock.monotonic() + master.config().master.pollInterval + LONGEST_RETRY;
    },
    onEffect(master, { action }, sentAt) {
      if (master === undefined || action !== 'CreateFleet' || !isLongPaused(master, sentAt)) return;
      accuse(14, `${master.name} launches though it is paused`);
    },
    onLog(master, message) {
      const since = pasts.get(master)?.paused;
      if (since === undefined || clock.monotonic() - since <= NOTICED) return;
      const why = /^releasing slave .*: (more slaves than the load needs|its data are out of date)/.exec(
        message,
      )?.[1];
      if (why !== undefined) accuse(14, `${master.name} is paused, and releases a slave: ${why}`);
    },
    onStep() {
      const now = clock.monotonic();
      if (now - checkedAt < SECOND) return;
      checkedAt = now;
      for (const [master, past] of pasts) judge(master, past);
    },
  };
};
