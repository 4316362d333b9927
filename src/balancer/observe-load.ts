import { SECOND } from '../clock.ts';
import { duration } from '../format/durations.ts';
import { DOUBTS_TO_WARN } from '../load/rate.ts';
import { resolved, type State, say, sayOnce } from './state.ts';

/** Logs what the last reading changed: that the load cannot be determined, and that Apache is overloaded. */
export function sayLoad(state: State, now: number): void {
  sayDoubt(state, now);
  sayOverload(state, now);
}

/** After three polls without a load the log says so once, with the reason and what to do. */
function sayDoubt(state: State, now: number): void {
  const { doubt, rate } = state.load;
  if (doubt === undefined) {
    if (rate !== undefined) resolved(state, 'doubt', 'the load is known again');
    return;
  }
  const polls = (now - doubt.since) / state.config.master.pollInterval + 1;
  // The intervals between readings vary a little.
  if (doubt.readings < DOUBTS_TO_WARN || polls < DOUBTS_TO_WARN - 0.5) return;
  // The reason may be worded differently at the next reading.
  if (state.said.has('doubt')) return;
  sayOnce(state, 'doubt', 'warn', `the load cannot be determined, so the farm stays as it is: ${doubt.why}`);
}

function sayOverload(state: State, now: number): void {
  const { overload } = state.load;
  const since = state.overloadSaidSince;
  if (overload === undefined) {
    if (since !== undefined)
      say(state, 'info', `Apache has idle workers again, after ${duration(now - since)}`);
    delete state.overloadSaidSince;
    return;
  }
  if (since !== undefined) return;
  state.overloadSaidSince = overload.since;
  const does =
    state.config.master.overload === 'climb'
      ? 'the load counts as one more row of the load table with every poll'
      : 'overload = ignore, so this changes nothing';
  const age = now - overload.since < SECOND ? '' : ` for ${duration(now - overload.since)}`;
  say(state, 'warn', `Apache is overloaded${age}: ${overload.reason}; ${does}`);
}
