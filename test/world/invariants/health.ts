import { MINUTE, SECOND } from '../../../src/clock.ts';
import type { Master, Process } from '../master.ts';
import type { Invariant } from './invariant.ts';

/** How long (ms) a stop may take, and after a second signal (which comes a second after the first). */
const STOP = 5 * MINUTE;
const HURRIED_STOP = 16 * SECOND;
/** How many decisions a minute a balancer may make, and how many more for each slave. */
const DECISIONS = 400;
const DECISIONS_MORE = 200;

/**
 * 8. "Unknown load never shrinks the farm."
 *
 * When a balancer releases a slave because there are more than the load needs, its last look at Apache went well, by
 * Apache's truth, and it was at least the second one of this process: one alone gives no load.
 */
export const unknownLoadShrinksNothing: Invariant = (_scene, accuse) => {
  const readings = new Map<Master, { ok: boolean; good: number }>();
  return {
    onStart: master => void readings.set(master, { ok: false, good: 0 }),
    onReading(master, how) {
      if (master === undefined || how === 'begins') return;
      const good = readings.get(master)?.good ?? 0;
      readings.set(master, { ok: how === 'ok', good: how === 'ok' ? good + 1 : good });
    },
    onLog(master, message) {
      const id = /^releasing slave (\S+) .*more slaves than the load needs/.exec(message)?.[1];
      if (id === undefined) return;
      const { ok, good } = readings.get(master) ?? { ok: false, good: 0 };
      if (!ok || good < 2)
        accuse(
          8,
          `${master.name} released ${id} though ${ok ? 'it had only one reading' : 'Apache could not be read'}`,
        );
    },
  };
};

/**
 * 9. "The process does not die by itself, does not hang, does not grow."
 *
 * It ends only when it was told to, with no error that is a bug (one with a stack in the log), and a stop ends in bounded
 * time. Hang: Apache is looked at every `poll_interval`, and a look takes at most ten seconds. Spin: decisions per minute
 * are bounded. Grow: what it remembers is bounded by the number of its slaves and by the kinds of things that it does.
 */
export const staysAlive: Invariant = (scene, accuse) => {
  const { clock } = scene;
  const looked = new Map<Master, number>();
  const counted = new Map<Master, { at: number; decisions: number; number: number }>();
  const lists = new Map<Master, string>();
  let checkedAt = 0;

  /** A stop that leaves something says truly what: each instance that lives by its id, or that there may be others. */
  function judgeList(master: Master, ended: Process): void {
    const list = lists.get(master) ?? '';
    const known = ended.balancer.state.members;
    const missing = scene.live(master.name).filter(it => known.has(it.id) && !list.includes(it.id));
    if (missing.length > 0)
      accuse(9, `${master.name} left ${missing.map(it => it.id).join(' ')}, and did not say so: ${list}`);
  }

  function judgeGrowth(master: Master): void {
    const running = master.process();
    if (running === undefined) return;
    const { state } = running.balancer;
    const sizes = {
      members: [state.members.size, 4 * master.ceilingSince(0) + 4],
      instancesInFlight: [state.instancesInFlight.size, 2 * master.ceilingSince(0)],
      running: [state.running.size, 12 + state.members.size],
      retry: [state.retry.size, 12],
      said: [state.said.size, 20],
      outbox: [state.outbox.length, 40],
      launches: [state.backoff.launches.length, 3 * Math.max(12, 4 * master.ceilingSince(0))],
    };
    for (const [what, [size = 0, most = 0]] of Object.entries(sizes)) {
      if (size > most) accuse(9, `${master.name}: ${what} has grown to ${size}`);
    }
  }

  return {
    onStart: master => void looked.set(master, clock.monotonic()),
    onReading(master, how) {
      if (master !== undefined && how === 'begins') looked.set(master, clock.monotonic());
    },
    onEnd(master, ended, how) {
      if (how instanceof Error) accuse(9, `${master.name} died: ${how.stack}`);
      else if (how === 'incomplete') judgeList(master, ended);
      else if (ended.stopping === undefined && how !== 'crippled')
        accuse(9, `${master.name} ended by itself: ${how}`);
    },
    onLog(master, message) {
      if (message.startsWith('left in EC2: ')) lists.set(master, message);
      if (/\n\s+at /.test(message)) accuse(9, `${master.name} met a bug: ${message}`);
    },
    onStep() {
      const now = clock.monotonic();
      if (now - checkedAt < 5 * SECOND) return;
      checkedAt = now;
      for (const master of scene.masters) {
        const running = master.process();
        if (running === undefined || master.clock.isAsleep()) {
          looked.set(master, now);
          continue;
        }
        const { stopping } = running;
        const limit = (stopping?.how === 'hurried' ? HURRIED_STOP : STOP) + 5 * SECOND;
        if (stopping !== undefined) {
          const since = now - Math.max(stopping.at, master.clock.wokeAt());
          if (since > limit) accuse(9, `${master.name} has not stopped after ${since / SECOND} s`);
        } else if (
          now - Math.max(looked.get(master) ?? now, master.changedAt(), master.clock.wokeAt()) >
          2 * master.config().master.pollInterval + 30 * SECOND
        ) {
          accuse(
            9,
            `${master.name} hangs: Apache was last looked at ${(now - (looked.get(master) ?? 0)) / SECOND} s ago`,
          );
        }
        const before = counted.get(master);
        if (before === undefined || before.number !== running.number || now - before.at > 2 * MINUTE) {
          counted.set(master, { at: now, decisions: running.decisions, number: running.number });
        } else if (
          running.decisions - before.decisions >
          2 * (DECISIONS + DECISIONS_MORE * 2 * master.ceilingSince(before.at))
        ) {
          accuse(
            9,
            `${master.name} spins: ${running.decisions - before.decisions} decisions in ${(now - before.at) / SECOND} s`,
          );
        }
        judgeGrowth(master);
      }
    },
  };
};
