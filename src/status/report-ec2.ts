import type { Calls, Counts } from './calls.ts';
import type { Report } from './report.ts';

/** The part of a report about calls of EC2. */
export function ec2Of({ today, sinceStart, lastError }: Calls): Report['ec2'] {
  return {
    callsToday: total(today, 'calls'),
    errorsToday: total(today, 'errors'),
    callsSinceStart: total(sinceStart, 'calls'),
    errorsSinceStart: total(sinceStart, 'errors'),
    today: listOf(today),
    sinceStart: listOf(sinceStart),
    lastError:
      lastError === undefined
        ? null
        : { time: new Date(Math.round(lastError.at)).toISOString(), ...pick(lastError) },
  };
}

function pick({ action, code, message }: NonNullable<Calls['lastError']>) {
  return { action, code, message };
}

function total(counts: Counts, what: 'calls' | 'errors'): number {
  return [...counts.values()].reduce((sum, count) => sum + count[what], 0);
}

/** The most frequent first. */
function listOf(counts: Counts): Report['ec2']['today'] {
  return [...counts]
    .map(([action, { calls, errors }]) => ({ action, calls, errors }))
    .toSorted((a, b) => b.calls - a.calls || (a.action < b.action ? -1 : 1));
}
