import type { Clock } from '../clock.ts';
import { duration } from '../format/durations.ts';

/** How long (ms) a step took. */
export type Phase = { readonly name: string; readonly took: number };

/** Measures the steps of a sync, so that people see where the time goes. */
export type Phases = {
  /** Does a step; one of the same name as an earlier one adds to its time. */
  time<T>(name: string, step: () => Promise<T>): Promise<T>;
  list(): readonly Phase[];
};

export function createPhases(clock: Clock): Phases {
  const took = new Map<string, number>();
  return {
    async time(name, step) {
      const start = clock.monotonic();
      try {
        return await step();
      } finally {
        took.set(name, (took.get(name) ?? 0) + clock.monotonic() - start);
      }
    },
    list: () => [...took].map(([name, ms]) => ({ name, took: ms })),
  };
}

/** The table at the end. */
export function phaseTable(phases: readonly Phase[], total: number): string {
  const rows = [...phases.map(({ name, took }) => [name, duration(took)]), ['all', duration(total)]];
  const [first, second] = [0, 1].map(at => Math.max(...rows.map(row => (row[at] ?? '').length)));
  return rows
    .map(([name = '', time = '']) => `  ${name.padEnd(first ?? 0)}  ${time.padStart(second ?? 0)}`)
    .join('\n');
}
