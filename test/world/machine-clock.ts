import type { Clock } from '../../src/clock.ts';

/** The clock of a machine that can be put to sleep: its monotonic time stands still then, the wall clock goes on. */
export type MachineClock = Clock & {
  /** Sleeps from now on for `ms`. */
  suspend(ms: number): void;
  isAsleep(): boolean;
  /** When it woke last, true time. */
  wokeAt(): number;
  /** Resolves when the machine is awake: at once, or when it wakes. */
  awake(): Promise<void>;
};

/** @param clock true time */
export function createMachineClock(clock: Clock): MachineClock {
  let lost = 0;
  let wokeAt = Number.NEGATIVE_INFINITY;
  let nap: { readonly from: number; readonly until: number } | undefined;

  function monotonic(): number {
    const now = clock.monotonic();
    if (nap !== undefined && now >= nap.until) {
      lost += nap.until - nap.from;
      wokeAt = nap.until;
      nap = undefined;
    }
    return (nap?.from ?? now) - lost;
  }

  const isAsleep = () => {
    monotonic();
    return nap !== undefined;
  };

  async function awake(): Promise<void> {
    while (isAsleep() && nap !== undefined) await clock.sleep(nap.until - clock.monotonic());
  }

  return {
    wall: clock.wall,
    monotonic,
    async sleep(ms, signal) {
      const end = monotonic() + ms;
      await clock.sleep(ms, signal);
      for (;;) {
        if (isAsleep()) await awake();
        if (monotonic() >= end) return;
        await clock.sleep(end - monotonic(), signal);
      }
    },
    suspend(ms) {
      if (isAsleep()) return;
      const from = clock.monotonic();
      nap = { from, until: from + ms };
    },
    isAsleep,
    wokeAt: () => wokeAt,
    awake,
  };
}
