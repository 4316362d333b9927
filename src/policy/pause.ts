import { duration } from '../format/durations.ts';
import { minuteOf } from '../format/times.ts';

/** While it holds, GBrowse draws without the balancer's slaves. Moments are wall clock ms. */
export type Pause = {
  readonly since: number;
  /** Unset: until somebody ends it. */
  readonly until?: number;
  /** Whether the slaves are released; else they stay as they are. */
  readonly release: boolean;
};

/** The pause that holds at a moment (wall clock ms). */
export function pauseAt(pause: Pause | undefined, wall: number): Pause | undefined {
  return pause?.until !== undefined && pause.until <= wall ? undefined : pause;
}

export function isSamePause(a: Pause | undefined, b: Pause | undefined): boolean {
  return a?.since === b?.since && a?.until === b?.until && a?.release === b?.release;
}

/** What a pause does. */
export function pauseInWords({ release }: Pick<Pause, 'release'>): string {
  return `GBrowse draws locally, and the slaves are ${release ? 'released' : 'kept'}`;
}

/**
 * `until 2026-11-25 23:10 UTC (2 h from now)`, or `until it is ended`.
 *
 * @param wall the moment from which to count, wall clock ms
 */
export function untilInWords({ until }: Pick<Pause, 'until'>, wall?: number): string {
  if (until === undefined) return 'until it is ended';
  const rest = wall === undefined ? '' : ` (${duration(until - wall)} from now)`;
  return `until ${minuteOf(until)} UTC${rest}`;
}
