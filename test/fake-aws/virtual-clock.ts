import type { Clock } from '../../src/clock.ts';
import { createWakeUps, type WakeUp } from './wake-ups.ts';

/** Node's timers turn anything longer into 1 ms, so a sleep that long is a mistake. */
const LONGEST_SLEEP = 2 ** 31 - 1;

/** When all promises that can go on have gone on: Node takes the next tick up when their queue is empty. */
const rest = () => new Promise<void>(resolve => void process.nextTick(resolve));
/** The next turn of the event loop. */
const nextTurn = () => new Promise<void>(resolve => void setImmediate(resolve));

/** So often the event loop gets its turn: a signal, a test's time limit, the output of a long run. */
const STEPS_A_TURN = 100;

/** A clock that stands still until it is told to go on. */
export type VirtualClock = Clock & {
  /** Goes on to this moment of the monotonic clock, waking whatever sleeps until then, each in its turn. */
  runUntil(monotonic: number): Promise<void>;
  /** The same, from now on for `ms`. */
  runFor(ms: number): Promise<void>;
  /**
   * Goes on until the promise has settled, and gives what it gives.
   *
   * @throws when it has not settled after `limit` ms of virtual time (a day, unless told), or when nothing sleeps any
   *   more that could settle it
   */
  run<T>(promise: Promise<T>, limit?: number): Promise<T>;
  /** Lets everything run that need not sleep; time stands still. */
  settle(): Promise<void>;
  /** Sets the wall clock forward (or back) by `ms`; the monotonic clock knows nothing of it. */
  stepWall(ms: number): void;
  /** How many sleep now. */
  sleeping(): number;
};

/**
 * Virtual time for a simulated world. Between two wake-ups everything that can run runs to its end: Node takes up a
 * tick only when no promise is left that can go on. The rule that makes this enough, and the run deterministic: nothing
 * in a simulated world does real I/O, sets real timers or ticks itself, so then everything awaits this clock. Who wakes
 * at the same moment wakes in the order of falling asleep.
 *
 * @param start the wall clock at the beginning, ms since 1970; the monotonic clock starts at 0
 * @param onStep called after every wake-up, when everything that it set going has come to rest
 */
export function createVirtualClock(start = Date.UTC(2026, 0, 1), onStep?: () => void): VirtualClock {
  const wakeUps = createWakeUps();
  let now = 0;
  let wallOffset = start;
  let running = false;

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!(ms <= LONGEST_SLEEP)) throw new RangeError(`sleep: ${ms} ms is longer than a timer can wait`);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      // Like Node's timers, at least 1 ms: a loop that sleeps 0 gets on in time.
      const wakeUp: WakeUp = wakeUps.add(now + Math.max(1, ms), () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      function abort() {
        wakeUps.remove(wakeUp);
        reject(signal?.reason);
      }
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Runs until `done`, or until nothing is left to wake up to and including the moment `end`. */
  async function drive(end: number, done: () => boolean): Promise<void> {
    if (running) throw new Error('the virtual clock is running already: something else drives it');
    running = true;
    try {
      await nextTurn();
      for (let step = 1; !done(); step++) {
        const next = wakeUps.first();
        if (next === undefined || next.at > end) return;
        wakeUps.remove(next);
        now = Math.max(now, next.at);
        next.wake();
        await (step % STEPS_A_TURN === 0 ? nextTurn() : rest());
        onStep?.();
      }
    } finally {
      running = false;
    }
  }

  async function runUntil(monotonic: number): Promise<void> {
    await drive(monotonic, () => false);
    now = Math.max(now, monotonic);
  }

  return {
    wall: () => wallOffset + now,
    monotonic: () => now,
    sleep,
    runUntil,
    runFor: ms => runUntil(now + ms),
    settle: () => drive(Number.NEGATIVE_INFINITY, () => false),
    async run(promise, limit = 24 * 60 * 60 * 1000) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      const end = now + limit;
      await drive(end, () => settled);
      if (settled) return promise;
      throw new Error(
        wakeUps.first() === undefined
          ? 'nothing sleeps any more, and the promise has not settled'
          : `the promise has not settled after ${limit} ms of virtual time`,
      );
    },
    stepWall(ms) {
      wallOffset += ms;
    },
    sleeping: wakeUps.size,
  };
}
