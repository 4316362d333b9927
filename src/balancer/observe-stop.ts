import { messageOf } from '../errors.ts';
import { type State, say } from './state.ts';

/** A stop was requested; the second request waits for nothing. */
export function recordStop(state: State, keepSlaves: boolean | undefined, now: number): void {
  const { stop } = state;
  state.stop = {
    since: now,
    ...stop,
    keepSlaves: keepSlaves ?? stop?.keepSlaves ?? false,
    ...(stop !== undefined && { hurriedAt: stop.hurriedAt ?? now }),
  };
  // From now on each call is made once.
  if (stop !== undefined && stop.hurriedAt === undefined) state.retry.clear();
}

/** The part of the balancer that writes the farm file is gone: it ends and keeps its slaves, or goes on ending them. */
export function recordCrippled(state: State, error: unknown, now: number): void {
  say(state, 'error', messageOf(error));
  const { stop } = state;
  state.stop =
    stop === undefined ? { since: now, keepSlaves: true, crippled: true } : { ...stop, crippled: true };
}
